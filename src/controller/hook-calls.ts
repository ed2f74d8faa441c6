import { hashValue } from '#base/hash.ts'
import type { HookCall, HookNotice, HookSubject } from '#hooks/hook-call.ts'
import { closedGates, hookCallId, unheardOf, watchersOf } from '#rollout/hooks.ts'
import { isLastStep, splitAtStep, splitInForce } from '#rollout/ladder.ts'
import { isGoingBack, isRunning, type Rollout } from '#rollout/rollout.ts'
import type { JournalEntry } from '#store/store.ts'
import { sharesOf } from './rollout-status.ts'

// Whom to call for the rollouts there are, and what they are told.

/** Gates that are asked, who watches, and who has not heard of an end. */
export function hookCallsOf(rollouts: readonly Rollout[]): HookCall[] {
	return rollouts
		.filter(({ policy }) => policy.hooks.length > 0)
		.flatMap((rollout) =>
			hooksToCall(rollout).map((hook) => ({
				rollout: rollout.id,
				hook,
				id: hookCallId(rollout, hook),
				step: rollout.step,
				about: { rollout: aboutRollout(rollout) },
			})),
		)
}

function hooksToCall(rollout: Rollout): readonly Rollout['policy']['hooks'][number][] {
	if (!isRunning(rollout)) return unheardOf(rollout)
	if (rollout.phase.kind === 'rollingBack') return []
	const asked = closedGates(rollout).filter(({ name }) => rollout.hooks[name] !== undefined)
	return [...watchersOf(rollout), ...(waitsForGates(rollout) ? asked : [])]
}

/** An answer would change nothing while a person has decided otherwise, or has to decide. */
function waitsForGates({ phase, promotion, holds }: Rollout): boolean {
	const isForward = phase.kind !== 'paused' && phase.kind !== 'ramping'
	return isForward && promotion === null && !holds.some(({ code }) => code === 'DEADLINE')
}

/** Who wants to hear of each record of the journal about a rollout. */
export function hookNoticesOf(entry: JournalEntry, rollouts: readonly Rollout[]): HookNotice[] {
	const rollout = rollouts.find(({ id }) => id === entry.rollout)
	const listeners = rollout?.policy.hooks.filter(({ point }) => point === 'event') ?? []
	if (rollout === undefined || listeners.length === 0) return []
	const { wallMs, rollout: _, ...told } = entry
	const event = { time: new Date(wallMs).toISOString(), ...told }
	const about = { rollout: aboutRollout(rollout), event }
	return listeners.map((hook) => {
		const id = hashValue([rollout.id, rollout.startedWallMs, hook.name, entry]).slice(0, 32)
		return { rollout: rollout.id, hook, id, step: rollout.step, about }
	})
}

/** In the words of the API. Steps count from 1; 0 is before the first. */
function aboutRollout(rollout: Rollout): HookSubject {
	const { phase, step } = rollout
	const hasNext = isRunning(rollout) && !isGoingBack(rollout) && !isLastStep(rollout)
	return {
		id: rollout.id,
		changes: rollout.wave?.changes ?? null,
		revision: rollout.revision,
		phase: phase.kind,
		reason: 'cause' in phase ? phase.cause.reason : null,
		step: step + 1,
		steps: rollout.stepsPpm.length,
		lanes: rollout.lanes.map((lane) => ({
			routes: lane.routes.map(({ id }) => id),
			shares: {
				now: sharesOf(splitInForce(rollout, lane)),
				next: hasNext ? sharesOf(splitAtStep(rollout, lane, step + 1)) : null,
				good: sharesOf(lane.good),
				target: sharesOf(lane.target),
			},
		})),
		startedAt: new Date(rollout.startedWallMs).toISOString(),
	}
}
