// Kinds of proxies come and go at will. Whoever is here is served what is in force, and nothing is kept of the others.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { type ProxyGroup, proxyGroupKey } from '#compile/compiled.ts'
import type { FleetPort } from '#controller/ports.ts'
import { createPublisher } from '#controller/publish.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import { createFleet } from '#xds/fleet.ts'
import type { Proxy } from '#xds/fleet-view.ts'
import { createFootingPool } from '#xds/footing.ts'
import type { Seat } from '#xds/group.ts'
import { createXdsStream } from '#xds/stream.ts'
import { createSubscriptionPool } from '#xds/subscription.ts'
import type { XdsStream } from '#xds/xds-stream.ts'
import { count, seed } from '../depth.ts'
import { createManualClock } from '../fakes/manual-clock.ts'
import { fixtureGroup } from '../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective } from '../fixtures/mesh-fixture.ts'

const briefs: BriefResource[] = [
	{ kind: 'Mesh' },
	{ kind: 'VirtualNode', name: 'A', backends: ['b.local'] },
	{ kind: 'VirtualNode', name: 'B' },
	{ kind: 'VirtualNode', name: 'Bv2' },
	{ kind: 'VirtualRouter', name: 'B' },
	{ kind: 'VirtualService', name: 'b.local', router: 'B' },
	{ kind: 'Route', router: 'B', name: 'B', targets: { B: 1 } },
]
const meshes = [0, 250_000, 500_000].map((share) =>
	fixtureEffective(briefs, {
		splits: { 'mesh/apps/virtualRouter/B/route/B': { B: 1_000_000 - share, Bv2: share } },
	}),
)
const kinds = ['A', 'B'].flatMap((name) =>
	['1.36', '1.40'].map((envoyMinor) => ({ ...fixtureGroup(name), envoyMinor })),
)

type Act =
	| { readonly kind: 'come' | 'leave' | 'drain'; readonly proxy: number }
	| { readonly kind: 'publish'; readonly stable: number; readonly candidate: number | null }
	| { readonly kind: 'wait'; readonly ms: number }

const proxy = fc.nat({ max: 7 })
const mesh = fc.nat({ max: meshes.length - 1 })
const act: fc.Arbitrary<Act> = fc.oneof(
	{ weight: 4, arbitrary: fc.record({ kind: fc.constant('come' as const), proxy }) },
	{ weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'drain' as const), proxy }) },
	{
		weight: 3,
		arbitrary: fc.record({ kind: fc.constant('publish' as const), stable: mesh, candidate: fc.option(mesh) }),
	},
	{
		weight: 3,
		arbitrary: fc.record({
			kind: fc.constant('wait' as const),
			ms: fc.constantFrom(1, limits.xdsGoneMs / 2, limits.xdsGoneMs - 1, limits.xdsGoneMs),
		}),
	},
)

/** Two of each kind. */
function proxyOf(index: number): Proxy {
	const group = kinds[index % kinds.length] as ProxyGroup
	return {
		key: `${group.identity.name}#${index}`,
		instance: String(index),
		zone: '',
		group,
		groupKey: proxyGroupKey(group),
	}
}

/** A fleet and its publisher, as `serving.ts` joins them. */
function createWorld() {
	const clock = createManualClock()
	const subscriptions = createSubscriptionPool()
	const footings = createFootingPool()
	const here = new Map<number, Seat>()
	/** Group key → when somebody was there last. */
	const seenMs = new Map<string, number>()
	let inForce: EffectiveMesh | null = null
	let ofCandidates: EffectiveMesh | null = null
	const fleet = createFleet({
		clock,
		emit(event) {
			if (event.kind === 'arrived') publisher.greet(event.proxy.group, event.proxy.groupKey)
			// The turn that follows.
			if (event.kind === 'progressed') publisher.forgetDeserted()
		},
	})
	const publisher = createPublisher({
		fleet: fleet as unknown as FleetPort,
		log: silentLog,
		discovered: () => nothingDiscovered,
	})

	function come(index: number): void {
		if (here.has(index)) return
		const stream: XdsStream = createXdsStream({
			variant: 'delta',
			clock,
			subscriptions,
			footings,
			port: { send() {}, end() {}, admit: () => fleet.join(proxyOf(index), stream), changed() {}, ignored() {} },
		})
		const joined = fleet.join(proxyOf(index), stream)
		expect(joined.ok).toBe(true)
		if (joined.ok) here.set(index, joined.value.seat)
	}

	function leave(index: number, how: 'lost' | 'drained'): void {
		const seat = here.get(index)
		if (seat === undefined) return
		here.delete(index)
		seat.stream.close()
		fleet.leave(seat, how)
	}

	function publish(stable: EffectiveMesh, candidate: EffectiveMesh | null): void {
		publisher.publish(stable, candidate)
		;[inForce, ofCandidates] = [stable, candidate ?? stable]
		fleet.assign(({ instance }) => (candidate !== null && Number(instance) < 4 ? 'candidate' : 'stable'))
	}

	return {
		run(next: Act) {
			switch (next.kind) {
				case 'come':
					come(next.proxy)
					break
				case 'leave':
				case 'drain':
					leave(next.proxy, next.kind === 'leave' ? 'lost' : 'drained')
					break
				case 'publish':
					publish(meshes[next.stable] as EffectiveMesh, meshes[next.candidate ?? -1] ?? null)
					break
				case 'wait':
					clock.advance(next.ms)
			}
			// Progress is told with the next round of the loop.
			clock.advance(0)
		},
		check() {
			for (const [groupKey, { group, connected, version, expected }] of fleet.fleet()) {
				if (connected > 0) seenMs.set(groupKey, clock.monotonicMs())
				const effective = group.cohort === 'candidate' ? ofCandidates : inForce
				const compiled = effective === null ? null : compileGroup(effective, group, nothingDiscovered)
				const due = compiled === null ? '' : encodeSnapshot(compiled, null).snapshot.version
				if (connected > 0) expect([groupKey, version]).toEqual([groupKey, due])
				if (connected > 0 || inForce === null) continue
				const awayMs = clock.monotonicMs() - (seenMs.get(groupKey) ?? Number.NEGATIVE_INFINITY)
				expect([groupKey, awayMs < limits.xdsGoneMs, expected >= 0]).toEqual([groupKey, true, true])
			}
			const seen = [...fleet.fleet().values()].reduce((sum, { connected }) => sum + connected, 0)
			expect(seen).toBe(here.size)
			if (seen > 0 && inForce !== null) expect(publisher.isWhole()).toBe(true)
		},
	}
}

test('who is here is served what is in force, and of kinds that left nothing stays', () => {
	fc.assert(
		fc.property(fc.array(act, { minLength: 5, maxLength: 60 }), (acts) => {
			const world = createWorld()
			for (const next of acts) {
				world.run(next)
				world.check()
			}
		}),
		{ numRuns: count(200, 20_000), seed: seed() },
	)
})
