import { describe, expect, test } from 'vitest'
import { hashValue } from '#base/hash.ts'
import { aimOf, aimOnce, wayTo } from '#controller/phases.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh, ResourceId, VirtualNode } from '#mesh/mesh.ts'
import type {
	Certificate,
	ClientTls,
	IpPreference,
	ListenerTls,
	TlsValidation,
	VirtualNodeListener,
} from '#mesh/proxy-spec.ts'
import { findTraps } from '#plan/find-traps.ts'
import { writtenTargets } from '#plan/live-paths.ts'
import { type BriefResource, fixtureResource } from '../../fixtures/mesh-fixture.ts'

const file = (name: string): Certificate => ({ kind: 'file', certificateChain: name, privateKey: `${name}.key` })
const checks: TlsValidation = { trust: { kind: 'file', certificateChain: 'ca' }, subjectAlternativeNames: ['b'] }
const tls = (mode: ListenerTls['mode'], validation: TlsValidation | null = null): ListenerTls => {
	return { mode, certificate: file('b'), validation }
}
const policy = (certificate: Certificate | null = null): ClientTls => {
	return { enforce: true, ports: [], certificate, validation: checks }
}
type Ends = {
	readonly b?: readonly Partial<VirtualNodeListener>[]
	readonly clientTls?: ClientTls | null
	readonly port?: number
	readonly ip?: IpPreference | null
	readonly timeoutMs?: number
}

/** A calls the router B, whose route leads to B. */
function meshOf({ b = [{}], clientTls = null, port = 80, ip = null, timeoutMs }: Ends): Mesh {
	const briefs: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'A', backends: [{ service: 'b.local', clientTls }] },
		{ kind: 'VirtualNode', name: 'B', listeners: b },
		{ kind: 'VirtualRouter', name: 'B' },
		{ kind: 'VirtualService', name: 'b.local', router: 'B' },
		{
			kind: 'Route',
			router: 'B',
			name: 'B',
			targets: port === 80 ? { B: 1 } : { [`B:${port}`]: 1 },
			...(timeoutMs === undefined ? {} : { spec: { timeout: { perRequestMs: timeoutMs, idleMs: null } } }),
		},
	]
	const resources = briefs.map(fixtureResource).map((resource) => {
		if (resource.kind !== 'Mesh') return resource
		const spec = { ...resource.spec, ipPreference: ip }
		return { ...resource, spec, hash: hashValue({ kind: resource.kind, id: resource.id, spec }) }
	})
	return composeMesh(Object.fromEntries(resources.map((resource) => [resource.id, resource])))
}

const nodeOf = (mesh: Mesh, name: string) => {
	return Object.values(mesh.resources).find(
		(resource): resource is VirtualNode => resource.kind === 'VirtualNode' && resource.name === name,
	)
}
const listenersOf = (mesh: Mesh) =>
	nodeOf(mesh, 'B')?.spec.listeners.map(({ port, tls }) => {
		return [port, tls?.mode ?? 'none', ...(tls?.offered === false ? ['not offered'] : [])].join(' ')
	})
const policyOf = (mesh: Mesh) => nodeOf(mesh, 'A')?.spec.backends[0]?.clientTls ?? null

describe('a way through', () => {
	test.for<[string, Ends, Ends, string[][]]>([
		[
			'TLS begins',
			{},
			{ b: [{ tls: tls('STRICT') }], clientTls: policy() },
			[
				['widen', '80 PERMISSIVE not offered'],
				['switch', '80 PERMISSIVE'],
				['whole', '80 STRICT'],
			],
		],
		[
			'TLS is offered',
			{},
			{ b: [{ tls: tls('PERMISSIVE') }] },
			[
				['widen', '80 PERMISSIVE not offered'],
				['whole', '80 PERMISSIVE'],
			],
		],
		[
			'TLS ends',
			{ b: [{ tls: tls('STRICT') }], clientTls: policy() },
			{},
			[
				['widen', '80 PERMISSIVE'],
				['switch', '80 PERMISSIVE not offered'],
				['whole', '80 none'],
			],
		],
		[
			'TLS that asks for certificates begins',
			{},
			{ b: [{ tls: tls('STRICT', checks) }], clientTls: policy(file('a')) },
			[
				['widen', '80 PERMISSIVE not offered'],
				['switch', '80 PERMISSIVE'],
				['whole', '80 STRICT'],
			],
		],
		[
			'a port moves',
			{},
			{ b: [{ port: 8080 }], port: 8080 },
			[
				['widen', '80 none', '8080 none'],
				['switch', '80 none', '8080 none'],
				['whole', '8080 none'],
			],
		],
	])('%s', ([, before, after, phases]) => {
		const way = wayTo(meshOf(before), meshOf(after)) ?? []
		expect(way.map(({ phase, mesh }) => [phase, ...(listenersOf(mesh) ?? [])])).toEqual(phases)
		// No step of it is one that both ends would have to take at once.
		let now = meshOf(before)
		for (const { mesh } of way) {
			expect(findTraps(now, mesh)).toEqual([])
			now = mesh
		}
		expect(now.hash).toBe(meshOf(after).hash)
	})

	test('a server asks for certificates when its callers show them', () => {
		const before = meshOf({ b: [{ tls: tls('STRICT') }], clientTls: policy() })
		const after = meshOf({ b: [{ tls: tls('STRICT', checks) }], clientTls: policy(file('a')) })
		const way = wayTo(before, after) ?? []
		expect(way.map(({ phase }) => phase)).toEqual(['switch', 'whole'])
		expect(way.map(({ mesh }) => policyOf(mesh)?.certificate)).toEqual([file('a'), file('a')])
		expect(way.map(({ mesh }) => nodeOf(mesh, 'B')?.spec.listeners[0]?.tls?.validation)).toEqual([null, checks])
	})

	test('callers show certificates until no server asks any more', () => {
		const before = meshOf({ b: [{ tls: tls('STRICT', checks) }], clientTls: policy(file('a')) })
		const after = meshOf({ b: [{ tls: tls('STRICT') }], clientTls: policy() })
		const way = wayTo(before, after) ?? []
		expect(way.map(({ phase }) => phase)).toEqual(['widen', 'whole'])
		expect(way.map(({ mesh }) => policyOf(mesh)?.certificate)).toEqual([file('a'), null])
	})

	test('IPv6 alone begins, and ends, by IPv4 preferred', () => {
		const preferences = (before: Ends, after: Ends) =>
			wayTo(meshOf(before), meshOf(after))?.map(({ mesh }) => {
				return Object.values(mesh.resources).find(({ kind }) => kind === 'Mesh')?.spec
			})
		expect(preferences({}, { ip: 'IPv6_ONLY' })).toMatchObject([
			{ ipPreference: 'IPv4_PREFERRED' },
			{ ipPreference: 'IPv6_ONLY' },
		])
		expect(preferences({ ip: 'IPv6_PREFERRED' }, {})).toMatchObject([
			{ ipPreference: 'IPv4_PREFERRED' },
			{ ipPreference: null },
		])
	})

	test('what nobody must agree on is one step', () => {
		expect(wayTo(meshOf({}), meshOf({ b: [{}, { port: 81 }] }))?.map(({ phase }) => phase)).toEqual(['whole'])
	})
})

describe('no way', () => {
	test.for<[string, Ends, Ends]>([
		['between TCP and HTTP on one port', {}, { b: [{ protocol: 'tcp' }] }],
		[
			'to a server that goes on asking for certificates that nobody shows',
			{ b: [{ tls: tls('STRICT', checks) }], clientTls: policy(file('a')) },
			{ b: [{ tls: tls('STRICT', checks) }], clientTls: policy() },
		],
		[
			'where another certificate comes along with another trust',
			{ b: [{ tls: tls('STRICT') }], clientTls: policy() },
			{
				b: [{ tls: { ...tls('STRICT'), certificate: file('new') } }],
				clientTls: { ...policy(), validation: { ...checks, trust: { kind: 'file', certificateChain: 'new-ca' } } },
			},
		],
		['where a listener goes that is used', {}, { b: [{ port: 8080 }], port: 80 }],
	])('%s', ([, before, after]) => {
		const [old, next] = [meshOf(before), meshOf(after)]
		expect(wayTo(old, next)).toBeNull()
		const options = { targetsOf: writtenTargets, underRollout: [], mayStillHold: [] }
		expect(aimOf(old, next, options)).toEqual({ phase: 'whole', mesh: next })
	})
})

describe('callers change when every server is known to take both', () => {
	const aim = (now: Mesh, next: Mesh, ...mayStillHold: Mesh[]) =>
		aimOf(now, next, { targetsOf: writtenTargets, underRollout: [], mayStillHold })

	test.for<[string, Ends, Ends]>([
		['TLS', {}, { b: [{ tls: tls('STRICT') }], clientTls: policy() }],
		['a port', {}, { b: [{ port: 8080 }], port: 8080 }],
	])('%s', ([, before, after]) => {
		const [old, next] = [meshOf(before), meshOf(after)]
		const wide = aim(old, next).mesh
		expect(aim(wide, next, old)).toEqual({ phase: 'widen', mesh: wide })
		const switched = aim(wide, next)
		expect(switched.phase).toBe('switch')
		// Back from there nobody needs to be waited for: whoever lags takes both.
		expect(aim(switched.mesh, old, wide)).not.toEqual({ phase: 'widen', mesh: switched.mesh })
	})
})

test('a route under a rollout is asked for what it was asked for', () => {
	const before = meshOf({})
	const after = meshOf({ b: [{ tls: tls('STRICT') }, { port: 81 }], clientTls: policy(), port: 81 })
	const underRollout = Object.keys(before.resources).filter((id) => id.includes('/route/')) as ResourceId[]
	const { phase, mesh } = aimOf(before, after, { targetsOf: writtenTargets, underRollout, mayStillHold: [] })
	expect(phase).toBe('widen')
	for (const id of underRollout) expect(mesh.resources[id]).toEqual(after.resources[id])
})

// Seed 4065121 of the simulator: the waves were taken back, and tried again later.
test('what goes out by waves goes on, unless it is a server that is to take both first', () => {
	const before = meshOf({})
	const after = meshOf({ b: [{ tls: tls('STRICT') }], timeoutMs: 5_000 })
	const candidate = meshOf({ timeoutMs: 5_000 })
	const options = { rollouts: [], mayStillHold: [] }
	const { phase, mesh } = aimOnce(before, after, { ...options, candidate })
	expect([phase, listenersOf(mesh)]).toEqual(['widen', ['80 PERMISSIVE not offered']])
	expect(timeoutIn(mesh)).toBe(5_000)
	expect(timeoutIn(aimOnce(before, after, { ...options, candidate: null }).mesh)).toBeNull()
	const other = meshOf({ timeoutMs: 7_000 })
	expect(timeoutIn(aimOnce(before, after, { ...options, candidate: other }).mesh)).toBeNull()
	const server = aimOnce(before, after, { ...options, candidate: after })
	expect(listenersOf(server.mesh)).toEqual(['80 PERMISSIVE not offered'])
})

const timeoutIn = ({ resources }: Mesh) => {
	const route = Object.values(resources).find(({ kind }) => kind === 'Route')
	return route?.kind === 'Route' ? (route.spec.timeout.perRequestMs ?? null) : undefined
}
