import { limits } from '#base/limits.ts'
import { type ResourceId, resourceId } from '#mesh/mesh.ts'
import { clip } from '#rollout/holds.ts'
import type { CommandReply, FreezeCommand, FreezeScope, Refusal, UnfreezeCommand } from './commands.ts'
import { appliedMesh, type Draft, desiredMesh, journal } from './draft.ts'
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
	const freeze = draft.state.freezes.find(({ scope }) => isAsked(scope, asked))
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

/** What is named must be there: a freeze with a misspelt name would hold nothing. */
function findScope(draft: Draft, asked: FreezeScope): { kind: 'found'; scope: ResourceId | null } | Refusal {
	if (asked.mesh === null && asked.router === null) return { kind: 'found', scope: null }
	const resources = [appliedMesh(draft), desiredMesh(draft)].flatMap((mesh) => Object.keys(mesh?.resources ?? {}))
	const found = [...new Set(resources)].filter((id) => isAsked(id as ResourceId, asked))
	const [scope] = found
	if (scope === undefined) return { kind: 'refused', code: 'NOT_FOUND', text: `there is no ${nameOfScope(asked)}` }
	if (found.length > 1)
		return { kind: 'refused', code: 'NOT_FOUND', text: `several meshes have a ${nameOfScope(asked)}: name one of them` }
	return { kind: 'found', scope: scope as ResourceId }
}

function isAsked(scope: ResourceId | null, { mesh, router, route }: FreezeScope): boolean {
	if (scope === null) return mesh === null && router === null
	const its = scope.split('/')
	const name = mesh ?? its[1] ?? ''
	if (router === null) return mesh !== null && scope === resourceId.mesh(name)
	return scope === (route === null ? resourceId.virtualRouter(name, router) : resourceId.route(name, router, route))
}

function nameOfScope({ mesh, router, route }: FreezeScope): string {
	if (router === null) return `mesh ${mesh}`
	const name = route === null ? `virtual router ${router}` : `route ${router}/${route}`
	return mesh === null ? name : `${name} in mesh ${mesh}`
}
