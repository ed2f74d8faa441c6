import { unreachable } from '#base/assert.ts'
import type { Diagnostic } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { isSameTarget } from '#plan/split.ts'
import { judgedLookOf } from '#rollout/judged-look.ts'
import { isGoingBack, isRunning, isUnsettled, type Rollout } from '#rollout/rollout.ts'
import { appliedMesh, barsOfRollout, type Draft, desiredMesh, happen, journal } from './draft.ts'
import { passExclusions } from './exclusion.ts'
import { massDelete } from './mass-delete.ts'
import { obey } from './obey.ts'
import { thaw } from './obey-freeze.ts'
import { takeBackFound } from './obey-rollback.ts'
import { type Aim, wayTo } from './phases.ts'
import { followGit, settleTurn } from './settle-turn.ts'
import { type ControllerState, noWaysBack, type WayBack, type WaysBack } from './state.ts'
import { diagnosticsOfTraps, targetsUnder, trapsOfRevision } from './trap-diagnostics.ts'
import type { CoreEvent, TurnInput, TurnResult } from './turn.ts'

// One turn's decisions: (state, what happened, the fleet) → (state, journal). Pure. It reads meshes by hash from
// `meshes` and returns those that are new; it writes, sends and waits for nothing.

/** Works out one turn. The same input gives the same result. */
export function stepController(state: ControllerState, input: TurnInput): TurnResult {
	const draft: Draft = {
		before: state,
		state: confirmed(state, input),
		meshes: new Map(),
		journal: [],
		replies: [],
		looks: [],
		input,
	}
	passExclusions(draft, input.elapsedMs)
	for (const event of input.events) takeEvent(draft, event)
	for (const id of input.foundBack) takeBackFound(draft, id)
	if (input.forward) thaw(draft)
	// Before time passes: a step towards what Git no longer wants would only have to be taken back.
	followGit(draft)
	for (const rollout of draft.state.rollouts) {
		// What the fleet has confirmed is what was published before this turn.
		if (!isUnsettled(rollout) || hasJustTurned(rollout, state)) continue
		const facts = input.factsOf(rollout)
		const { elapsedMs } = input
		const forward = mayMove(rollout, draft)
		happen(draft, rollout.id, { kind: 'turn', elapsedMs, facts, forward, bars: barsOfRollout(draft, rollout) })
	}
	const settlement = input.forward ? settleTurn(draft) : null
	draft.state = { ...draft.state, rollouts: keepNewest(draft.state.rollouts) }
	return {
		state: draft.state,
		journal: draft.journal,
		looks: draft.looks,
		newMeshes: [...draft.meshes.values()],
		wentBack: draft.journal.some(({ event }) => event === 'rollout.rollingBack'),
		replies: draft.replies,
		settlement,
	}
}

/** An ended rollout leads its route back to shared clusters only when no other is judged by them. */
function mayMove(rollout: Rollout, { input, state }: Draft): boolean {
	if (isRunning(rollout)) return input.forward
	const own = [...rollout.canaries, ...rollout.baseline]
	const isJudged = (other: Rollout) =>
		other.id !== rollout.id &&
		isRunning(other) &&
		other.clones === 'none' &&
		[...other.canaries, ...other.baseline].some((target) => own.some((member) => isSameTarget(member, target)))
	return input.forward && !state.rollouts.some(isJudged)
}

/** What is served, and what every expected proxy holds, is what was applied before this turn. */
function confirmed(state: ControllerState, { fleetLags, isWhole }: TurnInput): ControllerState {
	const mayStillHold = fleetLags === null ? [] : (state.mayStillHold ?? [])
	const servedWhole = isWhole ? state.applied : (state.servedWhole ?? null)
	const isSame =
		mayStillHold.length === (state.mayStillHold ?? []).length && servedWhole === (state.servedWhole ?? null)
	return isSame ? state : { ...state, mayStillHold, servedWhole }
}

function takeEvent(draft: Draft, event: CoreEvent): void {
	switch (event.kind) {
		case 'boot':
			passExclusions(draft, event.downMs)
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
			return takeLook(draft, event)
		case 'alarm':
			return happen(draft, event.rollout, { kind: 'alarm', alarm: event.alarm })
		case 'measurement':
		case 'hook':
			return happen(draft, event.rollout, event)
		case 'command':
			draft.replies.push(obey(draft, event.command))
			return
		default:
			return unreachable(event)
	}
}

/** What it was judged by is kept with it, so that it can be judged again. */
function takeLook(draft: Draft, { rollout: id, step, look }: Extract<CoreEvent, { kind: 'look' }>): void {
	const rolloutNow = () => draft.state.rollouts.find((rollout) => rollout.id === id)
	const before = rolloutNow()
	happen(draft, id, { kind: 'look', step, look })
	const after = rolloutNow()
	if (before === undefined || after === undefined) return
	const judged = judgedLookOf(before, look, after, draft.input.wallMs)
	if (judged !== null) draft.looks.push({ rollout: id, body: JSON.stringify(judged) })
}

function takeRevision(draft: Draft, event: Extract<CoreEvent, { kind: 'read' }>): void {
	const { info, mesh, origins } = event
	const before = desiredMesh(draft)
	const taken = howTaken(draft.state, event)
	const applied = appliedMesh(draft)
	const way = applied === null ? null : wayTo(applied, mesh, targetsUnder(draft.state.rollouts))
	const dangers = before === null || taken === 'byHand' ? [] : dangersOf(draft, { before, mesh, origins, way })
	if (dangers.length > 0 && taken !== 'back') {
		refuse(draft, { kind: 'refused', info, diagnostics: dangers, acceptable: true })
		return
	}
	draft.meshes.set(mesh.hash, mesh)
	const warnings = [...event.warnings, ...dangers.slice(0, limits.namedProxies).map(asWarning)]
	const takesBackTo = taken === 'back' ? (wayBackTo(draft.state, mesh.hash)?.inForce ?? null) : null
	const inPhases = (way?.length ?? 0) > 1
	const accepted = { info, mesh: mesh.hash, origins, warnings, wallMs: draft.input.wallMs, takesBackTo, inPhases }
	const waysBack = waysBackAfter(draft.state, { taken, before: before?.hash ?? null, mesh: mesh.hash })
	draft.state = { ...draft.state, accepted, refused: null, acceptedByHand: null, waysBack }
	const numbers = {
		revision: info.id,
		author: info.author,
		message: info.message,
		mesh: mesh.hash,
		warnings: warnings.length,
	}
	journal(draft, { event: 'revision.accepted', actor: info.author, reason: info.message, numbers, rollout: null })
}

/**
 * `back`: Git takes back what was accepted last, or what a person accepted last. Nobody may have to find out at night why
 * the mesh that worked an hour ago is refused: what goes wrong for a moment on the way there is told as a warning.
 */
type Taken = 'byHand' | 'back' | 'judged'

function howTaken(state: ControllerState, { info, mesh }: Extract<CoreEvent, { kind: 'read' }>): Taken {
	if (state.acceptedByHand?.revision === info.id) return 'byHand'
	return wayBackTo(state, mesh.hash) === undefined ? 'judged' : 'back'
}

function wayBackTo({ waysBack = noWaysBack }: ControllerState, mesh: string): WayBack | undefined {
	return [waysBack.replaced, waysBack.replacedByHand].find((way) => way?.mesh === mesh) ?? undefined
}

function asWarning(danger: Diagnostic): Diagnostic {
	return { ...danger, severity: 'warning' }
}

type Replacement = { readonly taken: Taken; readonly before: string | null; readonly mesh: string }

/** Who has gone back is judged again: what was taken back does not come again by this door. */
function waysBackAfter(state: ControllerState, { taken, before, mesh }: Replacement): WaysBack {
	const { waysBack = noWaysBack, applied } = state
	if (before === mesh) return waysBack
	const replaced = before === null ? null : { mesh: before, inForce: applied }
	switch (taken) {
		case 'back':
			return noWaysBack
		case 'byHand':
			return { replaced, replacedByHand: replaced }
		case 'judged':
			return { ...waysBack, replaced }
		default:
			return unreachable(taken)
	}
}

/** What nobody is likely to want, though it is valid: a person may take it in all the same. */
function dangersOf(
	draft: Draft,
	{ before, mesh, origins, way }: { before: Mesh; mesh: Mesh; origins: string; way: readonly Aim[] | null },
): Diagnostic[] {
	const deletes = massDelete(before, mesh)
	const applied = appliedMesh(draft)
	const meshes = applied === null ? null : { applied, accepted: before, desired: mesh }
	const traps = meshes === null || way !== null ? [] : trapsOfRevision(meshes, draft.state.rollouts)
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
	const goesBack = isGoingBack(rollout) && rollout.phase.kind !== before.phase.kind
	return goesBack || before.lanes !== rollout.lanes
}

/** All running rollouts and the newest ended ones. */
function keepNewest(rollouts: readonly Rollout[]): readonly Rollout[] {
	const ended = rollouts.filter((rollout) => !isUnsettled(rollout))
	const drop = new Set(ended.slice(0, Math.max(0, ended.length - limits.endedRollouts)))
	return drop.size === 0 ? rollouts : rollouts.filter((rollout) => !drop.has(rollout))
}
