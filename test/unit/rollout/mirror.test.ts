import { describe, expect, test } from 'vitest'
import type { RolloutPolicySpec } from '#mesh/mesh.ts'
import { defaultRolloutStep } from '#mesh/rollout-policy.ts'
import { describeMirror } from '#rollout/describe-mirror.ts'
import { mirrorOf as mirrorOfLane } from '#rollout/mirror.ts'
import { retargetRollout } from '#rollout/retarget-rollout.ts'
import type { Rollout } from '#rollout/rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import { startInMemory, twoSteps } from '../../fixtures/daemon-in-memory.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'
import { canaryCluster } from '../../simulation/simulated-mesh.ts'
import { alarm, canary, look, play, policy, shift, split, stable, turn } from './played.ts'

const first = { ...defaultRolloutStep, sharePpm: 0, minDurationMs: 5_000 }
const withMirror: RolloutPolicySpec = { ...policy, mirrorPpm: 100_000, steps: [first, ...policy.steps] }
const start = (spec: RolloutPolicySpec = withMirror) =>
	startRollout({ id: 'B/B#1', group: shiftGroup({ ...shift, policy: spec }), revision: 'c1', wallMs: 0 })
const mirrorOf = (rollout: Rollout) => mirrorOfLane(rollout, rollout.lanes[0])

describe('copies', () => {
	test('are sent at the first step alone, and its clusters go with it', () => {
		expect(mirrorOf(start())).toMatchObject({ copies: [{ ...canary, sharePpm: 100_000 }], standing: 'beside' })
		const stepped = play(start(), turn(100), look(0, 0, { beside: { requests: 40, errors: 1 } }))
		expect(stepped).toMatchObject({ step: 0, stepsPpm: [0, 100_000, 500_000, 1_000_000], guard: { beside: [40, 1] } })
		expect(mirrorOf(stepped)?.standing).toBe('routed')
		expect(mirrorOf(play(stepped, alarm))?.standing).toBe('beside')
		const next = play(stepped, turn(6_000))
		expect([next.step, mirrorOf(next)]).toEqual([1, null])
	})

	test('are of no rollout whose canary has a share already, and of no wave', () => {
		const from = { ...shift, policy: withMirror, before: split(95, 5) }
		const rollout = startRollout({ id: 'B/B#1', group: shiftGroup(from), revision: 'c1', wallMs: 0 })
		expect([rollout.stepsPpm[0], mirrorOf(rollout)]).toEqual([100_000, null])
	})

	test('go to several canaries as the target has them', () => {
		const third = { ...canary, port: 81 }
		const after = [
			{ ...canary, sharePpm: 300_000 },
			{ ...third, sharePpm: 100_000 },
			{ ...stable, sharePpm: 600_000 },
		]
		const two = { ...shift, policy: withMirror, after, rising: [canary, third] }
		const mirror = mirrorOf(startRollout({ id: 'B/B#1', group: shiftGroup(two), revision: 'c1', wallMs: 0 }))
		expect(mirror?.copies.map(({ sharePpm }) => sharePpm)).toEqual([75_000, 25_000])
		expect(describeMirror(mirror?.copies ?? [])).toBe(
			'of 7.5 % of the requests to Bv2, of 2.5 % of the requests to Bv2',
		)
	})

	test('stay what they were when Git asks for another share meanwhile', () => {
		const other = shiftGroup({ ...shift, after: split(40, 60), policy, quarantineKey: 'k' })
		const moved = retargetRollout(play(start(), turn(100)), other, 'c2')
		expect(moved === null ? null : mirrorOf(moved)).toMatchObject({ standing: 'routed' })
		const later = retargetRollout(play(start(), turn(100), look(0, 0), turn(6_000)), other, 'c2')
		expect(later === null ? null : mirrorOf(later)).toBe(null)
	})
})

test('at the proxies the clusters of copies come before they are sent, and go after them', async () => {
	const steps = [{ ...first, minDurationMs: 2_000 }, ...twoSteps.steps]
	const daemon = await startInMemory((store) => store, { policy: { ...twoSteps, mirrorPpm: 250_000, steps } })
	const heldClusters = () =>
		daemon.fleet.proxies.map(
			({ held }) => [...held.keys()].filter((key) => key.includes(`${canaryCluster}_mirror_`)).length,
		)
	daemon.commit({ weights: [0, 1] })
	await daemon.pass(1_500)
	const rollout = () => daemon.face.status().rollouts[0]
	expect(rollout()).toMatchObject({ step: 1, mirror: { standing: 'routed', text: 'of 25 % of the requests to Bv2' } })
	expect(heldClusters()).toEqual([1, 1])
	await daemon.pass(120_000)
	expect(rollout()).toMatchObject({ phase: 'succeeded', mirror: null })
	expect(heldClusters()).toEqual([0, 0])
})
