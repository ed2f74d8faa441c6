import fc from 'fast-check'
import { expect, test } from 'vitest'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh } from '#mesh/mesh.ts'
import type { ClientTls, ListenerTls, VirtualNodeListener } from '#mesh/proxy-spec.ts'
import { concernedCallers } from '#plan/concerned-callers.ts'
import { findTraps, trapsBetween } from '#plan/find-traps.ts'
import { callsOf, type TargetsOf, writtenTargets } from '#plan/live-paths.ts'
import { count, seed } from '../depth.ts'
import { type BriefResource, fixtureResource, fixtureTarget } from '../fixtures/mesh-fixture.ts'

// What works before and after, and is caught in no trap, must also work while one end has changed and the other has
// not. Whether two ends get along is written down here once more, by what TLS does and not by what the finder thinks.

/** One of everything that two ends must agree on. */
type World = {
	readonly listeners: readonly VirtualNodeListener[]
	readonly clientTls: ClientTls | null
	/** Ports of B that have a weight. */
	readonly targets: readonly number[]
}

const certificates = ['one', 'two'] as const
const file = (name: string) => ({ kind: 'file', certificateChain: name, privateKey: name }) as const
/** A trust is named after the certificates that it accepts. */
const validation = fc.constantFrom('one', 'two', 'one two').map((name) => ({
	trust: { kind: 'file', certificateChain: name } as const,
	subjectAlternativeNames: ['b'],
}))
const tls = fc.record<ListenerTls>({
	mode: fc.constantFrom('STRICT', 'PERMISSIVE', 'DISABLED'),
	certificate: fc.constantFrom(...certificates).map(file),
	validation: fc.option(validation),
})
const listener = (port: number) =>
	fc.record<VirtualNodeListener>({
		port: fc.constant(port),
		protocol: fc.constantFrom('http', 'http2', 'grpc', 'tcp'),
		timeout: fc.constant({ perRequestMs: null, idleMs: null }),
		healthCheck: fc.constant(null),
		outlierDetection: fc.constant(null),
		connectionPool: fc.constant(null),
		tls: fc.option(tls),
	})
const clientTls = fc.record<ClientTls>({
	enforce: fc.boolean(),
	ports: fc.constantFrom([], [80], [81]),
	certificate: fc.option(fc.constantFrom(...certificates).map(file)),
	validation,
})
const world: fc.Arbitrary<World> = fc
	.record({
		listeners: fc.constantFrom([80], [81], [80, 81]).chain((ports) => fc.tuple(...ports.map(listener))),
		clientTls: fc.option(clientTls),
		both: fc.boolean(),
	})
	.map(({ listeners, clientTls, both }) => {
		const ports = listeners.map(({ port }) => port)
		return { listeners, clientTls, targets: both ? ports : ports.slice(0, 1) }
	})

function meshOf({ listeners, clientTls, targets }: World) {
	const briefs: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'A', backends: [{ service: 'b.local', clientTls }] },
		{ kind: 'VirtualNode', name: 'B', listeners },
		{ kind: 'VirtualRouter', name: 'B' },
		{ kind: 'VirtualService', name: 'b.local', router: 'B' },
		{
			kind: 'Route',
			router: 'B',
			name: 'B',
			targets: Object.fromEntries(targets.map((port) => [`B:${port}`, 1])),
		},
	]
	return composeMesh(Object.fromEntries(briefs.map(fixtureResource).map((resource) => [resource.id, resource])))
}

/** Whether a caller that has taken up one world gets through to a server that has taken up another, by these targets. */
function getsThrough(caller: World, server: World, targets: readonly number[]): boolean {
	return targets.every((port) => {
		const known = caller.listeners.find((one) => one.port === port)
		const real = server.listeners.find((one) => one.port === port)
		if (known === undefined || real === undefined) return false
		if ((known.protocol === 'tcp') !== (real.protocol === 'tcp')) return false
		return shakesHands(known, real, caller.clientTls)
	})
}

function shakesHands(known: VirtualNodeListener, real: VirtualNodeListener, policy: ClientTls | null): boolean {
	const isOffered = known.tls !== null && known.tls.mode !== 'DISABLED'
	const isMeant = policy !== null && (policy.ports.length === 0 || policy.ports.includes(known.port))
	const speaksTls = isOffered || (isMeant && policy.enforce)
	const serves = real.tls?.mode ?? 'DISABLED'
	if (!speaksTls) return serves !== 'STRICT'
	if (real.tls === null || serves === 'DISABLED') return false
	if (isMeant && !accepts(policy.validation, real.tls.certificate)) return false
	if (real.tls.validation === null) return true
	return isMeant && policy.certificate !== null && accepts(real.tls.validation, policy.certificate)
}

function accepts({ trust }: ClientTls['validation'], certificate: ListenerTls['certificate']): boolean {
	const accepted = trust.kind === 'file' ? trust.certificateChain.split(' ') : []
	return certificate.kind === 'file' && accepted.includes(certificate.certificateChain)
}

test('what is caught in no trap works while one end has changed and the other has not', () => {
	let tried = 0
	fc.assert(
		fc.property(world, world, fc.subarray(['listeners', 'clientTls', 'targets'] as const), (old, other, changed) => {
			const next = { ...old, ...Object.fromEntries(changed.map((part) => [part, other[part]])) }
			fc.pre(next.targets.every((port) => next.listeners.some((one) => one.port === port)))
			fc.pre(getsThrough(old, old, old.targets) && getsThrough(next, next, next.targets))
			if (findTraps(meshOf(old), meshOf(next)).length > 0) return
			tried += 1
			// The weights change by themselves, step by step, after all else.
			expect([getsThrough(old, next, old.targets), getsThrough(next, old, old.targets)]).toEqual([true, true])
		}),
		{ numRuns: count(2000, 100_000), seed: seed() },
	)
	expect(tried).toBeGreaterThan(200)
})

/** Every caller looked at, whoever is concerned. */
function wholeTraps(before: Mesh, after: Mesh, targetsOf: TargetsOf) {
	const callsIn = (mesh: Mesh) => ({ mesh, calls: callsOf(mesh) })
	return trapsBetween(callsIn(before), callsIn(after), targetsOf)
}

/** A mesh of several callers, routers and nodes, in which each part is one of a few. */
const nodes = fc.record<Pick<Extract<BriefResource, { kind: 'VirtualNode' }>, 'listeners' | 'dns' | 'discovery'>>({
	listeners: fc.constantFrom([80], [81], [80, 81]).chain((ports) => fc.tuple(...ports.map(listener))),
	dns: fc.constantFrom(
		{},
		{ hostname: 'other.local' },
		{ ipPreference: 'IPv6_ONLY' } as const,
		{ ipPreference: 'IPv4_PREFERRED' } as const,
	),
})
const policies = fc
	.constantFrom(null, null, 'one' as const, 'two' as const)
	.chain((drawn) => (drawn === null ? fc.constant(null) : clientTls))
const called = fc.option(policies, { nil: undefined })
const backends = fc.record({ b: called, c: called })
const providers = fc.constantFrom({ router: 'B' }, { router: 'C' }, { node: 'v1' }, { node: 'v2' }, {})
const targets = fc.constantFrom(
	{ 'v1:80': 1 },
	{ 'v1:80': 1, 'v2:80': 1 },
	{ 'v1:80': 1, 'v2:80': 0 },
	{ 'v2:80': 1, 'v1:81': 1 },
	{ 'v1:81': 1 },
)
const routerListeners = fc.constantFrom([80], [81], [80, 81])
const parts = fc.record({
	mesh: fc.constantFrom(null, 'IPv6_PREFERRED' as const),
	v1: nodes,
	v2: nodes,
	web: backends,
	shop: backends,
	edge: fc.record({ policy: policies, services: fc.subarray(['b.local', 'c.local'] as const) }),
	b: providers,
	c: providers,
	B: routerListeners,
	C: routerListeners,
	ofB: targets,
	ofC: targets,
	port: fc.constantFrom(null, 80),
})
type Parts = typeof parts extends fc.Arbitrary<infer Drawn> ? Drawn : never

function meshOfParts(drawn: Parts): Mesh {
	const caller = (name: 'web' | 'shop'): BriefResource => ({
		kind: 'VirtualNode',
		name,
		backends: (['b', 'c'] as const).flatMap((service) => {
			const policy = drawn[name][service]
			return policy === undefined ? [] : [{ service: `${service}.local`, clientTls: policy }]
		}),
	})
	const briefs: BriefResource[] = [
		{ kind: 'Mesh', spec: { ipPreference: drawn.mesh } },
		{ kind: 'VirtualNode', name: 'v1', ...drawn.v1 },
		{ kind: 'VirtualNode', name: 'v2', ...drawn.v2 },
		caller('web'),
		caller('shop'),
		{ kind: 'VirtualGateway', name: 'edge', spec: { clientTls: drawn.edge.policy } },
		...drawn.edge.services.map(
			(service): BriefResource => ({ kind: 'GatewayRoute', name: service, gateway: 'edge', service }),
		),
		{ kind: 'VirtualService', name: 'b.local', ...drawn.b },
		{ kind: 'VirtualService', name: 'c.local', ...drawn.c },
		...(['B', 'C'] as const).map(
			(name): BriefResource => ({
				kind: 'VirtualRouter',
				name,
				listeners: drawn[name].map((port) => ({ port, protocol: 'http2' })),
			}),
		),
		{ kind: 'Route', router: 'B', name: 'B', targets: drawn.ofB, spec: { match: { port: drawn.port } } },
		{ kind: 'Route', router: 'C', name: 'C', targets: drawn.ofC },
	]
	return composeMesh(Object.fromEntries(briefs.map(fixtureResource).map((resource) => [resource.id, resource])))
}

test('who is not concerned is caught in no trap', () => {
	let [caught, spared] = [0, 0]
	const names = Object.keys(fc.sample(parts, { numRuns: 1, seed: seed() })[0] ?? {})
	const rising = fc.constantFrom<TargetsOf>(writtenTargets, (route) => [
		...writtenTargets(route),
		{ ...fixtureTarget('v2'), port: 81 },
	])
	fc.assert(
		fc.property(parts, parts, fc.subarray(names, { minLength: 1, maxLength: 3 }), rising, (old, other, changed, to) => {
			const next = { ...old, ...Object.fromEntries(changed.map((name) => [name, Reflect.get(other, name)])) }
			const [before, after] = [meshOfParts(old), meshOfParts(next)]
			const found = findTraps(before, after, to)
			expect(found).toEqual(before.hash === after.hash ? [] : wholeTraps(before, after, to))
			const concerned = concernedCallers(
				{ mesh: before, calls: callsOf(before) },
				{ mesh: after, calls: callsOf(after) },
				to,
			)
			if (found.length > 0) caught += 1
			if (concerned.size < 3) spared += 1
		}),
		{ numRuns: count(1000, 100_000), seed: seed() },
	)
	expect([caught, spared].every((times) => times > 100)).toBe(true)
})
