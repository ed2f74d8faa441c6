// The promise on which everything after the compiler rests: equal keys build equal bytes. Pairs of meshes are drawn from
// so few values that most of their resources are alike, and some differ in one thing.
import { toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Capture, type CompiledResource, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { resourceId } from '#mesh/mesh.ts'
import type { Certificate, ClientTls, ListenerTls, ServiceDiscovery, TlsValidation, Trust } from '#mesh/proxy-spec.ts'
import {
	type BriefDiscovered,
	type CompileInput,
	compileInput,
	explicitCapture,
	readable,
} from '../fixtures/compile-fixture.ts'
import type { BriefResource } from '../fixtures/mesh-fixture.ts'

type Drawn<Value> = Value extends fc.Arbitrary<infer Inside> ? Inside : never

const timeout = fc.constantFrom(
	{ perRequestMs: null, idleMs: null },
	{ perRequestMs: 1000, idleMs: null },
	{ perRequestMs: null, idleMs: 0 },
)
const protocol = fc.constantFrom('http' as const, 'http2' as const, 'grpc' as const, 'tcp' as const)
const port = fc.constantFrom(80, 8080)

const certificate = fc.constantFrom<Certificate[]>(
	{ kind: 'file', certificateChain: '/chain.pem', privateKey: '/key.pem' },
	{ kind: 'file', certificateChain: '/other.pem', privateKey: '/key.pem' },
	{ kind: 'sds', secretName: 'own' },
	{ kind: 'acm', certificateArn: 'arn:aws:acm:eu-west-1:111122223333:certificate/own' },
)
const trust = fc.constantFrom<Trust[]>(
	{ kind: 'file', certificateChain: '/ca.pem' },
	{ kind: 'sds', secretName: 'own' },
	{ kind: 'acm', certificateAuthorityArns: ['arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/own'] },
)
const validation: fc.Arbitrary<TlsValidation> = fc.record({
	trust,
	subjectAlternativeNames: fc.constantFrom<string[][]>([], ['web.apps.local'], ['spiffe://apps/web']),
})
const tls: fc.Arbitrary<ListenerTls | null> = fc.option(
	fc.record({
		mode: fc.constantFrom('STRICT', 'PERMISSIVE', 'DISABLED'),
		certificate,
		validation: fc.option(validation, { freq: 2 }),
	}),
	{ freq: 2 },
)
const clientTls: fc.Arbitrary<ClientTls | null> = fc.option(
	fc.record({
		enforce: fc.boolean(),
		ports: fc.constantFrom<number[][]>([], [80]),
		certificate: fc.option(certificate, { freq: 2 }),
		validation,
	}),
	{ freq: 2 },
)
const healthCheck = fc.constantFrom(null, {
	protocol: 'http' as const,
	path: '/ready',
	healthyThreshold: 2,
	unhealthyThreshold: 2,
	intervalMs: 5000,
	timeoutMs: 2000,
})
const outlierDetection = fc.constantFrom(null, {
	maxServerErrors: 1,
	intervalMs: 0,
	baseEjectionDurationMs: 10,
	maxEjectionPercent: 50,
})
const connectionPool = fc.constantFrom(null, { maxConnections: 1, maxPendingRequests: null, maxRequests: null })
const routerListeners = fc.uniqueArray(fc.record({ port, protocol }), { selector: (each) => each.port, maxLength: 2 })
const listeners = fc.uniqueArray(
	fc.record({ port, protocol, timeout, tls, healthCheck, outlierDetection, connectionPool }),
	{ selector: (each) => each.port, minLength: 1, maxLength: 2 },
)
const ipPreference = fc.constantFrom(null, 'IPv4_ONLY' as const, 'IPv6_PREFERRED' as const)
const responseType = fc.constantFrom('LOADBALANCER' as const, 'ENDPOINTS' as const)
const hostname = fc.constantFrom('one.local', 'two.local')
const cloudMap = { kind: 'awsCloudMap' as const, namespaceName: 'apps', serviceName: 'one', attributes: [] }
const discovery: fc.Arbitrary<ServiceDiscovery> = fc.oneof(
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant('dns' as const), hostname, responseType, ipPreference }) },
	{ weight: 3, arbitrary: ipPreference.map((preference) => ({ ...cloudMap, ipPreference: preference })) },
	{
		weight: 1,
		arbitrary: fc.constantFrom<ServiceDiscovery[]>(
			{ kind: 'static', endpoints: [{ address: '10.0.0.1', port: null }] },
			{ kind: 'static', endpoints: [{ address: '10.0.0.1', port: 81 }] },
		),
	},
)
const services = ['direct.local', 'routed.local']

const accessLog = fc.constantFrom(
	null,
	{ path: '/dev/stdout', format: null },
	{ path: '/log', format: { kind: 'text' as const, text: 'a' } },
	{ path: '/log', format: { kind: 'json' as const, members: [{ key: 'a', value: 'b' }] } },
)
const collector = { address: '127.0.0.1', port: 1 }
const tracing = fc.constantFrom(
	null,
	{ samplingPpm: 1, provider: { kind: 'openTelemetry' as const, collector, serviceName: null } },
	{ samplingPpm: 1, provider: { kind: 'openTelemetry' as const, collector, serviceName: 'web' } },
	{ samplingPpm: 2, provider: { kind: 'datadog' as const, collector, serviceName: null } },
	{
		samplingPpm: 2,
		provider: { kind: 'xray' as const, daemon: collector, segmentName: null, samplingRuleManifest: null },
	},
)
const settings = fc.record({ accessLog, tracing })
const mesh = fc.record({
	egressFilter: fc.constantFrom('ALLOW_ALL' as const, 'DROP_ALL' as const),
	ipPreference,
	accessLog,
	tracing,
})
const retryPolicy = fc.constantFrom(null, {
	maxRetries: 1,
	perRetryTimeoutMs: 10,
	httpRetryEvents: ['gateway-error' as const],
	tcpRetryEvents: [],
	grpcRetryEvents: ['internal' as const],
})
const path = fc.constantFrom({ kind: 'prefix' as const, prefix: '/' }, { kind: 'exact' as const, path: '/' })
const queryParameters = fc.constantFrom([], [{ name: 'q', exact: null }])
const match = fc.record({
	path,
	method: fc.constantFrom(null, 'GET'),
	queryParameters,
	port: fc.constantFrom(null, 80),
})
const targets = fc.constantFrom<Record<string, number>[]>(
	{ v1: 1 },
	{ v1: 1, v2: 1 },
	{ v1: 1, v2: 0 },
	{ 'v1:8080': 1 },
)
const provider = fc.constantFrom({ node: 'v1' }, { router: 'r' }, {})
const routes = fc.record({ match, retryPolicy, timeout, targets, priority: fc.nat(1), tcp: targets })

const target = fc.constantFrom(
	{ virtualService: resourceId.virtualService('apps', 'direct.local'), port: null },
	{ virtualService: resourceId.virtualService('apps', 'routed.local'), port: null },
	{ virtualService: resourceId.virtualService('apps', 'routed.local'), port: 80 },
)
const gatewayRoute = fc.record({
	match: fc.record({
		path,
		hostname: fc.constantFrom(null, { kind: 'exact' as const, value: 'a.b' }),
		port: fc.constantFrom(null, 8080),
	}),
	hostRewrite: fc.constantFrom('virtualService' as const, 'none' as const),
	pathRewrite: fc.constantFrom({ kind: 'none' as const }, { kind: 'prefix' as const, prefix: '/x' }),
	target,
	priority: fc.nat(1),
})
const gatewayProtocol = fc.constantFrom('http' as const, 'http2' as const)
const gatewayListener = fc.record({ port, protocol: gatewayProtocol, tls, connectionPool })
const gateway = fc.record({
	listeners: fc.uniqueArray(gatewayListener, { selector: (each) => each.port, minLength: 1, maxLength: 2 }),
	spec: fc.record({ accessLog, tracing, clientTls }),
	routes: fc.array(gatewayRoute, { maxLength: 2 }),
})

const answered = { namespaceName: 'apps', serviceName: 'one' }
const endpoint = { ipv4: '10.0.0.1', ipv6: '::1', zone: 'a' }

const routeX = resourceId.route('apps', 'r', 'x')

const tester = {
	kind: 'http' as const,
	headers: [{ name: 'x-tester', invert: false, match: { kind: 'present' as const } }],
	queryParameters: [{ name: 'beta', exact: null }],
}

/** Everything that a compilation is made from, each by itself. */
const members = {
	mesh,
	settings,
	discovery1: discovery,
	discovery2: discovery,
	own: fc.oneof(listeners, fc.constant([])),
	l1: listeners,
	l2: listeners,
	routes,
	provider,
	backends: fc.subarray(services),
	egressPort: fc.constantFrom(null, 1234, 8080),
	clientTls,
	router: routerListeners,
	gateway,
	proxy: fc.constantFrom(
		{ proxy: 'web', kind: 'virtualNode' as const },
		{ proxy: 'edge', kind: 'virtualGateway' as const },
	),
	capture: fc.constantFrom<Capture[]>(
		explicitCapture,
		{ ...explicitCapture, bind: '127.0.0.12' },
		{ ...explicitCapture, egressPort: 15_002 },
		{ ...explicitCapture, app: { address: '127.0.0.22', port: null } },
		{ mode: 'intercept' },
	),
	secrets: fc.constantFrom('daemon' as const, 'socket' as const),
	clones: fc.constantFrom<NonNullable<CompileInput['clones']>[]>(
		{},
		{ [routeX]: { targets: ['v1', 'v2'], standing: 'beside' } },
		{ [routeX]: { targets: ['v1', 'v2'], standing: 'routed' } },
	),
	fronts: fc.constantFrom<NonNullable<CompileInput['fronts']>[]>(
		{},
		{ [routeX]: { matches: [tester], shares: { v2: 1_000_000 }, standing: 'beside' } },
		{ [routeX]: { matches: [tester], shares: { v2: 1_000_000 }, standing: 'routed' } },
		{ [routeX]: { matches: [tester, { ...tester, headers: [] }], shares: { v1: 1, v2: 999_999 }, standing: 'routed' } },
	),
	mirrors: fc.constantFrom<NonNullable<CompileInput['mirrors']>[]>(
		{},
		{ [routeX]: { v2: 100_000 } },
		{ [routeX]: { v1: 50_000, v2: 100_000 } },
	),
	sticky: fc.constantFrom<NonNullable<CompileInput['sticky']>[]>(
		{},
		{ [routeX]: { by: { kind: 'header', name: 'x-user' }, order: ['v1', 'v1:8080', 'v2'] } },
		{ [routeX]: { by: { kind: 'header', name: 'x-user' }, order: ['v2', 'v1', 'v1:8080'] } },
		{ [routeX]: { by: { kind: 'header', name: 'session' }, order: ['v1', 'v1:8080', 'v2'] } },
		{ [routeX]: { by: { kind: 'cookie', name: 'session' }, order: ['v1', 'v1:8080', 'v2'] } },
	),
	discovered: fc.constantFrom<BriefDiscovered[]>(
		{},
		{ secrets: { own: ['certificate', 'authorities'] }, cloudMap: [{ ...answered, endpoints: [endpoint] }] },
		{ secrets: { own: ['certificate'] }, cloudMap: [{ ...answered, endpoints: [] }] },
		{ cloudMap: [{ ...answered, endpoints: [endpoint, { ...endpoint, ipv4: '10.0.0.2' }] }] },
	),
}
const drawn = fc.record(members)

const names = Object.keys(members)
const picked = fc.array(fc.nat(3), { minLength: names.length, maxLength: names.length })

/** Three inputs, each of whose members is one of the same two. */
const inputs: fc.Arbitrary<CompileInput[]> = fc
	.tuple(drawn, drawn, fc.array(picked, { minLength: 3, maxLength: 3 }))
	.map(([one, other, picks]) =>
		picks.map((pick) => {
			const mixed = names.map((name, index) => [name, Reflect.get(pick[index] === 0 ? other : one, name)])
			return inputOf(Object.fromEntries(mixed) as Drawn<typeof drawn>)
		}),
	)

function inputOf({
	proxy,
	capture,
	secrets,
	clones,
	fronts,
	mirrors,
	sticky,
	discovered,
	...written
}: Drawn<typeof drawn>): CompileInput {
	return { ...proxy, capture, secrets, clones, fronts, mirrors, sticky, discovered, resources: resourcesOf(written) }
}

type Written = Omit<
	Drawn<typeof drawn>,
	'proxy' | 'capture' | 'secrets' | 'clones' | 'fronts' | 'mirrors' | 'sticky' | 'discovered'
>

function resourcesOf({ gateway, egressPort, clientTls, ...written }: Written): BriefResource[] {
	const backends = written.backends.map((service) => ({ service, egressPort, clientTls }))
	return [
		{ kind: 'Mesh', spec: written.mesh },
		{ kind: 'VirtualNode', name: 'web', listeners: written.own, backends, settings: written.settings },
		{ kind: 'VirtualNode', name: 'v1', listeners: written.l1, discovery: written.discovery1 },
		{ kind: 'VirtualNode', name: 'v2', listeners: written.l2, discovery: written.discovery2 },
		{ kind: 'VirtualService', name: 'direct.local', ...written.provider },
		{ kind: 'VirtualService', name: 'routed.local', router: 'r' },
		{ kind: 'VirtualRouter', name: 'r', listeners: written.router },
		...routesOf(written.routes),
		{ kind: 'VirtualGateway', name: 'edge', listeners: gateway.listeners, spec: gateway.spec },
		...gateway.routes.map((spec, index): BriefResource => {
			return { kind: 'GatewayRoute', name: `g${index}`, gateway: 'edge', service: 'direct.local', spec }
		}),
	]
}

function routesOf({ targets, tcp, ...spec }: Drawn<typeof routes>): BriefResource[] {
	const rpc = { kind: 'grpc', serviceName: 'a.B', methodName: null, metadata: [], port: null } as const
	return [
		{ kind: 'Route', name: 'x', router: 'r', targets, spec },
		{ kind: 'Route', name: 'y', router: 'r', targets: { v2: 1 } },
		{ kind: 'Route', name: 'g', router: 'r', targets, spec: { ...spec, match: rpc } },
		{ kind: 'Route', name: 't', router: 'r', targets: tcp, spec: { ...spec, match: { kind: 'tcp', port: null } } },
	]
}

const bytesOf = (resource: CompiledResource) => {
	const { schema, message } = resource.build()
	return Buffer.from(toBinary(schema, message)).toString('base64')
}

test('equal keys build equal bytes, whatever else differs', () => {
	const alike = new Map<TypeUrl, number>()
	fc.assert(
		fc.property(inputs, (drawnInputs) => {
			const bytes = new Map<string, string>()
			for (const input of drawnInputs) {
				for (const resource of compileInput(input)) {
					const key = `${resource.typeUrl} ${resource.name} ${resource.key}`
					const built = bytesOf(resource)
					if (bytes.has(key)) alike.set(resource.typeUrl, (alike.get(resource.typeUrl) ?? 0) + 1)
					expect(bytes.get(key) ?? built).toBe(built)
					bytes.set(key, built)
				}
			}
		}),
		{ numRuns: 200 },
	)
	const counted = Object.entries(typeUrls).map(([type, url]) => ({ type, count: alike.get(url) ?? 0 }))
	expect(counted.filter(({ count }) => count === 0)).toEqual([])
})

/** Name of a secret or of routes → the ways in which resources of one proxy ask for it on the stream of all else. */
function waysToAsk(value: unknown, found = new Map<string, string[]>()): Map<string, string[]> {
	if (typeof value !== 'object' || value === null) return found
	const { name, sds_config, route_config_name, config_source } = value as Readonly<Record<string, unknown>>
	const asked = sds_config === undefined ? `routes ${route_config_name}` : `secret ${name}`
	const way = JSON.stringify(sds_config ?? config_source)
	if (way?.includes('"ads"')) found.set(asked, [...(found.get(asked) ?? []), way])
	for (const inside of Object.values(value)) waysToAsk(inside, found)
	return found
}

/** Its clusters and its listeners name one certificate and one trust. */
function withSharedNames(one: Drawn<typeof drawn>): Drawn<typeof drawn> {
	const own = { kind: 'sds' as const, secretName: 'own' }
	const named = { certificate: own, validation: { trust: own, subjectAlternativeNames: [] } }
	const clientTls = { enforce: true, ports: [], ...named }
	const behindTls = <Listener>(all: readonly Listener[]) =>
		all.map((each) => ({ ...each, tls: { mode: 'STRICT' as const, ...named } }))
	const { gateway, own: listeners } = one
	return {
		...one,
		secrets: 'daemon',
		backends: services,
		clientTls,
		own: behindTls(listeners),
		gateway: { ...gateway, listeners: behindTls(gateway.listeners), spec: { ...gateway.spec, clientTls } },
	}
}

// Envoy asks once for a name, and tells a second watcher of it, which other words make, nothing of what the first heard.
test('what resources of one proxy ask for by one name, they ask for in the same words', () => {
	let shared = 0
	fc.assert(
		fc.property(drawn.map(withSharedNames), (one) => {
			for (const [asked, ways] of waysToAsk(compileInput(inputOf(one)).map(readable))) {
				if (ways.length > 1) shared += 1
				expect({ asked, ways: new Set(ways).size }).toEqual({ asked, ways: 1 })
			}
		}),
		{ numRuns: 100 },
	)
	expect(shared).toBeGreaterThan(0)
})
