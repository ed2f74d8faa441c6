import { toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileGroup } from '#compile/compile-group.ts'
import { type Capture, type CompiledResource, typeUrls } from '#compile/compiled.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { FilterChainSchema } from '#proto/gen/envoy/config/listener/v3/listener_components_pb.ts'
import type { Listener } from '#proto/gen/envoy/config/listener/v3/listener_pb.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { count, seed } from '../../depth.ts'
import { compileInput, explicitCapture, fixtureGroup, readable, readableOf } from '../../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective, fixtureSplit } from '../../fixtures/mesh-fixture.ts'

const route = 'mesh/apps/virtualRouter/serviceB/route/serviceB'

const walkthrough: readonly BriefResource[] = [
	{ kind: 'Mesh' },
	{ kind: 'VirtualNode', name: 'serviceA', backends: ['serviceb.apps.local'] },
	{ kind: 'VirtualNode', name: 'serviceB' },
	{ kind: 'VirtualNode', name: 'serviceBv2' },
	{ kind: 'VirtualService', name: 'serviceb.apps.local', router: 'serviceB' },
	{ kind: 'VirtualRouter', name: 'serviceB' },
	{ kind: 'Route', name: 'serviceB', router: 'serviceB', targets: { serviceB: 75, serviceBv2: 25 } },
]

function compile(effective: EffectiveMesh, name = 'serviceA'): readonly CompiledResource[] {
	const compiled = compileGroup(effective, fixtureGroup(name), nothingDiscovered)
	if (compiled === null) throw new Error(`${name} is not in the mesh`)
	return compiled
}

const namesOf = (compiled: readonly CompiledResource[]) => compiled.map(({ name }) => name).sort()

describe("App Mesh's names, byte for byte", () => {
	test('the caller of two versions', () => {
		expect(namesOf(compile(fixtureEffective(walkthrough)))).toEqual([
			'cds_egress_apps_serviceB_http2_80',
			'cds_egress_apps_serviceBv2_http2_80',
			'cds_ingress_apps_serviceA_http2_80',
			'lds_egress_0.0.0.0_15001',
			'lds_ingress_0.0.0.0_80',
			'rds_egress_http_15001',
			'rds_ingress_http_80',
		])
	})

	test('a node without backends holds no way out', () => {
		expect(namesOf(compile(fixtureEffective(walkthrough), 'serviceB'))).toEqual([
			'cds_ingress_apps_serviceB_http2_80',
			'lds_ingress_0.0.0.0_80',
			'rds_ingress_http_80',
		])
	})

	test('a node without listeners takes nothing in', () => {
		const client: BriefResource = { kind: 'VirtualNode', name: 'job', listeners: [], backends: ['serviceb.apps.local'] }
		expect(namesOf(compile(fixtureEffective([...walkthrough, client]), 'job'))).toEqual([
			'cds_egress_apps_serviceB_http2_80',
			'cds_egress_apps_serviceBv2_http2_80',
			'lds_egress_0.0.0.0_15001',
			'rds_egress_http_15001',
		])
	})

	test('intercepted, each dialled port has its own routes', () => {
		const resources: BriefResource[] = [{ kind: 'Mesh', spec: { egressFilter: 'ALLOW_ALL' } }, ...walkthrough.slice(1)]
		const compiled = compileInput({ proxy: 'serviceA', capture: { mode: 'intercept' }, resources })
		expect(namesOf(compiled)).toContain('rds_egress_http_80')
		expect(namesOf(compiled)).toContain('cds_egress_apps_mesh-allow-all')
	})
})

test.for([
	{ mesh: 'apps', kind: 'virtualNode', name: 'nobody' },
	{ mesh: 'other', kind: 'virtualNode', name: 'serviceA' },
	{ mesh: 'apps', kind: 'virtualGateway', name: 'serviceA' },
] as const)('$kind $mesh/$name is not in the mesh', (identity) => {
	expect(
		compileGroup(fixtureEffective(walkthrough), { ...fixtureGroup('serviceA'), identity }, nothingDiscovered),
	).toBeNull()
})

describe('what a change costs', () => {
	const before = fixtureEffective(walkthrough)

	/** Names of the resources whose key is new. */
	function rebuilt(after: EffectiveMesh, name = 'serviceA'): string[] {
		const known = new Map(compile(before, name).map((resource) => [resource.name, resource.key]))
		return namesOf(compile(after, name).filter((resource) => known.get(resource.name) !== resource.key))
	}
	const replaced = (node: Extract<BriefResource, { kind: 'VirtualNode' }>) =>
		fixtureEffective([...walkthrough.filter((old) => old.kind !== node.kind || old.name !== node.name), node])

	test('a weight: one route configuration', () => {
		const splits = { [route]: { serviceB: 500_000, serviceBv2: 500_000 } }
		expect(rebuilt(fixtureEffective(walkthrough, { splits }))).toEqual(['rds_egress_http_15001'])
		expect(rebuilt(fixtureEffective(walkthrough, { splits }), 'serviceB')).toEqual([])
	})

	test('the same mesh, read again: nothing', () => {
		expect(rebuilt(fixtureEffective(walkthrough))).toEqual([])
	})

	test('a host name: its cluster', () => {
		const after = replaced({ kind: 'VirtualNode', name: 'serviceBv2', dns: { hostname: 'elsewhere.local' } })
		expect(rebuilt(after)).toEqual(['cds_egress_apps_serviceBv2_http2_80'])
	})

	test('a preference of the mesh: the clusters that have none of their own', () => {
		const after = fixtureEffective([{ kind: 'Mesh', spec: { ipPreference: 'IPv4_ONLY' } }, ...walkthrough.slice(1)])
		expect(rebuilt(after)).toEqual(['cds_egress_apps_serviceB_http2_80', 'cds_egress_apps_serviceBv2_http2_80'])
	})

	test("a listener's timeout: the node's own routes", () => {
		const timeout = { perRequestMs: 1, idleMs: null }
		const after = replaced({ kind: 'VirtualNode', name: 'serviceB', listeners: [{ timeout }] })
		expect(rebuilt(after, 'serviceB')).toEqual(['rds_ingress_http_80'])
		expect(rebuilt(after)).toEqual([])
	})

	test("the mesh's access log: every listener", () => {
		const accessLog = { path: '/dev/stdout', format: null }
		const after = fixtureEffective([{ kind: 'Mesh', spec: { accessLog } }, ...walkthrough.slice(1)])
		expect(rebuilt(after)).toEqual(['lds_egress_0.0.0.0_15001', 'lds_ingress_0.0.0.0_80'])
	})

	test('what the proxy cannot reach: nothing', () => {
		const after = fixtureEffective([...walkthrough, { kind: 'VirtualNode', name: 'stranger' }])
		expect(rebuilt(after)).toEqual([])
	})
})

test('a target that is prepared has its cluster before any route names it', () => {
	const resources = [...walkthrough.slice(0, -1), { ...walkthrough.at(-1), targets: { serviceB: 1 } } as BriefResource]
	const effective = fixtureEffective(resources, { prepared: { [route]: ['serviceBv2'] } })
	const compiled = compile(effective)
	expect(namesOf(compiled)).toContain('cds_egress_apps_serviceBv2_http2_80')
	const routes = compiled.find(({ typeUrl, name }) => typeUrl === typeUrls.route && name.includes('egress'))
	expect(routes?.references.clusters).toEqual(['cds_egress_apps_serviceB_http2_80'])
})

test('a target that is gone leaves a reference that leads nowhere, and no cluster', () => {
	const effective = fixtureEffective(
		walkthrough.filter((resource) => !('name' in resource) || resource.name !== 'serviceBv2'),
	)
	const compiled = compile(effective)
	expect(namesOf(compiled)).not.toContain('cds_egress_apps_serviceBv2_http2_80')
	expect(compiled.flatMap(({ references }) => references.clusters)).toContain('cds_egress_apps_serviceBv2_http_80')
})

test('a route without shares is a mistake of the caller', () => {
	expect(() => compile({ ...fixtureEffective(walkthrough), written: {} })).toThrow(route)
})

test('the order in which resources are written changes no key and no byte', () => {
	const bytesOf = (compiled: readonly CompiledResource[]) =>
		[...compiled]
			.sort((left, right) => (left.name < right.name ? -1 : 1))
			.map((resource) => {
				const { schema, message } = resource.build()
				return [resource.name, resource.key, Buffer.from(toBinary(schema, message)).toString('hex')]
			})
	const more: BriefResource[] = [
		{ kind: 'VirtualNode', name: 'caller', backends: ['serviceb.apps.local', 'direct.apps.local'] },
		{ kind: 'VirtualService', name: 'direct.apps.local', node: 'serviceB' },
		{ kind: 'Route', name: 'b', router: 'serviceB', targets: { serviceB: 1 } },
		{ kind: 'Route', name: 'a', router: 'serviceB', targets: { serviceBv2: 1 }, spec: { priority: 3 } },
	]
	const all = [...walkthrough, ...more]
	const expected = bytesOf(compile(fixtureEffective(all), 'caller'))
	fc.assert(
		fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
			expect(bytesOf(compile(fixtureEffective(shuffled), 'caller'))).toEqual(expected)
		}),
		{ numRuns: count(30, 1_000), seed: seed() },
	)
})

test('one weight of 1,000 routes: one resource has a new key', () => {
	const services = Array.from({ length: 1000 }, (_, index) => `s${index}.apps.local`)
	const resources: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'web', backends: services },
		{ kind: 'VirtualNode', name: 'v1' },
		{ kind: 'VirtualNode', name: 'v2' },
		...services.flatMap((name, index): BriefResource[] => [
			{ kind: 'VirtualService', name, router: `r${index}` },
			{ kind: 'VirtualRouter', name: `r${index}` },
			{ kind: 'Route', name: 'all', router: `r${index}`, targets: { v1: 1, v2: 1 } },
		]),
	]
	const before = fixtureEffective(resources)
	const changed = 'mesh/apps/virtualRouter/r7/route/all'
	const after = { ...before, moved: { ...before.moved, [changed]: fixtureSplit({ v1: 990_000, v2: 10_000 }) } }
	const keys = new Set(compile(before, 'web').map(({ key }) => key))
	expect(namesOf(compile(after, 'web').filter(({ key }) => !keys.has(key)))).toEqual(['rds_egress_http_15001'])
})

test("the application's address is the proxy's own affair", () => {
	const app = { address: '::1', port: null }
	const capture = { ...explicitCapture, app }
	const compiled = compileInput({ proxy: 'serviceB', capture, resources: walkthrough })
	expect(readableOf(compiled, typeUrls.cluster, 'cds_ingress_apps_serviceB_http2_80')).toMatchObject({
		load_assignment: {
			endpoints: [
				{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: '::1', port_value: 80 } } } }] },
			],
		},
	})
})

describe('a step of a TCP route', () => {
	const tcp = (port: number) => ({ port, protocol: 'tcp' as const })
	const backends = ['cache', 'db'].flatMap((name, index): BriefResource[] => [
		{ kind: 'VirtualNode', name, listeners: [tcp(5000 + index)] },
		{ kind: 'VirtualNode', name: `${name}v2`, listeners: [tcp(5000 + index)] },
		{ kind: 'VirtualService', name: `${name}.apps.local`, router: name },
		{ kind: 'VirtualRouter', name, listeners: [tcp(5000 + index)] },
		{
			kind: 'Route',
			name: 'all',
			router: name,
			targets: { [`${name}:${5000 + index}`]: 1, [`${name}v2:${5000 + index}`]: 0 },
			spec: { match: { kind: 'tcp', port: null } },
		},
	])
	const web: BriefResource = {
		kind: 'VirtualNode',
		name: 'web',
		backends: [
			{ service: 'cache.apps.local', egressPort: 6000 },
			{ service: 'db.apps.local', egressPort: 6001 },
		],
	}
	const resources: BriefResource[] = [{ kind: 'Mesh' }, web, ...backends]
	const splits = { 'mesh/apps/virtualRouter/db/route/all': { 'db:5001': 900_000, 'dbv2:5001': 100_000 } }
	const both = (capture: Capture) => ({
		before: compileInput({ proxy: 'web', capture, resources }),
		after: compileInput({ proxy: 'web', capture, resources, splits }),
	})

	test('explicit: its own listener', () => {
		const { before, after } = both(explicitCapture)
		const known = new Set(before.map(({ key }) => key))
		expect(namesOf(after.filter(({ key }) => !known.has(key)))).toEqual(['lds_egress_0.0.0.0_6001'])
	})

	test('intercepted: its own filter chain, the others byte for byte', () => {
		const { before, after } = both({ mode: 'intercept' })
		const known = new Set(before.map(({ key }) => key))
		expect(namesOf(after.filter(({ key }) => !known.has(key)))).toEqual(['lds_egress_0.0.0.0_15001'])
		const chainsOf = (compiled: readonly CompiledResource[]) => {
			const built = compiled.find(({ name }) => name === 'lds_egress_0.0.0.0_15001')?.build()
			const listener = built?.message as Listener
			return listener.filterChains.map((chain) => [
				chain.filterChainMatch?.destinationPort,
				Buffer.from(toBinary(FilterChainSchema, chain)).toString('hex'),
			])
		}
		const unchanged = new Set(chainsOf(before).map(String))
		const changed = chainsOf(after).filter((chain) => !unchanged.has(String(chain)))
		expect(changed.map(([port]) => port)).toEqual([5001])
	})

	test('a weight of 0 is left out, and its cluster is there', () => {
		const { before } = both(explicitCapture)
		const listener = before.find(({ name }) => name === 'lds_egress_0.0.0.0_6001')
		expect(listener?.references.clusters).toEqual(['cds_egress_apps_db_tcp_5001'])
		expect(namesOf(before)).toContain('cds_egress_apps_dbv2_tcp_5001')
	})
})

describe('a gateway', () => {
	const edge: BriefResource[] = [
		{ kind: 'VirtualGateway', name: 'edge' },
		{ kind: 'GatewayRoute', name: 'all', gateway: 'edge', service: 'serviceb.apps.local' },
	]
	const namesAt = (resources: readonly BriefResource[]) =>
		namesOf(compileInput({ proxy: 'edge', kind: 'virtualGateway', resources }))

	test("has App Mesh's names", () => {
		expect(namesAt([...walkthrough, ...edge])).toEqual([
			'cds_egress_apps_serviceB_http2_80',
			'cds_egress_apps_serviceBv2_http2_80',
			'cds_ingress_apps_edge_self_redirect_http_15001',
			'lds_egress_0.0.0.0_15001',
			'lds_ingress_0.0.0.0_8080',
			'rds_egress_http_15001',
			'rds_ingress_http_8080',
		])
	})

	test('a weight costs one route configuration, its first route two', () => {
		const compiledOf = (resources: readonly BriefResource[], splits = {}) =>
			compileInput({ proxy: 'edge', kind: 'virtualGateway', resources, splits })
		const changed = (before: readonly CompiledResource[], after: readonly CompiledResource[]) => {
			const known = new Set(before.map(({ key }) => key))
			return namesOf(after.filter(({ key, typeUrl }) => typeUrl !== typeUrls.cluster && !known.has(key)))
		}
		const all = [...walkthrough, ...edge]
		const step = { [route]: { serviceB: 500_000, serviceBv2: 500_000 } }
		expect(changed(compiledOf(all), compiledOf(all, step))).toEqual(['rds_egress_http_15001'])
		const without = compiledOf([...walkthrough, ...edge.slice(0, 1)])
		expect(changed(without, compiledOf(all))).toEqual(['rds_egress_http_15001', 'rds_ingress_http_8080'])
	})
})

test('a private key goes to those that name it, and to nobody else', () => {
	const listeners = (secretName: string) => [
		{ port: 443, tls: { mode: 'STRICT', certificate: { kind: 'sds', secretName }, validation: null } } as const,
	]
	const clientTls = {
		enforce: true,
		ports: [],
		certificate: null,
		validation: { trust: { kind: 'sds', secretName: 'trusted' }, subjectAlternativeNames: [] },
	} as const
	const resources: readonly BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'a', listeners: listeners('of-a'), backends: [{ service: 'b.local', clientTls }] },
		{ kind: 'VirtualNode', name: 'b', listeners: listeners('of-b') },
		{ kind: 'VirtualService', name: 'b.local', node: 'b' },
	]
	const secrets = { 'of-a': ['certificate'], 'of-b': ['certificate'], trusted: ['certificate', 'authorities'] } as const
	const keysOf = (proxy: string) => {
		const compiled = compileInput({ proxy, resources, discovered: { secrets } })
		const text = JSON.stringify(compiled.map(readable))
		return Object.keys(secrets).filter((name) => text.includes(`key of ${name}`))
	}
	// Who only trusts is given no key, though the folder has one by that name.
	expect([keysOf('a'), keysOf('b')]).toEqual([['of-a'], ['of-b']])
})
