import { expect, test } from 'vitest'
import { count, seed } from '../depth.ts'
import { runSimulation } from './run.ts'
import { faultKinds } from './scenario.ts'

test('rollouts with faults break no invariant', { timeout: 3_600_000 }, async () => {
	const rollouts = count(1000, 100_000)
	const summary = await runSimulation({ rollouts, seed: seed() })
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
		['aborted', 'held', 'paused', 'pending', 'rolledBack', 'rollingBack', 'stepping', 'succeeded'].sort(),
	)
})
