import { unreachable } from '#base/assert.ts'
import { limits } from '#base/limits.ts'
import type { ThresholdState } from '#guard/look.ts'
import {
	bootThreshold,
	isLostForLong,
	judgeThreshold,
	lackOf,
	newThreshold,
	startThresholdStep,
	type ThresholdLack,
} from '#guard/threshold.ts'
import { goBack } from './go-back.ts'
import { thresholdGuardsOf } from './guards-of-policy.ts'
import { hasShare } from './ladder.ts'
import type { Hold, Rollout, RolloutEvent, RolloutStepResult } from './rollout.ts'

// The threshold guards of one rollout. They are asked from the first step with a share on, whatever the phase, for as long
// as canaries have one.

type Thresholds = Rollout['thresholds']

/** Takes in one answer: it may be the breach that takes the rollout back. */
export function measure(rollout: Rollout, event: Extract<RolloutEvent, { kind: 'measurement' }>): RolloutStepResult {
	const { thresholds, policy, elapsed } = rollout
	const guard = thresholdGuardsOf(policy).find(({ name }) => name === event.guard)
	if (guard === undefined || !hasShare(rollout) || rollout.phase.kind === 'rollingBack') return { rollout, notes: [] }
	const { state, back } = judgeThreshold(stateOf(thresholds, guard.name), guard, { ...event, stepMs: elapsed.stepMs })
	const measured: Rollout = { ...rollout, thresholds: { ...thresholds, [guard.name]: state } }
	if (back === null) return { rollout: measured, notes: [] }
	return goBack(measured, { by: 'guard', reason: back, actor: 'sluice' }, { threshold: guard.name })
}

/** Time passes for what is asked. */
export function ageThresholds(rollout: Rollout, elapsedMs: number): Thresholds {
	const { thresholds } = rollout
	if (!hasShare(rollout)) return thresholds
	return mapThresholds(thresholds, (state) => ({ ...state, sinceDataMs: state.sinceDataMs + elapsedMs }))
}

export function startThresholdsStep(thresholds: Thresholds): Thresholds {
	return mapThresholds(thresholds, startThresholdStep)
}

export function bootThresholds(thresholds: Thresholds): Thresholds {
	return mapThresholds(thresholds, bootThreshold)
}

/** What of the thresholds forbids the step that follows the one in force. */
export function thresholdHolds(rollout: Rollout): Hold[] {
	const { policy, thresholds } = rollout
	if (!hasShare(rollout)) return []
	const holds = thresholdGuardsOf(policy).flatMap((guard): Hold[] => {
		const lack = lackOf(stateOf(thresholds, guard.name), guard)
		return lack === null ? [] : [{ code: codeOf(lack.kind), text: lack.text }]
	})
	const more = holds.slice(limits.holdNames)
	const [next] = more
	const shown = holds.slice(0, limits.holdNames)
	return next === undefined ? shown : [...shown, { code: next.code, text: `${more.length} more thresholds` }]
}

/** The threshold whose silence takes the rollout back, where its policy says so. */
export function lostThreshold({ policy, thresholds }: Rollout): string | null {
	const lost = thresholdGuardsOf(policy).find((guard) => isLostForLong(stateOf(thresholds, guard.name), guard))
	return lost === undefined ? null : `${lost.name} has had no data for ${limits.noEvidenceMs / 1000} s and more`
}

function stateOf(thresholds: Thresholds, name: string): ThresholdState {
	return thresholds[name] ?? newThreshold
}

function mapThresholds(thresholds: Thresholds, change: (state: ThresholdState) => ThresholdState): Thresholds {
	return Object.fromEntries(Object.entries(thresholds).map(([name, state]) => [name, change(state)]))
}

function codeOf(kind: ThresholdLack['kind']): Hold['code'] {
	switch (kind) {
		case 'noData':
			return 'NO_DATA'
		case 'outOfBounds':
			return 'OUT_OF_BOUNDS'
		case 'tooFew':
			return 'MORE_MEASUREMENTS'
		default:
			return unreachable(kind)
	}
}
