// That explain is right: a real Envoy takes each of many generated requests by the route, to the cluster, with the host
// and path that explain says. Every route answers with its own name in a header; all clusters lead to one application.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileGroup } from '#compile/compile-group.ts'
import type { ProxyGroup } from '#compile/compiled.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { compiledConfiguration } from '#explain/configuration.ts'
import { explainRequest } from '#explain/explain-request.ts'
import type { Explained } from '#explain/explained.ts'
import { readRequest } from '#explain/read-request.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import type { EnvoyVersion } from '#lab/parts.ts'
import { freePorts } from '#lab/ports.ts'
import { makeBootstrap } from '../../src/cli/bootstrap/make-bootstrap.ts'
import { count, seed } from '../depth.ts'
import { gatewayParts, grpcMatch, httpMatch, type SentRequest, sentRequest } from '../fixtures/arbitrary-request.ts'
import { bootstrapVariants } from '../fixtures/bootstrap-variants.ts'
import { fixtureGroup } from '../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective } from '../fixtures/mesh-fixture.ts'
import { staticResources } from '../fixtures/static-resources.ts'
import { type Answered, createPlainClient } from './fixtures/plain-client.ts'
import { type ScriptedApp, startScriptedApp } from './fixtures/scripted-app.ts'

const proxyAddress = '127.0.19.1'
const services = Array.from({ length: count(24, 200) }, (_, index) => `s${index}.apps.local`)
const nodes = ['v1', 'v2', 'v3']
const versions: readonly EnvoyVersion[] = ['1.40.0', '1.36.2']
const envoys = new Map<EnvoyVersion, string>()
let app: ScriptedApp
beforeAll(async () => {
	for (const version of versions) {
		const found = await findEnvoy({ version, onProgress: console.log })
		if (!found.ok) throw new Error(found.error.message)
		envoys.set(version, found.value.path)
	}
	const [port = 0] = await freePorts('127.0.19.2', 1)
	app = await startScriptedApp({ name: 'any', address: '127.0.19.2', port })
	app.script(({ path, headers, answer }) => {
		app.forget()
		answer(200, { 'x-seen-path': encodeURIComponent(path), 'x-seen-host': encodeURIComponent(headers.host ?? '') }, '')
	})
}, 300_000)
afterAll(() => app[Symbol.asyncDispose]())

/** Virtual services, each with a router and a few generated routes, and the nodes that all are the one application. */
function generatedServices(): BriefResource[] {
	const route = fc.record({
		match: fc.oneof({ weight: 4, arbitrary: httpMatch }, { weight: 1, arbitrary: grpcMatch }),
		priority: fc.constantFrom(1, 2, 1001),
		node: fc.constantFrom(...nodes),
	})
	const tables = fc.sample(fc.array(route, { minLength: 1, maxLength: 6, size: 'max' }), {
		numRuns: services.length,
		seed: seed(),
	})
	/** Of every other service, one takes what is left. */
	const rest = { match: {}, priority: 1001, node: 'v2' }
	const endpoints = [{ address: app.address, port: app.port }]
	return [
		{ kind: 'Mesh' },
		...nodes.map((name): BriefResource => {
			return { kind: 'VirtualNode', name, discovery: { kind: 'static', endpoints } }
		}),
		...services.flatMap((name, index): BriefResource[] => [
			{ kind: 'VirtualService', name, router: `r${index}` },
			{ kind: 'VirtualRouter', name: `r${index}` },
			...[...(tables[index] ?? []), ...(index % 2 === 0 ? [rest] : [])].map(
				({ match, priority, node }, at): BriefResource => {
					const spec = { match, priority }
					return { kind: 'Route', name: `route${at}`, router: `r${index}`, targets: { [node]: 3, v3: 1 }, spec }
				},
			),
		]),
	]
}

type Subject = AsyncDisposable & {
	readonly port: number
	readonly explain: (request: SentRequest) => Explained
}

/** An Envoy with all that is compiled for a group, and explain on the same. */
async function startSubject(
	version: EnvoyVersion,
	resources: readonly BriefResource[],
	{ group, port }: { readonly group: ProxyGroup; readonly port: number },
): Promise<Subject> {
	const compiled = compileGroup(fixtureEffective(resources), group, nothingDiscovered)
	const { plain } = bootstrapVariants
	if (compiled === null || plain === undefined) throw new Error('there is nothing to start')
	const { dynamic_resources: _, ...bootstrap } = makeBootstrap({ ...plain, capture: group.capture }) as Bootstrap
	const { clusters, listeners } = staticResources(compiled)
	const content = {
		...bootstrap,
		static_resources: {
			clusters: [...bootstrap.static_resources.clusters, ...clusters],
			listeners: listeners.map(withRouteNames),
		},
	}
	const envoy = envoys.get(version) ?? ''
	const process: EnvoyProcess = await startEnvoy({ envoy, name: 'explain', bootstrap: { content } })
	await process.ready()
	const configuration = compiledConfiguration(compiled)
	return {
		port,
		explain({ method, scheme, authority, path, headers }) {
			const url = `${scheme}://${group.identity.kind === 'virtualGateway' ? `gateway:${port}` : 'any'}${path}`
			const asked = readRequest(method, url, [...headers, { name: 'host', value: authority }])
			if (!asked.ok) throw new Error(asked.error)
			return explainRequest(configuration, { ...group, envoyMinor: version.replace(/\.\d+$/, '') }, asked.value)
		},
		[Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
	}
}

type Bootstrap = { dynamic_resources: object; static_resources: { clusters: object[] } }

/** Each answer names the routes that it came by, the last first. */
function withRouteNames(value: unknown): object {
	return JSON.parse(JSON.stringify(value), (key, member) => {
		if (key !== 'routes') return member
		return (member as { name?: string }[]).map((route) => ({
			...route,
			response_headers_to_add: [
				{ header: { key: 'x-route', value: route.name ?? '-' }, keep_empty_value: true },
				{ header: { key: 'x-cluster', value: '%UPSTREAM_CLUSTER%' } },
			],
		}))
	})
}

/** What can be compared of what Envoy did: by which routes it went, the last first, and what came out of them. */
function outcomeOf({ status, headers }: Answered) {
	const routes = headers['x-route'] === undefined ? [] : String(headers['x-route']).split(', ')
	if (headers['x-seen-path'] === undefined) return { kind: status === 400 ? 'refused' : 'not taken', routes }
	return {
		kind: 'forwarded',
		routes,
		cluster: String(headers['x-cluster']).split(', ')[0],
		path: decodeURIComponent(String(headers['x-seen-path'])),
		host: decodeURIComponent(String(headers['x-seen-host'])),
	}
}

/** The same of what explain says; of weighted clusters the one that Envoy took, if explain names it. */
function predictionOf({ hops, outcome }: Explained, took: string | undefined) {
	const routes = hops.flatMap(({ taken }) => (taken === null ? [] : [taken.name === '' ? '-' : taken.name])).reverse()
	if (outcome.kind !== 'forwarded') return { kind: outcome.kind === 'refused' ? 'refused' : 'not taken', routes }
	const last = hops.at(-1)
	const action = last?.taken?.action
	if (last === undefined || action?.kind !== 'forward') throw new Error('what is forwarded was taken')
	const clusters = action.destinations.filter(({ sharePpm }) => sharePpm > 0).map(({ cluster }) => cluster)
	return {
		kind: 'forwarded',
		routes,
		cluster: took !== undefined && clusters.includes(took) ? took : clusters.join(' or '),
		path: action.path ?? last.path,
		host: action.authority ?? last.authority,
	}
}

/** Characters that HTTP/2 allows in a path. */
const strictPath = /^[A-Za-z0-9/?:@!$&'()*+,;=._~%-]*$/

async function expectAgreement(subject: Subject, authorities: readonly string[]): Promise<ReadonlyMap<string, number>> {
	using client = createPlainClient(proxyAddress, subject.port)
	const seen = new Map<string, number>()
	const see = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)
	await fc.assert(
		fc.asyncProperty(sentRequest(authorities), fc.boolean(), async (request, isHttp2) => {
			const protocol = isHttp2 && strictPath.test(request.path) ? 'http2' : 'http1'
			const did = outcomeOf(await client.ask(protocol, request))
			const explained = subject.explain(request)
			const predicted = predictionOf(explained, did.cluster)
			const both = `Envoy: ${JSON.stringify(did)}\nexplain: ${JSON.stringify(predicted)}\n${JSON.stringify(explained)}`
			if (!isDeepStrictEqual(did, predicted)) throw new Error(`${protocol}\n${both}`)
			see(did.kind)
			see(`${did.kind} by ${did.routes.join(' after ')}`)
		}),
		{ numRuns: count(1_000, 10_000), seed: seed(), includeErrorInReport: true },
	)
	return seen
}

describe.for(versions)('every generated request goes the way that explain says, through Envoy %s', (version) => {
	test("out of a node's proxy", async () => {
		const [egressPort = 0] = await freePorts(proxyAddress, 1)
		const resources: BriefResource[] = [
			...generatedServices(),
			{ kind: 'VirtualNode', name: 'web', listeners: [], backends: [...services, 'direct.apps.local'] },
			{ kind: 'VirtualService', name: 'direct.apps.local', node: 'v1' },
		]
		const app = { address: '127.0.0.1', port: null }
		const group = fixtureGroup('web', { mode: 'explicit', bind: proxyAddress, egressPort, app })
		await using subject = await startSubject(version, resources, { group, port: egressPort })
		const odd = ['S0.Apps.LOCAL', 's0.apps.local:80', 's0.apps.local:81', 'none.apps.local', 'direct.apps.local']
		const seen = await expectAgreement(subject, [...services, ...odd])
		expect(seen.get('forwarded')).toBeGreaterThan(200)
		for (const name of ['route0', 'route1', 'route2', '-']) expect([...seen.keys()]).toContain(`forwarded by ${name}`)
	})

	test('in by a gateway and out again', async () => {
		const [port = 0, egressPort = 0] = await freePorts(proxyAddress, 2)
		const parts = fc.record({
			parts: gatewayParts,
			priority: fc.constantFrom(1, 2, 1001),
			service: fc.constantFrom(...services, ...services.filter((_, index) => index % 2 === 0)),
			hostRewrite: fc.constantFrom('virtualService' as const, 'none' as const),
		})
		const routes = fc.sample(parts, { numRuns: count(24, 100), seed: seed() })
		/** Most routes are for one of a few hosts, so that none takes the requests of all the others. */
		const hosts = Array.from({ length: 8 }, (_, index) => `g${index}.example`)
		const resources: BriefResource[] = [
			...generatedServices(),
			{ kind: 'VirtualGateway', name: 'edge', listeners: [{ port, protocol: 'http' }] },
			...routes.map(({ parts: { match, pathRewrite }, service, priority, hostRewrite }, at): BriefResource => {
				const host = hosts[at % 10]
				const hostname = host === undefined ? match.hostname : ({ kind: 'exact', value: host } as const)
				const spec = { match: { ...match, hostname }, pathRewrite, priority, hostRewrite }
				return { kind: 'GatewayRoute', name: `gateway${at}`, gateway: 'edge', service, spec }
			}),
		]
		const capture = {
			mode: 'explicit',
			bind: proxyAddress,
			egressPort,
			app: { address: '127.0.0.1', port: null },
		} as const
		const group = fixtureGroup('edge', capture, 'virtualGateway')
		await using subject = await startSubject(version, resources, { group, port })
		const odd = ['shop.example', 'SHOP.example:8080', 'p.example', 'G0.example:1', 'other', 's0.apps.local', '.example']
		const seen = await expectAgreement(subject, [...hosts, ...hosts, ...odd])
		expect(seen.get('forwarded')).toBeGreaterThan(40)
		expect([...seen.keys()].filter((way) => way.includes(' after ')).length).toBeGreaterThan(1)
	})
})
