import { describe, expect, test } from 'vitest'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh } from '#mesh/mesh.ts'
import type { VirtualNodeListener } from '#mesh/proxy-spec.ts'
import { planChanges } from '#plan/plan-changes.ts'
import { type BriefResource, fixtureResource, plainListener } from '../../fixtures/mesh-fixture.ts'

/** A calls B through a router; a gateway leads to G, which no virtual node calls. Later resources replace earlier ones. */
function meshOf(...change: BriefResource[]): Mesh {
	return composeMesh(
		Object.fromEntries([...usual, ...change].map(fixtureResource).map((resource) => [resource.id, resource])),
	)
}

const usual: readonly BriefResource[] = [
	{ kind: 'Mesh' },
	{ kind: 'VirtualNode', name: 'A', backends: ['b.local'] },
	{ kind: 'VirtualNode', name: 'B' },
	{ kind: 'VirtualNode', name: 'Idle' },
	{ kind: 'VirtualRouter', name: 'B' },
	{ kind: 'VirtualService', name: 'b.local', router: 'B' },
	{ kind: 'Route', router: 'B', name: 'B', targets: { B: 1 } },
	{ kind: 'VirtualNode', name: 'G' },
	{ kind: 'VirtualRouter', name: 'G' },
	{ kind: 'VirtualService', name: 'g.local', router: 'G' },
	{ kind: 'Route', router: 'G', name: 'G', targets: { G: 1 } },
	{ kind: 'VirtualGateway', name: 'edge' },
	{ kind: 'GatewayRoute', gateway: 'edge', name: 'g', service: 'g.local' },
]
const before = meshOf()

/** `replace B: reason`. */
function planned(after: Mesh, applied = before): string[] {
	return planChanges(applied, after).changes.map((change) => {
		if (change.kind === 'shift') return `shift ${change.route.split('/').at(-1)}`
		const action = change.kind === 'remove' ? '' : ` ${change.action}`
		const reason = change.kind === 'remove' || change.reason === null ? '' : `: ${change.reason}`
		return `${change.kind}${action} ${change.resource.split('/').at(-1)}${reason}`
	})
}

const node = (name: string, ...listeners: Partial<VirtualNodeListener>[]): BriefResource => ({
	kind: 'VirtualNode',
	name,
	listeners,
})
const healthCheck = {
	protocol: 'http',
	path: '/',
	healthyThreshold: 2,
	unhealthyThreshold: 2,
	intervalMs: 5000,
	timeoutMs: 2000,
} as const
const pool = { maxConnections: 1, maxPendingRequests: null, maxRequests: null }
const accessLog = { path: '/dev/stdout', format: null }
const stats = { statsd: null, prometheus: { address: '0.0.0.0', port: 9000 } }
const tls = {
	mode: 'PERMISSIVE',
	certificate: { kind: 'sds', secretName: 'b' },
	validation: null,
} as const
const clientTls = {
	enforce: false,
	ports: [],
	certificate: null,
	validation: { trust: { kind: 'sds', secretName: 'ca' }, subjectAlternativeNames: [] },
} as const

describe('each part of a virtual node by its name', () => {
	test.for<[string, BriefResource, string]>([
		['pool', node('B', { connectionPool: pool }), 'connectionPool of listener 80 of a live virtual node changes'],
		['health check', node('B', { healthCheck }), 'healthCheck of listener 80 of a live virtual node changes'],
		[
			'two parts',
			node('B', { connectionPool: pool, timeout: { perRequestMs: 1, idleMs: null } }),
			'timeout of listener 80, connectionPool of listener 80 of a live virtual node change',
		],
		['another listener', node('B', {}, { port: 81 }), 'listener 81 of a live virtual node is added'],
		[
			'a listener for another',
			node('B', { port: 81 }),
			'listener 81 of a live virtual node is added; listener 80 is removed',
		],
		[
			'protocol',
			node('B', { protocol: 'http' }),
			'protocol of listener 80 of a live virtual node changes; the application must take http on port 80 by now',
		],
		['tls', node('B', { tls }), 'tls of listener 80 of a live virtual node changes'],
		[
			'tls that becomes a demand',
			node('B', { tls: { ...tls, mode: 'STRICT' } }),
			'tls of listener 80 of a live virtual node changes; whoever calls port 80 from outside the mesh must speak TLS by now',
		],
		['log', { ...node('B', {}), settings: { accessLog } } as BriefResource, 'accessLog of a live virtual node changes'],
		[
			'endpoints',
			{
				kind: 'VirtualNode',
				name: 'B',
				discovery: { kind: 'static', endpoints: [{ address: '10.0.0.1', port: null }] },
			},
			'serviceDiscovery of a live virtual node changes',
		],
		[
			'a node behind a gateway only',
			node('G', { connectionPool: pool }),
			'connectionPool of listener 80 of a live virtual node changes',
		],
		[
			'log and statistics',
			{ ...node('B', {}), settings: { accessLog, stats } } as BriefResource,
			'accessLog of a live virtual node changes; stats with the next bootstrap',
		],
	])('%s', ([, change, reason]) => {
		expect(planned(meshOf(change))).toEqual([expect.stringMatching(/^replace change [BG]: /)])
		expect(planned(meshOf(change))[0]?.slice('replace change B: '.length)).toBe(reason)
	})

	test('backends and their policies are felt by the proxies of the node, live or not', () => {
		const idle = (backends: NonNullable<Extract<BriefResource, { kind: 'VirtualNode' }>['backends']>) =>
			meshOf({ kind: 'VirtualNode', name: 'Idle', backends })
		expect(planned(idle(['b.local']))).toEqual(['replace change Idle: backend b.local of its own proxies is added'])
		expect(planned(idle([{ service: 'b.local', clientTls, egressPort: 5 }]), idle(['b.local']))).toEqual([
			'replace change Idle: client policy of backend b.local, egressPort of backend b.local of its own proxies change',
		])
	})

	test('what only callers carry out is felt by nobody where no route leads', () => {
		expect(planned(meshOf(node('Idle', { healthCheck })))).toEqual(['prepare change Idle'])
		expect(planned(meshOf(node('Idle', { connectionPool: pool })))).toEqual([
			'replace change Idle: connectionPool of listener 80 of its own proxies changes',
		])
	})

	test('statistics wait for a bootstrap, and change no running proxy', () => {
		const after = meshOf({ kind: 'VirtualNode', name: 'B', settings: { stats } })
		expect(planned(after)).toEqual(['prepare change B: stats with the next bootstrap'])
		expect(planned(meshOf({ kind: 'Mesh', spec: { stats } }))).toEqual([
			'prepare change apps: stats with the next bootstrap',
		])
	})
})

describe('gateways', () => {
	const gateway = (listener: Partial<VirtualNodeListener>): BriefResource => {
		const { port: _, protocol: __, timeout: ___, outlierDetection: ____, ...own } = { ...plainListener, ...listener }
		return { kind: 'VirtualGateway', name: 'edge', listeners: [own] }
	}
	const route = (name: string, change: object = {}): BriefResource => ({
		kind: 'GatewayRoute',
		gateway: 'edge',
		name,
		service: 'g.local',
		spec: change,
	})

	test.for<[string, Mesh, string[]]>([
		[
			'its pool',
			meshOf(gateway({ connectionPool: pool })),
			['replace change edge: connectionPool of listener 8080 of a live virtual gateway changes'],
		],
		['its health check is run by nobody', meshOf(gateway({ healthCheck })), ['prepare change edge']],
		[
			'its client policy',
			meshOf({ kind: 'VirtualGateway', name: 'edge', spec: { clientTls } }),
			['replace change edge: client policy of a live virtual gateway changes'],
		],
		[
			'a new route of it',
			meshOf(route('more')),
			[
				'replace add more: a new gateway route of a live virtual gateway takes requests that others took before, or none',
			],
		],
		[
			'a changed route of it',
			meshOf(route('g', { priority: 3, match: { method: 'GET' } })),
			['replace change g: priority, match (method) of a live gateway route change'],
		],
		[
			'a new gateway with its route',
			meshOf(
				{ kind: 'VirtualGateway', name: 'other' },
				{ kind: 'GatewayRoute', gateway: 'other', name: 'o', service: 'g.local' },
			),
			['prepare add other', 'prepare add o'],
		],
	])('%s', ([, after, expected]) => {
		expect(planned(after)).toEqual(expected)
	})

	test('a route that goes is felt, one that goes with its gateway is not', () => {
		const without = (kinds: readonly string[]) =>
			composeMesh(Object.fromEntries(Object.entries(before.resources).filter(([, { kind }]) => !kinds.includes(kind))))
		expect(planned(without(['GatewayRoute']))).toEqual([
			'replace remove g: its requests fall to the next matching gateway route, or find none',
		])
		expect(planned(without(['GatewayRoute', 'VirtualGateway']))).toEqual(['remove edge', 'remove g'])
	})
})

describe('meshes, routers and routes', () => {
	const route = (spec: Extract<BriefResource, { kind: 'Route' }>['spec'], name = 'B') =>
		meshOf({ kind: 'Route', router: name, name, targets: { [name]: 1 }, ...(spec === undefined ? {} : { spec }) })

	test.for<[string, Mesh, string[]]>([
		[
			'the mesh',
			meshOf({ kind: 'Mesh', spec: { egressFilter: 'ALLOW_ALL', accessLog } }),
			['replace change apps: egressFilter, accessLog of every proxy of the mesh change'],
		],
		[
			'a router',
			meshOf({
				kind: 'VirtualRouter',
				name: 'B',
				listeners: [
					{ port: 80, protocol: 'http2' },
					{ port: 81, protocol: 'tcp' },
				],
			}),
			['replace change B: listener 81 of a live virtual router is added'],
		],
		[
			'the match of a route',
			route({ match: { method: 'GET', port: 80 } }),
			['replace change B: match (method, port) of a live route changes'],
		],
		[
			'another kind of match',
			route({ protocol: 'tcp', match: { kind: 'tcp', port: null } }),
			['replace change B: protocol, match of a live route change'],
		],
		[
			'gRPC, behind a gateway',
			route(
				{ protocol: 'grpc', match: { kind: 'grpc', serviceName: 's', methodName: null, metadata: [], port: null } },
				'G',
			),
			['replace change G: protocol, match of a live route change'],
		],
	])('%s', ([, after, expected]) => {
		expect(planned(after)).toEqual(expected)
	})

	test('weights of a TCP route shift in two steps, unless a policy says otherwise', () => {
		const tcp = (targets: Record<string, number>) =>
			meshOf(
				{ kind: 'VirtualNode', name: 'B2' },
				{
					kind: 'Route',
					router: 'B',
					name: 'B',
					targets,
					spec: { protocol: 'tcp', match: { kind: 'tcp', port: null } },
				},
			)
		const { changes } = planChanges(tcp({ B: 1 }), tcp({ B2: 1 }))
		expect(changes).toMatchObject([{ kind: 'shift', policy: { steps: [{ sharePpm: 100_000 }] } }])
	})
})

describe('when what both ends must agree on changes', () => {
	const whenOf = (after: Mesh, applied = before) =>
		planChanges(applied, after).changes.map((change) => (change.kind === 'replace' ? change.when : change.kind))
	const strict = { ...tls, mode: 'STRICT' } as const
	const secured = meshOf(node('B', { tls: strict }))

	test.for<[string, BriefResource]>([
		['TLS', node('B', { tls })],
		['a listener that goes', node('B', { port: 81 })],
		['the protocol', node('B', { protocol: 'tcp' })],
		['another part beside it', node('B', { protocol: 'tcp', connectionPool: pool })],
		['a client policy', { kind: 'VirtualNode', name: 'A', backends: [{ service: 'b.local', clientTls }] }],
		['the client policy of a gateway', { kind: 'VirtualGateway', name: 'edge', spec: { clientTls } }],
		['the family of addresses', { kind: 'VirtualNode', name: 'B', dns: { ipPreference: 'IPv6_ONLY' } }],
		['that of all nodes', { kind: 'Mesh', spec: { ipPreference: 'IPv6_ONLY' } }],
	])('%s', ([, after]) => {
		expect(whenOf(meshOf(after))).toEqual(['confirmed'])
	})

	test.for<[string, BriefResource]>([
		['another listener', node('B', {}, { port: 81 })],
		['limits', node('B', { connectionPool: pool })],
		['a name that nobody asks a certificate for', { kind: 'VirtualNode', name: 'B', dns: { hostname: 'b2' } }],
		['a gateway’s own listener', { kind: 'VirtualGateway', name: 'edge', listeners: [{ tls: strict }] }],
	])('%s is changed at once', ([, after]) => {
		expect(whenOf(meshOf(after))).toEqual(['atOnce'])
	})

	test('a name, where callers may ask for it in a certificate', () => {
		const moved: BriefResource = {
			kind: 'VirtualNode',
			name: 'B',
			listeners: [{ tls: strict }],
			dns: { hostname: 'b2' },
		}
		expect(whenOf(meshOf(moved), secured)).toEqual(['confirmed'])
	})
})
