import { expect, test } from 'vitest'
import { seededRandom } from '#base/random.ts'
import { count, seed } from '../depth.ts'
import { runSimulation } from './run.ts'
import { faultKinds, scenarioOf } from './scenario.ts'

test('rollouts with faults break no invariant', { timeout: 3_600_000 }, async () => {
	const rollouts = count(700, 100_000)
	const seeds = Array.from({ length: rollouts }, (_, index) => seed() + index)
	const scenarios = seeds.map((one) => scenarioOf(one, seededRandom(one)))
	const summary = await runSimulation({ scenarios })
	const told = summary.failures.map((outcome) => ({
		replay: `npm run simulate -- --rollouts 1 --seed ${outcome.seed}`,
		faults: outcome.faults,
		violations: outcome.violations,
		errors: outcome.errors,
	}))
	expect(told).toEqual([])
	expect(summary.rollouts).toBe(rollouts)
	expect(Object.keys(summary.faults).sort(), 'every kind of fault was tried').toEqual([...faultKinds].sort())
	expect(summary.statesSeen).toEqual(
		['aborted', 'held', 'paused', 'pending', 'ramping', 'rolledBack', 'rollingBack', 'stepping', 'succeeded'].sort(),
	)
})
