import { describe, expect, test } from 'vitest'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh } from '#mesh/mesh.ts'
import type {
	Certificate,
	ClientTls,
	ListenerTls,
	TlsValidation,
	Trust,
	VirtualNodeListener,
} from '#mesh/proxy-spec.ts'
import { findTraps } from '#plan/find-traps.ts'
import { splitOfWeights } from '#plan/split.ts'
import { type BriefResource, fixtureResource, fixtureTarget } from '../../fixtures/mesh-fixture.ts'

const file = (name: string): Certificate => ({ kind: 'file', certificateChain: name, privateKey: `${name}.key` })
const trusts = (name: string): Trust => ({ kind: 'file', certificateChain: name })
const checks = (name: string, names: readonly string[] = ['b']): TlsValidation => ({
	trust: trusts(name),
	subjectAlternativeNames: names,
})
const tls = (mode: ListenerTls['mode'], change: Partial<ListenerTls> = {}): ListenerTls => ({
	mode,
	certificate: file('b'),
	validation: null,
	...change,
})
const policy = (change: Partial<ClientTls> = {}): ClientTls => ({
	enforce: true,
	ports: [],
	certificate: null,
	validation: checks('ca'),
	...change,
})

/** A calls the router B, whose route leads to B:80; a gateway calls it too when it is written. */
function meshOf(
	options: {
		readonly b?: readonly Partial<VirtualNodeListener>[]
		readonly clientTls?: ClientTls | null
		readonly targets?: Record<string, number>
	},
	...more: BriefResource[]
): Mesh {
	const { b = [{}], clientTls = null, targets = { B: 1 } } = options
	const briefs: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'A', backends: [{ service: 'b.local', clientTls }] },
		{ kind: 'VirtualNode', name: 'B', listeners: b },
		{ kind: 'VirtualNode', name: 'B2' },
		{ kind: 'VirtualRouter', name: 'B' },
		{ kind: 'VirtualService', name: 'b.local', router: 'B' },
		{ kind: 'Route', router: 'B', name: 'B', targets },
		...more,
	]
	return composeMesh(Object.fromEntries(briefs.map(fixtureResource).map((resource) => [resource.id, resource])))
}

const found = (before: Mesh, after: Mesh) =>
	findTraps(before, after).map(({ code, resource, callers }) => `${code} ${resource.split('/').at(-1)} ${callers}`)

const plain = meshOf({})
const strict = meshOf({ b: [{ tls: tls('STRICT') }] })
const permissive = meshOf({ b: [{ tls: tls('PERMISSIVE') }] })
const disabled = meshOf({ b: [{ tls: tls('DISABLED') }] })
const checked = meshOf({ b: [{ tls: tls('STRICT') }], clientTls: policy() })
const mutual = meshOf({
	b: [{ tls: tls('STRICT', { validation: checks('ca-a', []) }) }],
	clientTls: policy({ certificate: file('a') }),
})

describe('the TLS mode of a live listener', () => {
	test.for<[string, Mesh, Mesh, string[]]>([
		['begins', plain, strict, ['SL0410 B A']],
		['begins, from DISABLED', disabled, strict, ['SL0410 B A']],
		['ends', strict, plain, ['SL0410 B A']],
		['ends, to DISABLED', strict, disabled, ['SL0410 B A']],
		// A caller without a policy takes the offer up: App Mesh's rule.
		['is offered', plain, permissive, ['SL0410 B A']],
		['is offered no longer', permissive, plain, ['SL0410 B A']],
		['becomes a demand, to callers that speak it already', permissive, strict, []],
		['becomes an offer', strict, permissive, []],
		['is switched off that was not there', plain, disabled, []],
		['begins with a policy that wants it', plain, checked, ['SL0410 B A']],
	])('%s', ([, before, after, expected]) => {
		expect(found(before, after)).toEqual(expected)
	})

	test('says where, why and the way', () => {
		const [trap] = findTraps(plain, strict)
		expect(trap).toMatchObject({
			pointers: ['/spec/listeners/0/tls', '/spec/listeners/0', '/spec/listeners', '/spec'],
			what: 'tls.mode of listener 80 of B goes from DISABLED to STRICT',
			way: expect.stringContaining('second listener'),
		})
	})

	test('breaks nobody where nobody sends traffic', () => {
		const idle = (b: readonly Partial<VirtualNodeListener>[]) => meshOf({ b, targets: { B: 0, B2: 1 } })
		expect(found(idle([{}]), idle([{ tls: tls('STRICT') }]))).toEqual([])
		const rising = splitOfWeights([{ ...fixtureTarget('B'), weight: 1 }])
		const codes = (after: Mesh) => findTraps(idle([{}]), after, () => rising).map(({ code }) => code)
		const b = [{ tls: tls('STRICT') }]
		expect(codes(meshOf({ b, targets: { B: 1, B2: 1 } })), 'a rollout sends it some').toEqual(['SL0410'])
		expect(codes(meshOf({ b, targets: { B: 0, B2: 1 } })), 'a rollout did, and goes back').toEqual([])
	})

	test('is new on another port: make before break', () => {
		const both = meshOf({ b: [{}, { port: 8443, tls: tls('STRICT') }] })
		const moved = meshOf({ b: [{}, { port: 8443, tls: tls('STRICT') }], targets: { 'B:8443': 1 } })
		const done = meshOf({ b: [{ port: 8443, tls: tls('STRICT') }], targets: { 'B:8443': 1 } })
		expect([found(plain, both), found(both, moved), found(moved, done)]).toEqual([[], [], []])
	})

	test('catches a gateway and a direct provider too', () => {
		const direct = (own: Partial<VirtualNodeListener>) =>
			meshOf(
				{},
				{ kind: 'VirtualNode', name: 'D', listeners: [own] },
				{ kind: 'VirtualService', name: 'd.local', node: 'D' },
				{ kind: 'VirtualGateway', name: 'edge' },
				{ kind: 'GatewayRoute', gateway: 'edge', name: 'd', service: 'd.local' },
			)
		expect(found(direct({}), direct({ tls: tls('STRICT') }))).toEqual(['SL0410 D edge'])
	})
})

describe('what callers want', () => {
	test.for<[string, Mesh, Mesh, string[]]>([
		['TLS of a server without it', plain, meshOf({ clientTls: policy() }), ['SL0411 A A']],
		['TLS where it is offered: nothing new', plain, meshOf({ clientTls: policy({ enforce: false }) }), []],
		['TLS on another port', plain, meshOf({ clientTls: policy({ ports: [8443] }) }), []],
		['a certificate that they check', strict, checked, []],
		['less: they check no longer', checked, strict, []],
	])('%s', ([, before, after, expected]) => {
		expect(found(before, after)).toEqual(expected)
	})
})

describe('certificates', () => {
	const server = (certificate: string, accepts: string, names?: readonly string[]) =>
		meshOf({
			b: [{ tls: tls('STRICT', { certificate: file(certificate) }) }],
			clientTls: policy({ validation: checks(accepts, names) }),
		})
	const client = (certificate: string, accepts: string) =>
		meshOf({
			b: [{ tls: tls('STRICT', { validation: checks(accepts, []) }) }],
			clientTls: policy({ certificate: file(certificate) }),
		})

	test.for<[string, Mesh, Mesh, string[]]>([
		['of the server alone', server('b', 'ca'), server('b-new', 'ca'), []],
		['trust alone', server('b', 'ca'), server('b', 'ca-both'), []],
		['of the server with the trust', server('b', 'ca'), server('b-new', 'ca-new'), ['SL0412 B A']],
		['of the server with the names', server('b', 'ca', ['b']), server('b-new', 'ca', ['c']), ['SL0412 B A']],
		['of the server, and callers begin to check', strict, server('b-new', 'ca'), ['SL0412 B A']],
		['of clients are asked for', checked, mutual, ['SL0413 B A']],
		[
			'of clients, shown before they are asked for',
			checked,
			meshOf({ b: [{ tls: tls('STRICT') }], clientTls: policy({ certificate: file('a') }) }),
			[],
		],
		[
			'of clients are no longer asked for',
			mutual,
			meshOf({ b: [{ tls: tls('STRICT') }], clientTls: policy({ certificate: file('a') }) }),
			[],
		],
		['of clients, neither asked for nor shown any more', mutual, checked, ['SL0413 A A']],
		['of clients with what the server accepts', client('a', 'ca-a'), client('a-new', 'ca-new'), ['SL0414 B A']],
		['of clients alone', client('a', 'ca-a'), client('a-new', 'ca-a'), []],
		['what the server accepts alone', client('a', 'ca-a'), client('a', 'ca-both'), []],
	])('%s', ([, before, after, expected]) => {
		expect(found(before, after)).toEqual(expected)
	})
})

describe('ports and protocols', () => {
	const direct = (...listeners: Partial<VirtualNodeListener>[]) =>
		meshOf(
			{},
			{ kind: 'VirtualNode', name: 'D', listeners },
			{ kind: 'VirtualService', name: 'd.local', node: 'D' },
			{
				kind: 'VirtualNode',
				name: 'C',
				backends: ['d.local'],
			},
		)
	const router = (...ports: number[]) =>
		meshOf(
			{},
			{
				kind: 'VirtualRouter',
				name: 'B',
				listeners: ports.map((port) => ({ port, protocol: 'http2' })),
			},
		)

	test.for<[string, Mesh, Mesh, string[]]>([
		[
			'a target moves with its listener',
			plain,
			meshOf({ b: [{ port: 8080 }], targets: { 'B:8080': 1 } }),
			['SL0415 B A'],
		],
		['the weights lead away first', plain, meshOf({ b: [{ port: 8080 }], targets: { B2: 1 } }), []],
		['a provider moves', direct({}), direct({ port: 8080 }), ['SL0415 D C']],
		['a provider gets a second listener', direct({}), direct({}, { port: 8080 }), []],
		['HTTP/1.1 becomes HTTP/2', meshOf({ b: [{ protocol: 'http' }] }), meshOf({ b: [{ protocol: 'http2' }] }), []],
		['HTTP becomes TCP', plain, meshOf({ b: [{ protocol: 'tcp' }] }), ['SL0416 B A']],
		['TCP becomes gRPC', meshOf({ b: [{ protocol: 'tcp' }] }), meshOf({ b: [{ protocol: 'grpc' }] }), ['SL0416 B A']],
		['a router moves', router(80), router(8080), ['SL0417 B A']],
		['a router listens on one more', router(80), router(80, 8080), []],
		['a router stops on one that is dialled', router(80, 8080), router(80), ['SL0417 B A']],
		[
			'a service gets a provider without its port',
			plain,
			meshOf(
				{},
				{ kind: 'VirtualNode', name: 'B3', listeners: [{ port: 81 }] },
				{ kind: 'VirtualService', name: 'b.local', node: 'B3' },
			),
			['SL0417 b.local A'],
		],
	])('%s', ([, before, after, expected]) => {
		expect(found(before, after)).toEqual(expected)
	})

	test('who stops calling, or is removed, is caught in nothing', () => {
		const alone = meshOf({ b: [{ port: 8080 }], targets: { 'B:8080': 1 } }, { kind: 'VirtualNode', name: 'A' })
		expect(found(plain, alone)).toEqual([])
	})
})

describe('names and addresses', () => {
	const named = (hostname: string, names: readonly string[]) =>
		meshOf(
			{ clientTls: policy({ validation: checks('ca', names) }) },
			{
				kind: 'VirtualNode',
				name: 'B',
				listeners: [{ tls: tls('STRICT') }],
				dns: { hostname },
			},
		)
	const family = (ipPreference: 'IPv6_ONLY' | 'IPv4_PREFERRED' | null) =>
		meshOf({}, { kind: 'Mesh', spec: { ipPreference } })

	test.for<[string, Mesh, Mesh, string[]]>([
		['a host name that is checked', named('b.old', []), named('b.new', []), ['SL0418 B A']],
		['a host name beside names that are checked', named('b.old', ['b']), named('b.new', ['b']), []],
		['a host name without TLS', plain, meshOf({}, { kind: 'VirtualNode', name: 'B', dns: { hostname: 'b.new' } }), []],
		['IPv6 at once', family(null), family('IPv6_ONLY'), ['SL0419 apps A']],
		['IPv6 after servers listen on both', family('IPv4_PREFERRED'), family('IPv6_ONLY'), []],
		['servers listen on both', family(null), family('IPv4_PREFERRED'), []],
		['IPv6 no longer, at once', family('IPv6_ONLY'), family(null), ['SL0419 apps A']],
		['servers listen on IPv4 alone, by which they are called', family('IPv4_PREFERRED'), family(null), []],
	])('%s', ([, before, after, expected]) => {
		expect(found(before, after)).toEqual(expected)
	})
})

describe('one caller, several ways to the same listener', () => {
	const twice = (first: ClientTls | null, second: ClientTls | null, mode: ListenerTls['mode'] = 'STRICT') =>
		meshOf(
			{ b: [{ tls: tls(mode) }] },
			{ kind: 'VirtualService', name: 'c.local', router: 'B' },
			{
				kind: 'VirtualNode',
				name: 'A',
				backends: [
					{ service: 'b.local', clientTls: first },
					{ service: 'c.local', clientTls: second },
				],
			},
		)

	test('the policy that enforces TLS holds for all of them', () => {
		expect(found(twice(null, null, 'DISABLED'), twice(null, policy(), 'DISABLED'))).toEqual(['SL0411 A A'])
		const other = policy({ enforce: false, validation: checks('ca-new') })
		expect(found(twice(policy(), policy()), twice(policy(), other))).toEqual([])
	})
})

test('a certificate of ACM takes its authority along, to callers without a policy', () => {
	const acm = (arn: string) =>
		meshOf({ b: [{ tls: tls('STRICT', { certificate: { kind: 'acm', certificateArn: arn } }) }] })
	expect(found(acm('one'), acm('two'))).toEqual(['SL0412 B A'])
})

describe('a rollout leads to a new listener with TLS', () => {
	const secure = tls('STRICT', { validation: checks('ca-a', []) })
	const b2 = (own = secure): BriefResource => ({
		kind: 'VirtualNode',
		name: 'B2',
		listeners: [{ port: 8443, tls: own }],
	})
	const clientTls = policy({ ports: [8443], certificate: file('a') })
	const prepared = meshOf({ clientTls }, b2())
	const rising = () => splitOfWeights(['B', 'B2:8443'].map((name) => ({ ...fixtureTarget(name), weight: 1 })))
	const during = (desired: Mesh) => findTraps(prepared, desired, rising).map(({ code }) => code)

	test('going back is caught in nothing', () => {
		expect(during(plain)).toEqual([])
		const second = meshOf({ b: [{}, { port: 8081 }] })
		const both = () => splitOfWeights(['B', 'B:8081'].map((name) => ({ ...fixtureTarget(name), weight: 1 })))
		expect(findTraps(second, plain, both)).toEqual([])
	})

	test('what its callers ask for is known by their policies', () => {
		const targets = { B: 1, 'B2:8443': 1 }
		expect(during(meshOf({ clientTls, targets }, b2({ ...secure, certificate: file('b-new') })))).toEqual([])
		const other = { ...clientTls, validation: checks('ca-new') }
		const both = meshOf({ clientTls: other, targets }, b2({ ...secure, certificate: file('b-new') }))
		expect(during(both)).toEqual(['SL0412'])
	})
})

test('who checks no longer takes the certificate that is left', () => {
	expect(found(checked, meshOf({ b: [{ tls: tls('STRICT') }], targets: { B2: 1 } }))).toEqual([])
})

test('what weights leave step by step stays as it is until they have', () => {
	const moved = (accepts: string) =>
		meshOf({
			b: [{ tls: tls('STRICT') }],
			clientTls: policy({ validation: checks(accepts) }),
			targets: { B2: 1 },
		})
	expect(found(checked, moved('ca'))).toEqual([])
	expect(found(checked, moved('ca-of-b2'))).toEqual(['SL0412 B A'])
})
