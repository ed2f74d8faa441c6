import { unreachable } from '#base/assert.ts'
import type { Diagnostic } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'
import { appliedMesh, type Draft, desiredMesh, happen, journal } from './draft.ts'
import { massDelete } from './mass-delete.ts'
import { obey } from './obey.ts'
import { followGit, settleTurn } from './settle-turn.ts'
import type { ControllerState } from './state.ts'
import { diagnosticsOfTraps, trapsOfRevision } from './trap-diagnostics.ts'
import type { CoreEvent, TurnInput, TurnResult } from './turn.ts'

// One turn's decisions: (state, what happened, the fleet) → (state, journal). Pure. It reads meshes by hash from
// `meshes` and returns those that are new; it writes, sends and waits for nothing.

/** Works out one turn. The same input gives the same result. */
export function stepController(state: ControllerState, input: TurnInput): TurnResult {
	const draft: Draft = { before: state, state, meshes: new Map(), journal: [], replies: [], input }
	for (const event of input.events) takeEvent(draft, event)
	// Before time passes: a step towards what Git no longer wants would only have to be taken back.
	followGit(draft)
	for (const rollout of draft.state.rollouts) {
		// What the fleet has confirmed is what was published before this turn.
		if (!isRunning(rollout) || hasJustTurned(rollout, state)) continue
		const facts = input.factsOf(rollout)
		happen(draft, rollout.id, { kind: 'turn', elapsedMs: input.elapsedMs, facts, forward: input.forward })
	}
	const settlement = input.forward ? settleTurn(draft) : null
	draft.state = { ...draft.state, rollouts: keepNewest(draft.state.rollouts) }
	return {
		state: draft.state,
		journal: draft.journal,
		newMeshes: [...draft.meshes.values()],
		wentBack: draft.journal.some(({ event }) => event === 'rollout.rollingBack'),
		replies: draft.replies,
		settlement,
	}
}

function takeEvent(draft: Draft, event: CoreEvent): void {
	switch (event.kind) {
		case 'boot':
			for (const rollout of draft.state.rollouts) happen(draft, rollout.id, event)
			return
		case 'read':
			return takeRevision(draft, event)
		case 'strangers':
			return meetStrangers(draft, event.proxies)
		case 'seen':
			return seeAgain(draft, event.revision)
		case 'refused':
			return refuse(draft, event)
		case 'look':
			return happen(draft, event.rollout, { kind: 'look', step: event.step, look: event.look })
		case 'alarm':
			return happen(draft, event.rollout, { kind: 'alarm', alarm: event.alarm })
		case 'command':
			draft.replies.push(obey(draft, event.command))
			return
		default:
			return unreachable(event)
	}
}

function takeRevision(draft: Draft, event: Extract<CoreEvent, { kind: 'read' }>): void {
	const { info, mesh, origins, warnings } = event
	const before = desiredMesh(draft)
	const byHand = draft.state.acceptedByHand?.revision === info.id
	const diagnostics = before === null || byHand ? [] : dangersOf(draft, { before, mesh, origins })
	if (diagnostics.length > 0) {
		refuse(draft, { kind: 'refused', info, diagnostics, acceptable: true })
		return
	}
	draft.meshes.set(mesh.hash, mesh)
	const accepted = { info, mesh: mesh.hash, origins, warnings, wallMs: draft.input.wallMs }
	draft.state = { ...draft.state, accepted, refused: null, acceptedByHand: null }
	const numbers = {
		revision: info.id,
		author: info.author,
		message: info.message,
		mesh: mesh.hash,
		warnings: warnings.length,
	}
	journal(draft, { event: 'revision.accepted', actor: info.author, reason: info.message, numbers, rollout: null })
}

/** What nobody is likely to want, though it is valid: a person may take it in all the same. */
function dangersOf(
	draft: Draft,
	{ before, mesh, origins }: { before: Mesh; mesh: Mesh; origins: string },
): Diagnostic[] {
	const deletes = massDelete(before, mesh)
	const applied = appliedMesh(draft)
	const meshes = applied === null ? null : { applied, accepted: before, desired: mesh }
	const traps = meshes === null ? [] : trapsOfRevision(meshes, draft.state.rollouts)
	return [
		...(deletes === null ? [] : [deletes]),
		...(traps.length === 0 ? [] : diagnosticsOfTraps(traps, draft.input.originsOf(origins))),
	]
}

function refuse(draft: Draft, { info, diagnostics, acceptable }: Extract<CoreEvent, { kind: 'refused' }>): void {
	const { refused } = draft.state
	if (refused !== null && refused.info?.id === info?.id && refused.diagnostics[0]?.code === diagnostics[0]?.code) return
	draft.state = {
		...draft.state,
		refused: { info, diagnostics: diagnostics.slice(0, 100), acceptable, wallMs: draft.input.wallMs },
	}
	const first = diagnostics[0]
	const reason = first === undefined ? 'refused' : `${first.code}: ${first.message}`
	const numbers = { revision: info?.id ?? null, errors: diagnostics.length, acceptable }
	journal(draft, { event: 'revision.refused', actor: info?.author ?? 'sluice', reason, numbers, rollout: null })
}

/** Never jump to Git's end state: who holds something that the store knows nothing of keeps it, and a person is asked. */
function meetStrangers(draft: Draft, proxies: readonly string[]): void {
	const known = draft.state.adoption?.proxies ?? []
	const all = [...new Set([...known, ...proxies])].sort().slice(0, limits.namedProxies)
	draft.state = { ...draft.state, adoption: { proxies: all, wallMs: draft.input.wallMs } }
	const reason = `${proxies.join(', ')} hold a configuration that this store knows nothing of: they keep it until sluice adopt`
	journal(draft, { event: 'fleet.adoptionAsked', actor: 'sluice', reason, numbers: { proxies }, rollout: null })
}

/** The source is back at what was taken in: what it had refused since is gone from it. */
function seeAgain(draft: Draft, revision: string): void {
	const { accepted, refused } = draft.state
	if (refused === null || accepted?.info.id !== revision) return
	draft.state = { ...draft.state, refused: null }
	journal(draft, {
		event: 'revision.seenAgain',
		actor: 'sluice',
		reason: 'the source is back at the revision in force',
		numbers: { revision },
		rollout: null,
	})
}

/** It went back in this turn, or was given another target. */
function hasJustTurned(rollout: Rollout, state: ControllerState): boolean {
	const before = state.rollouts.find(({ id }) => id === rollout.id)
	if (before === undefined) return false
	const goesBack = rollout.phase.kind === 'rollingBack' && before.phase.kind !== 'rollingBack'
	return goesBack || before.target !== rollout.target
}

/** All running rollouts and the newest ended ones. */
function keepNewest(rollouts: readonly Rollout[]): readonly Rollout[] {
	const ended = rollouts.filter((rollout) => !isRunning(rollout))
	const drop = new Set(ended.slice(0, Math.max(0, ended.length - limits.endedRollouts)))
	return drop.size === 0 ? rollouts : rollouts.filter((rollout) => !drop.has(rollout))
}
