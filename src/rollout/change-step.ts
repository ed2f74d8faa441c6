import { startStep } from '#guard/judge.ts'
import type { Hold, Rollout } from './rollout.ts'
import { startThresholdsStep } from './thresholds.ts'

/** Another step in force, or other shares of the same: nothing is known of them yet. Whoever paused it is still asked. */
export function changeStep(rollout: Rollout, step: number): Rollout {
	return {
		...rollout,
		step,
		phase: rollout.phase.kind === 'paused' ? rollout.phase : phaseOfHolds({ step }, []),
		holds: [],
		confirmed: false,
		guard: startStep(rollout.guard),
		thresholds: startThresholdsStep(rollout.thresholds),
		hooks: {},
		verdict: null,
		elapsed: { ...rollout.elapsed, stepMs: 0, sinceChangeMs: 0, sinceLookMs: 0, stepTotalMs: 0 },
		stepBack: 'none',
		promotion: null,
		approval: null,
	}
}

/** The phase of a rollout that goes forward, or would. */
export function phaseOfHolds({ step }: Pick<Rollout, 'step'>, holds: readonly Hold[]): Rollout['phase'] {
	if (holds.length > 0) return { kind: 'held' }
	return { kind: step === -1 ? 'pending' : 'stepping' }
}
