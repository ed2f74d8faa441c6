import { sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import type { HookPoint, HookSpec } from '#mesh/hook-spec.ts'
import { goBack } from './go-back.ts'
import { clip } from './holds.ts'
import type { HookAnswer, HookState } from './hook-state.ts'
import { isLastStep } from './ladder.ts'
import { type Hold, isRunning, type Rollout, type RolloutEvent, type RolloutStepResult } from './rollout.ts'

// The hooks of one rollout: which of them it waits for, and what their answers do. A gate is asked when nothing else keeps
// the rollout from its next step, and again until it allows it; what it allows is one step. A way back asks none of them.

/**
 * Names what a hook is called about: of a gate the next step, the same for each call about it, after a restart too. What
 * it said of another one, or of what another commit asked for, does not count.
 */
export function hookCallId(rollout: Rollout, { name, point }: HookSpec): string {
	const { id, revision, startedWallMs } = rollout
	return sha256Hex(JSON.stringify([id, startedWallMs, revision, name, point, whenOf(rollout, point)])).slice(0, 32)
}

/** Who watches is called about the whole rollout: that it must go back is no less true when a step was taken meanwhile. */
function whenOf({ step, phase }: Rollout, point: HookPoint): string | number | null {
	if (point === 'watch') return null
	return point === 'ended' ? phase.kind : step
}

/** The hooks that must allow the next step. None before the end: the last step was the last that could be held. */
export function gatesOf(rollout: Rollout): readonly HookSpec[] {
	if (isLastStep(rollout)) return []
	return rollout.policy.hooks.filter(({ point }) => {
		if (point === 'start') return rollout.step === -1
		return point === 'step' || (point === 'promotion' && rollout.step === rollout.stepsPpm.length - 2)
	})
}

/** The hooks that are asked all the while: as long as canaries have a share. */
export function watchersOf({ policy, step }: Rollout): readonly HookSpec[] {
	return step === -1 ? [] : policy.hooks.filter(({ point }) => point === 'watch')
}

/** Of an ended rollout, the hooks that have not heard of it. */
export function unheardOf({ policy, hooks }: Rollout): readonly HookSpec[] {
	return policy.hooks.filter(({ name, point }) => point === 'ended' && hooks[name] === undefined)
}

/** Those that have not allowed the next step. */
export function closedGates(rollout: Rollout): readonly HookSpec[] {
	return gatesOf(rollout).filter(({ name }) => rollout.hooks[name]?.kind !== 'allowed')
}

/** From now on they are asked, those that were not before. */
export function askGates(rollout: Rollout, gates: readonly HookSpec[]): Rollout {
	const unasked = gates.filter(({ name }) => rollout.hooks[name] === undefined)
	if (unasked.length === 0) return rollout
	const asked = unasked.map(({ name }): [string, HookState] => [name, { kind: 'asked', forMs: 0 }])
	return { ...rollout, hooks: { ...rollout.hooks, ...Object.fromEntries(asked) } }
}

/** What of the gates is worth telling: a quick answer comes before anybody could read that it is awaited. */
export function gateAnswerHolds(rollout: Rollout): Hold[] {
	return closedGates(rollout).flatMap(({ name }): Hold[] => {
		const state = rollout.hooks[name]
		if (state === undefined || state.kind === 'allowed') return []
		if (state.kind === 'closed') return [{ code: 'HOOK', text: `${name}: ${state.text}` }]
		return state.forMs < limits.ackGraceMs ? [] : [{ code: 'HOOK', text: `${name} has not answered yet` }]
	})
}

/** What of those that watch forbids the next step: no answer is no good news. */
export function watchHolds(rollout: Rollout): Hold[] {
	return watchersOf(rollout).flatMap(({ name }): Hold[] => {
		const state = rollout.hooks[name]
		if (state?.kind === 'allowed') return []
		return [{ code: 'HOOK', text: `${name}: ${state?.kind === 'closed' ? state.text : 'no answer yet'}` }]
	})
}

export function ageHooks({ hooks }: Rollout, elapsedMs: number): Rollout['hooks'] {
	if (Object.keys(hooks).length === 0) return hooks
	const aged = Object.entries(hooks).map(([name, state]): [string, HookState] => [
		name,
		state.kind === 'asked' ? { kind: 'asked', forMs: state.forMs + elapsedMs } : state,
	])
	return Object.fromEntries(aged)
}

type HookEvent = Extract<RolloutEvent, { kind: 'hook' }>

/** Takes in one answer: it may open a gate, or take the rollout back. */
export function hearHook(rollout: Rollout, event: HookEvent): RolloutStepResult {
	const hook = rollout.policy.hooks.find(({ name }) => name === event.hook)
	if (hook === undefined || hookCallId(rollout, hook) !== event.call) return { rollout, notes: [] }
	if (!isRunning(rollout)) return hearOfEnd(rollout, hook, event.answer)
	const isAwaited = [...gatesOf(rollout), ...watchersOf(rollout)].includes(hook)
	if (!isAwaited || rollout.phase.kind === 'rollingBack') return { rollout, notes: [] }
	const { answer } = event
	if (answer.kind === 'rollBack') {
		const reason = `${hook.name}: ${clip(answer.reason, limits.hookTextChars)}`
		return goBack(rollout, { by: 'hook', reason, actor: 'sluice' }, { hook: hook.name, point: hook.point })
	}
	// Good news of the step before says nothing of this one.
	if (event.step !== rollout.step) return { rollout, notes: [] }
	const before = rollout.hooks[hook.name]
	const heard = withHook(rollout, hook, stateAfter(answer))
	// Of those that watch the journal has what they hold and what they take back, not each answer.
	if (hook.point === 'watch' || !isNews(before, answer)) return { rollout: heard, notes: [] }
	const step = rollout.step + 2
	const reason =
		answer.kind === 'allow'
			? `${hook.name} allows step ${step}`
			: `${hook.name} does not allow step ${step}: ${answer.reason}`
	return { rollout: heard, notes: [noteOf(hook, { reason, answer: answer.kind, step: rollout.step + 1 })] }
}

/** Of a gate that stays closed the journal hears once, whatever it says each time. */
function isNews(before: HookState | undefined, answer: HookAnswer): boolean {
	return before?.kind !== (answer.kind === 'allow' ? 'allowed' : 'closed')
}

/** It has ended: whoever answers has heard it, and who has not for long is not called any more. */
function hearOfEnd(rollout: Rollout, hook: HookSpec, answer: HookAnswer): RolloutStepResult {
	if (!unheardOf(rollout).includes(hook)) return { rollout, notes: [] }
	const state = stateAfter(answer.kind === 'failed' ? answer : { kind: 'allow' })
	const reason =
		answer.kind === 'failed'
			? `${hook.name} was not told of the end, and is called no more: ${answer.reason}`
			: `${hook.name} was told of the end`
	return { rollout: withHook(rollout, hook, state), notes: [noteOf(hook, { reason, answer: answer.kind })] }
}

function stateAfter(answer: HookAnswer): HookState {
	if (answer.kind === 'allow') return { kind: 'allowed' }
	return { kind: 'closed', text: clip(answer.reason, limits.hookTextChars) }
}

function withHook(rollout: Rollout, { name }: HookSpec, state: HookState): Rollout {
	return { ...rollout, hooks: { ...rollout.hooks, [name]: state } }
}

type Said = { readonly reason: string; readonly answer: HookAnswer['kind']; readonly step?: number }

function noteOf({ name, point }: HookSpec, { reason, ...said }: Said): RolloutStepResult['notes'][number] {
	return { event: 'rollout.hook', actor: 'sluice', reason, numbers: { hook: name, point, ...said } }
}
