import { expect, test } from 'vitest'
import { type Guard, resourceId, type ThresholdGuard } from '#mesh/mesh.ts'
import { defaultErrorsGuard, defaultRolloutPolicySpec, defaultWaves } from '#mesh/rollout-policy.ts'
import { startWaves } from '#rollout/wave.ts'

const threshold = (name: string, query: string): ThresholdGuard => ({
	kind: 'threshold',
	name,
	source: { kind: 'prometheus', address: 'http://p', query, credentials: null },
	min: null,
	max: 1,
	intervalMs: 1_000,
	windowMs: 1_000,
	minMeasurements: 1,
	breaches: { count: 1, of: 1 },
	onNoData: 'hold',
})
const plain = threshold('plain', 'sum(rate(failed{mesh="{{mesh}}"}[{{window}}]))')
const ofRoute = threshold('of-route', 'failed{to="{{ canary }}"}')

test.for<{ why: string; guards: Guard[]; unguarded: string | null; left: Guard[] }>([
	{
		why: 'what names a canary guards no wave',
		guards: [defaultErrorsGuard, ofRoute, plain],
		unguarded: null,
		left: [defaultErrorsGuard, plain],
	},
	{ why: 'a threshold alone goes on alone', guards: [plain], unguarded: null, left: [plain] },
	{ why: 'no wave is left without a guard', guards: [ofRoute], unguarded: null, left: [defaultErrorsGuard] },
	{ why: 'unless the policy wants that', guards: [], unguarded: 'a toy', left: [] },
])('$why', ({ guards, unguarded, left }) => {
	const rollout = startWaves({
		id: 'waves#1',
		mesh: resourceId.mesh('apps'),
		candidate: 'hash',
		changes: [],
		policy: { ...defaultRolloutPolicySpec, guards, unguarded },
		waves: defaultWaves,
		quarantineKey: 'key',
		revision: 'c1',
		wallMs: 0,
	})
	expect(rollout.policy.guards).toEqual(left)
	expect(Object.keys(rollout.thresholds)).toEqual(
		left.flatMap((guard) => (guard.kind === 'threshold' ? [guard.name] : [])),
	)
})
