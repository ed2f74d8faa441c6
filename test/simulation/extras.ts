import type { RolloutPolicySpec, ThresholdGuard } from '#mesh/mesh.ts'
import { defaultThresholdGuard } from '#mesh/rollout-policy.ts'
import type { Fault, FaultKind, Scenario } from './scenario.ts'

// What some lives have beyond steps and faults: each one thing that a policy may say, with what it takes to try it.

export type Extra = 'gate' | 'window' | 'deadline' | 'incident' | 'threshold'

export const extras: readonly Extra[] = ['gate', 'window', 'deadline', 'incident', 'threshold']

type Draw = {
	pick<T>(list: readonly T[]): T
	between(from: number, to: number): number
}

/** Somebody else's figure, which is good below 2 %. */
export const figure: ThresholdGuard = {
	...defaultThresholdGuard,
	kind: 'threshold',
	name: 'figure',
	source: { kind: 'http', url: 'http://figures.local/', value: '/value', time: null, credentials: null },
	min: null,
	max: 0.02,
	intervalMs: 2_000,
	windowMs: 1_000,
	minMeasurements: 2,
	breaches: { count: 2, of: 3 },
}

const figureFaults: readonly FaultKind[] = ['figureBad', 'figureLost', 'figureNaN', 'figureHangs']

export function withExtra(plain: Scenario, extra: Extra, draw: Draw): Scenario {
	const { policy, faults } = plain
	const { pick, between } = draw
	const added = (kind: FaultKind): Fault => {
		const at = { raise: pick([1, 1, 2]), afterMs: between(0, 9_000) }
		return { kind, at, forMs: between(2_000, 12_000), proxy: 0 }
	}
	const life = { ...plain, extra }
	switch (extra) {
		case 'gate': {
			const at = Math.floor(between(0, 1000) / 500) % Math.max(1, policy.steps.length)
			const steps = policy.steps.map((step, index) => (index === at ? { ...step, gate: 'person' as const } : step))
			const approvals = Array.from({ length: pick([0, 1, 2]) }, () => added('approve'))
			return { ...life, policy: { ...policy, steps }, faults: [...faults, ...approvals] }
		}
		case 'window':
			return { ...life, policy: { ...policy, windows: [pick(windows)] } }
		case 'deadline': {
			const steps = policy.steps.map((step) => ({ ...step, deadlineMs: pick([null, between(12_000, 25_000)]) }))
			const action = () => pick(['hold', 'hold', 'advance', 'rollBack'] as const)
			const onDeadline = pick(['hold', 'rollBack'] as const)
			const deadlineMs = pick([600_000, between(30_000, 60_000)])
			const late: RolloutPolicySpec = { ...policy, steps, deadlineMs, onDeadline }
			return {
				...life,
				policy: { ...late, onNoTraffic: action(), onInconclusive: action() },
				requestsPerSecond: pick([0, 4, 200]),
			}
		}
		case 'incident': {
			const onSharedIncident = pick(['stepBack', 'stepBack', 'rollBack'] as const)
			return { ...life, policy: { ...policy, onSharedIncident }, faults: [...faults, added('sharedIncident')] }
		}
		case 'threshold': {
			const guards = [...policy.guards, { ...figure, onNoData: pick(['hold', 'hold', 'rollBack'] as const) }]
			const failures = Array.from({ length: pick([0, 1, 2]) }, () => added(pick(figureFaults)))
			return { ...life, policy: { ...policy, guards }, faults: [...faults, ...failures] }
		}
	}
}

/** Every life begins at 14:13:20 UTC: the first closes after 40 s, the second opens then, for a minute. */
const windows: RolloutPolicySpec['windows'] = [14 * 60 + 13, 14 * 60 + 14].map((fromMinute) => {
	return { days: [0, 1, 2, 3, 4, 5, 6], fromMinute, toMinute: fromMinute + 1, timeZone: 'UTC' }
})
