import { limits } from '#base/limits.ts'
import { clip } from '#rollout/holds.ts'
import type { CommandReply, FreezeCommand, UnfreezeCommand } from './commands.ts'
import { type Draft, journal } from './draft.ts'
import { findScope, isScope } from './find-scope.ts'
import { describeFreeze, type Freeze } from './freeze.ts'

export function freeze(draft: Draft, command: FreezeCommand): CommandReply {
	const { actor, reason, untilWallMs } = command
	const { wallMs } = draft.input
	const found = findScope(draft, command.scope)
	if (found.kind === 'refused') return found
	if (untilWallMs !== null && untilWallMs <= wallMs)
		return { kind: 'refused', code: 'NOT_POSSIBLE', text: 'the freeze would end before it begins' }
	const others = draft.state.freezes.filter(({ scope }) => scope !== found.scope)
	if (others.length >= limits.freezes)
		return { kind: 'refused', code: 'NOT_POSSIBLE', text: `there are ${limits.freezes} freezes: lift one first` }
	const freeze: Freeze = { scope: found.scope, actor, reason: clip(reason), sinceWallMs: wallMs, untilWallMs }
	draft.state = { ...draft.state, freezes: [...others, freeze] }
	const numbers = { scope: found.scope, untilWallMs }
	journal(draft, { event: 'freeze.begun', actor, reason, numbers, rollout: null })
	return { kind: 'done', text: `${describeFreeze(freeze)}. Ways back are taken as ever.` }
}

export function unfreeze(draft: Draft, { scope: asked, actor, reason }: UnfreezeCommand): CommandReply {
	const freeze = draft.state.freezes.find(({ scope }) => isScope(scope, asked))
	if (freeze === undefined) {
		const frozen = draft.state.freezes.map(({ scope }) => scope ?? 'everything').join(', ')
		const text = `there is no such freeze; frozen: ${frozen === '' ? 'nothing' : frozen}`
		return { kind: 'refused', code: 'NOT_POSSIBLE', text }
	}
	lift(draft, freeze, { actor, reason })
	return { kind: 'done', text: `${freeze.scope ?? 'everything'} is frozen no longer` }
}

/** Ends the freezes whose time is over. */
export function thaw(draft: Draft): void {
	for (const freeze of draft.state.freezes)
		if (freeze.untilWallMs !== null && freeze.untilWallMs <= draft.input.wallMs)
			lift(draft, freeze, { actor: 'sluice', reason: `its time is over: ${describeFreeze(freeze)}` })
}

function lift(draft: Draft, freeze: Freeze, { actor, reason }: { actor: string; reason: string }): void {
	draft.state = { ...draft.state, freezes: draft.state.freezes.filter((other) => other !== freeze) }
	journal(draft, { event: 'freeze.ended', actor, reason, numbers: { scope: freeze.scope }, rollout: null })
}
