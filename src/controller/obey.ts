import { nameOf } from '#plan/split.ts'
import { demandsOfStep, hasShare, isLastStep } from '#rollout/ladder.ts'
import { isGoingBack, isRunning, type Rollout, routesOf } from '#rollout/rollout.ts'
import {
	type CommandReply,
	type ControllerCommand,
	isNamed,
	type RampCommand,
	type Refusal,
	type RolloutCommand,
	type RolloutVerb,
} from './commands.ts'
import { type Draft, happen, journal } from './draft.ts'
import { exclude, include } from './exclusion.ts'
import { freeze, unfreeze } from './obey-freeze.ts'
import { rollback } from './obey-rollback.ts'

/** Does what a person asks for, or says why it cannot be done. */
export function obey(draft: Draft, command: ControllerCommand): CommandReply {
	// A way back waits for nothing; anything else could get lost although it was said to be done.
	if (!draft.input.durable && command.kind !== 'abort' && command.kind !== 'rollback')
		return { kind: 'refused', code: 'NOT_DURABLE', text: 'the store does not answer: ask again when it does' }
	switch (command.kind) {
		case 'accept':
			return acceptRevision(draft, command)
		case 'adopt':
			return adopt(draft, command)
		case 'exclude':
			return exclude(draft, command)
		case 'include':
			return include(draft, command)
		case 'freeze':
			return freeze(draft, command)
		case 'unfreeze':
			return unfreeze(draft, command)
		case 'rollback':
			return rollback(draft, command)
		default:
			return obeyOfRollout(draft, command)
	}
}

function obeyOfRollout(draft: Draft, command: RolloutCommand | RampCommand): CommandReply {
	const rollout = draft.state.rollouts.findLast((one) =>
		isNamed(command.rollout, { id: one.id, routes: routesOf(one) }),
	)
	if (rollout === undefined)
		return { kind: 'refused', code: 'NOT_FOUND', text: `there is no rollout ${command.rollout}` }
	if (command.kind === 'retry') return retry(draft, rollout, command)
	if (!isRunning(rollout) || rollout.phase.kind === 'rollingBack') {
		return { kind: 'refused', code: 'NOT_RUNNING', text: `rollout ${rollout.id} is ${rollout.phase.kind}` }
	}
	const refusal = whyNotInRamp(rollout, command.kind) ?? whyNot(rollout, command.kind)
	if (refusal !== null) return { kind: 'refused', ...refusal }
	const { actor, reason } = command
	const event = { command: { actor, reason } }
	if (command.kind === 'abortByRamp')
		happen(draft, rollout.id, { kind: command.kind, overMs: command.overMs, ...event })
	else happen(draft, rollout.id, { kind: command.kind, ...event })
	return { kind: 'done', text: `${rollout.id} ${whatFollows[command.kind]}` }
}

type MotionVerb = Exclude<RolloutVerb, 'retry'> | RampCommand['kind']

const whatFollows: Readonly<Record<MotionVerb, string>> = {
	abort: 'goes back',
	abortByRamp: 'goes back by a ramp: an alarm, or another abort, takes the rest back at once',
	approve: 'ends its step when nothing else is missing',
	pause: 'is paused: it stays where it is, and goes back if the guard says so',
	promote: 'takes its next step when the proxies are ready',
	promoteFull: 'takes all its steps, each when the proxies are ready, and then bakes',
	resume: 'goes on when the evidence is fresh',
}

/** It goes back already: all that is left to ask for is that it does so at once. */
function whyNotInRamp({ id, phase }: Rollout, verb: MotionVerb): Pick<Refusal, 'code' | 'text'> | null {
	if (phase.kind !== 'ramping' || verb === 'abort') return null
	const { actor, reason } = phase.cause
	return {
		code: 'NOT_POSSIBLE',
		text: `${id} goes back by a ramp already, by ${actor} (${reason}): abort it to go back at once`,
	}
}

/** What of a running rollout makes no sense, and why. */
function whyNot(rollout: Rollout, verb: MotionVerb): Pick<Refusal, 'code' | 'text'> | null {
	const { id, phase } = rollout
	switch (verb) {
		case 'abort':
			return null
		case 'abortByRamp':
			if (rollout.wave !== null)
				return { code: 'NOT_POSSIBLE', text: `${id} goes out by waves, which have no ramp: abort it at once` }
			if (hasShare(rollout)) return null
			return { code: 'NOT_POSSIBLE', text: `${id} has given its canaries no share yet: abort it at once` }
		case 'approve':
			if (demandsOfStep(rollout).gate === 'none')
				return { code: 'NOT_POSSIBLE', text: `${id} waits at no gate: step ${rollout.step + 1} has none` }
			if (rollout.approval === null) return null
			return {
				code: 'NOT_POSSIBLE',
				text: `${id}: ${rollout.approval.actor} has approved step ${rollout.step + 1} already`,
			}
		case 'pause':
			if (phase.kind !== 'paused') return null
			return { code: 'NOT_POSSIBLE', text: `${id} is paused already, by ${phase.by.actor}: ${phase.by.reason}` }
		case 'resume':
			return phase.kind === 'paused' ? null : { code: 'NOT_POSSIBLE', text: `${id} is not paused` }
		case 'promote':
		case 'promoteFull':
			if (phase.kind === 'paused')
				return {
					code: 'PAUSED',
					text: `${id} is paused by ${phase.by.actor} (${phase.by.reason}): resume it first`,
				}
			if (verb === 'promoteFull' && isLastStep(rollout))
				return { code: 'NOT_POSSIBLE', text: `${id} is at its last step and bakes: promote without --full ends it` }
			return null
	}
}

function retry(draft: Draft, rollout: Rollout, { actor, reason }: ControllerCommand): CommandReply {
	if (isGoingBack(rollout)) {
		return { kind: 'refused', code: 'NOT_RUNNING', text: `rollout ${rollout.id} has not confirmed its way back yet` }
	}
	const routes = new Set<string>(routesOf(rollout))
	const left = draft.state.quarantine.filter(({ route }) => !routes.has(route))
	if (left.length === draft.state.quarantine.length)
		return { kind: 'refused', code: 'NOT_QUARANTINED', text: `nothing of ${[...routes].join(', ')} is in quarantine` }
	draft.state = { ...draft.state, quarantine: left }
	journal(draft, { event: 'rollout.retry', actor, reason, numbers: {}, rollout: rollout.id })
	return { kind: 'done', text: `what Git asks for on ${routesOf(rollout).map(nameOf).join(', ')} is tried again` }
}

function acceptRevision(draft: Draft, command: Extract<ControllerCommand, { kind: 'accept' }>): CommandReply {
	const { revision, actor, reason } = command
	const { refused } = draft.state
	if (refused?.info?.id !== revision || !refused.acceptable) {
		return { kind: 'refused', code: 'NOT_FOUND', text: `no revision ${revision} waits to be accepted` }
	}
	draft.state = { ...draft.state, acceptedByHand: { revision, actor, reason }, refused: null }
	journal(draft, { event: 'revision.acceptedByHand', actor, reason, numbers: { revision }, rollout: null })
	return { kind: 'done', text: `revision ${revision} is taken in` }
}

function adopt(draft: Draft, { actor, reason }: ControllerCommand): CommandReply {
	const { adoption } = draft.state
	if (adoption === null) return { kind: 'refused', code: 'NOT_ASKED', text: 'no proxy waits to be adopted' }
	draft.state = { ...draft.state, adoption: null }
	const numbers = { proxies: adoption.proxies }
	journal(draft, { event: 'fleet.adopted', actor, reason, numbers, rollout: null })
	return { kind: 'done', text: `${adoption.proxies.length} proxies are served what Git asks for` }
}
