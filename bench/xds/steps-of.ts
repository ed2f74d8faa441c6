import { assert } from '#base/assert.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec } from '#mesh/rollout-policy.ts'
import { groupOf } from '#plan/join-shifts.ts'
import { type Target, wholePpm } from '#plan/plan.ts'
import { splitOfWeights } from '#plan/split.ts'
import type { Rollout } from '#rollout/rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'

export type ShiftFrom = {
	readonly route: ResourceId
	/** Has all requests of the route in the end; `falling` had them before. */
	readonly rising: Target
	readonly falling: Target
}

/** A rollout of many small steps, at each of them. */
export function stepsOf({ route, rising, falling }: ShiftFrom): (step: number) => Rollout {
	const group = groupOf([
		{
			kind: 'shift',
			route,
			before: splitOfWeights([{ ...falling, weight: 1 }]),
			after: splitOfWeights([{ ...rising, weight: 1 }]),
			rising: [rising],
			falling: [falling],
			unit: 'requests',
			policy: defaultRolloutPolicySpec,
			quarantineKey: '',
		},
	])
	assert(group !== null, 'one shift is one rollout')
	const started = startRollout({ id: 'bench', group, revision: 'bench', wallMs: 0 })
	return (step) => ({ ...started, stepsPpm: [...stepsPpm, wholePpm], step: step % stepsPpm.length })
}

const stepsPpm = Array.from({ length: 100 }, (_, index) => (index + 1) * 1_000)
