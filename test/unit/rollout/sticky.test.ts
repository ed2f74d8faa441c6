import { fromBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { typeUrls } from '#compile/compiled.ts'
import { hashedWeights } from '#compile/route/weights.ts'
import type { RolloutPolicySpec } from '#mesh/mesh.ts'
import { type Split, type Target, wholePpm } from '#plan/plan.ts'
import { isSameTarget, splitOfWeights, targetKey } from '#plan/split.ts'
import type { Route } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { RouteConfigurationSchema } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import { splitInForce } from '#rollout/ladder.ts'
import { retargetRollout } from '#rollout/retarget-rollout.ts'
import type { Rollout } from '#rollout/rollout.ts'
import { guardParametersOf, startRollout } from '#rollout/start-rollout.ts'
import { stickyOf as stickyOfLane } from '#rollout/sticky.ts'
import { startWaves } from '#rollout/wave.ts'
import { count, seed } from '../../depth.ts'
import { startInMemory, twoSteps } from '../../fixtures/daemon-in-memory.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'
import { alarm, canary, look, play, policy, shift, split, stable, turn } from './played.ts'

const sticky = { kind: 'header', name: 'x-user' } as const
const withSticky: RolloutPolicySpec = { ...policy, sticky }
const start = (change: Partial<typeof shift> = {}) => {
	const group = shiftGroup({ ...shift, policy: withSticky, ...change })
	return startRollout({ id: 'B/B#1', group, revision: 'c1', wallMs: 0 })
}
const stickyOf = (rollout: Rollout) => stickyOfLane(rollout, rollout.lanes[0])

describe('requests are drawn by users', () => {
	test('from the first share to the end, or to the first word of a way back', () => {
		expect(stickyOf(start())).toBe(null)
		const stepped = play(start(), turn(100))
		expect(stickyOf(stepped)).toEqual({ by: sticky, order: [stable, canary] })
		expect(stickyOf(play(stepped, alarm))).toBe(null)
		const proven = play(stepped, look(0, 2000), turn(10_000), look(1, 2000), turn(11_000), look(2, 2000))
		expect(stickyOf(proven)).toEqual({ by: sticky, order: [stable, canary] })
		const done = play(proven, turn(21_000), look(2, 2000), turn(10_000))
		expect([done.phase.kind, stickyOf(done)]).toEqual(['succeeded', null])
	})

	test('not while canaries have no share', () => {
		const steps = [{ ...policy.steps[0], sharePpm: 0 }, ...policy.steps] as RolloutPolicySpec['steps']
		const copied = play(start({ policy: { ...withSticky, steps, mirrorPpm: 100_000 } }), turn(100))
		expect([copied.step, copied.stepsPpm[0], stickyOf(copied)]).toEqual([0, 0, null])
	})

	test('by what they were drawn by when the rollout moved', () => {
		const asked = { after: split(40, 60), policy, quarantineKey: 'k' }
		const other = shiftGroup({ ...shift, ...asked })
		expect(retargetRollout(start(), other, 'c2')?.policy.sticky).toBe(null)
		const moved = retargetRollout(play(start(), turn(100)), other, 'c2')
		expect(moved).toMatchObject({ step: 0, policy: { sticky } })
	})

	test('and not where proxies are shifted', () => {
		const about = { mesh: shift.route, changes: [], candidate: 'h', quarantineKey: 'k', revision: 'c', wallMs: 0 }
		const waves = startWaves({
			...about,
			id: 'apps/waves#1',
			policy: withSticky,
			waves: { sharesPpm: [], minDurationMs: 0 },
		})
		expect([guardParametersOf(waves).drawn, guardParametersOf(start()).drawn]).toEqual(['requests', 'users'])
	})
})

/** To whom a hash leads, as Envoy cumulates weights. */
function drawn(rollout: Rollout, hash: number): string {
	const [lane] = rollout.lanes
	const inForce = stickyOf(rollout)
	if (inForce === null) throw new Error('it is sticky')
	let end = 0
	for (const { cluster, weight } of hashedWeights(splitInForce(rollout, lane), inForce.order, targetKey)) {
		end += weight
		if (hash % wholePpm < end) return cluster
	}
	throw new Error('shares are the whole')
}

/** B, Bv2 (canaries: Bv2, …), and `other`, which keeps what it has. */
function rolloutOf(canaries: number, other: number, weights: readonly number[]): Rollout {
	const rising: Target[] = Array.from({ length: canaries }, (_, index) => ({ ...canary, port: 81 + index }))
	const kept = { ...canary, port: 70 }
	const of = (share: number, each: readonly number[]): Split =>
		splitOfWeights([
			{ ...stable, weight: share },
			...rising.map((target, index) => ({ ...target, weight: each[index] ?? 0 })),
			...(other === 0 ? [] : [{ ...kept, weight: other }]),
		])
	const given = weights.slice(0, canaries)
	const sum = given.reduce((total, weight) => total + weight, 0)
	return start({ before: of(sum, []), after: of(0, given), rising })
}

const hashes = fc.array(fc.integer({ min: 0, max: 2 ** 50 }), { minLength: 50, maxLength: 50 })
const weights = fc.tuple(
	fc.integer({ min: 1, max: 50 }),
	fc.integer({ min: 1, max: 50 }),
	fc.integer({ min: 1, max: 50 }),
)

test.for([1, 2, 3])('of %i canaries, nobody who has one has none at the next step', (canaries) => {
	fc.assert(
		fc.property(weights, fc.constantFrom(0, 7), hashes, (given, other, users) => {
			let rollout = rolloutOf(canaries, other, given)
			let before = new Map<number, string>()
			for (let step = 0; step < rollout.stepsPpm.length; step += 1) {
				rollout = { ...rollout, step, phase: { kind: 'stepping' } }
				const isCanary = (key: string) => rollout.canaries.some((target) => targetKey(target) === key)
				const now = new Map(users.map((hash) => [hash, drawn(rollout, hash)]))
				for (const [hash, had] of before) {
					const has = now.get(hash) ?? ''
					// Of three the one in the middle may change places with the others.
					if (isCanary(had)) expect(canaries < 3 ? has === had : isCanary(has)).toBe(true)
				}
				before = now
			}
		}),
		{ numRuns: count(60, 2_000), seed: seed() },
	)
})

test('what keeps its share beside one canary keeps its users', () => {
	const rollout: Rollout = { ...rolloutOf(1, 7, [5]), step: 0, phase: { kind: 'stepping' } }
	const order = stickyOf(rollout)?.order ?? []
	expect(order.findIndex((target) => isSameTarget(target, { ...canary, port: 70 }))).toBe(0)
	expect(order.at(-1)).toEqual({ ...canary, port: 81 })
})

test('at the proxies it comes with the first share and goes with the weights, by no push more than these', async () => {
	const daemon = await startInMemory((store) => store, { policy: { ...twoSteps, sticky } })
	const [proxy] = daemon.fleet.proxies
	/** What the proxy held of the route, one after the other, and what users were drawn by then. */
	const held: { readonly version: string; readonly by: readonly string[] }[] = []
	const watch = async (ms: number) => {
		for (let passed = 0; passed < ms; passed += 100) {
			await daemon.pass(100)
			for (const resource of proxy?.held.values() ?? []) {
				if (resource.typeUrl !== typeUrls.route || resource.version === held.at(-1)?.version) continue
				const routes = fromBinary(RouteConfigurationSchema, resource.bytes).virtualHosts.flatMap((host) => host.routes)
				if (routes.some(leadsByWeights)) held.push({ version: resource.version, by: routes.flatMap(usersOf) })
			}
		}
	}
	await watch(500)
	daemon.failCanary(1)
	daemon.commit({ weights: [0, 1] })
	await watch(15_000)
	expect(daemon.face.status().rollouts[0]).toMatchObject({ phase: 'rolledBack', users: expect.any(String) })
	const [before, , after] = held
	expect(held.map(({ by }) => by)).toEqual([[], ['x-user'], []])
	expect(after?.version).toBe(before?.version)
})

function leadsByWeights({ action }: Route): boolean {
	return action.case === 'route' && action.value.clusterSpecifier.case === 'weightedClusters'
}

function usersOf({ action }: Route): string[] {
	const policies = action.case === 'route' ? action.value.hashPolicy : []
	return policies.map(({ policySpecifier: { value } }) =>
		value !== undefined && 'headerName' in value ? value.headerName : '',
	)
}
