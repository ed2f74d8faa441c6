import { expect, test } from 'vitest'
import type { Concern } from '#controller/concerns.ts'
import { type WatchOptions, watchesOf } from '#controller/watches.ts'
import { resourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec } from '#mesh/rollout-policy.ts'
import { splitOfWeights } from '#plan/split.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import { fixtureTarget } from '../../fixtures/mesh-fixture.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'

const [old, next] = [fixtureTarget('old'), fixtureTarget('next')]
const shift = {
	kind: 'shift',
	route: resourceId.route('apps', 'B', 'B'),
	before: splitOfWeights([{ ...old, weight: 1 }]),
	after: splitOfWeights([{ ...next, weight: 1 }]),
	rising: [next],
	falling: [old],
	unit: 'requests',
	policy: defaultRolloutPolicySpec,
	quarantineKey: 'key',
} as const
const rollout = startRollout({ id: 'B/B#1', group: shiftGroup(shift), revision: 'c1', wallMs: 0 })
const other = resourceId.route('apps', 'C', 'C')

function concernWith(now: Concern['sharing']['now']): Concern {
	return {
		groups: [],
		groupKeys: new Set(),
		lanes: [{ name: '', canaries: new Map(), baseline: [] }],
		beside: [],
		demanded: [],
		sharing: { now, soon: [], cloneProblem: null },
		good: [],
		carriers: new Map(),
		endpoints: new Map(),
		unit: 'requests',
		hosts: new Map(),
	}
}

/** Whom it watches is asked only when counters come. */
const options = { excluded: new Set<string>() } as unknown as WatchOptions

// What others do at its clusters would take a rollout back that has moved nothing.
test.for([
	[-1, [], 1],
	[-1, [other], 0],
	[0, [other], 1],
] as const)('at step %i, with %j beside it, %i are watched', ([step, now, count]) => {
	expect(watchesOf([{ ...rollout, step }], () => concernWith(now), options)).toHaveLength(count)
})
