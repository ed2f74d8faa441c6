import fc from 'fast-check'
import { expect, test } from 'vitest'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { ClientTls, ListenerTls, VirtualNodeListener } from '#mesh/proxy-spec.ts'
import { findTraps } from '#plan/find-traps.ts'
import { count, seed } from '../depth.ts'
import { type BriefResource, fixtureResource } from '../fixtures/mesh-fixture.ts'

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
