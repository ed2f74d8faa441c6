import { unreachable } from '#base/assert.ts'
import { windowsOver } from '#mesh/rollout-policy.ts'
import { nameOfGroup } from '#plan/join-shifts.ts'
import type { ShiftGroup } from '#plan/plan.ts'
import { formatSplit, nameOf } from '#plan/split.ts'
import { describeLanes } from '#rollout/describe-step.ts'
import { lanesOf } from '#rollout/lanes.ts'
import { retargetRollout } from '#rollout/retarget-rollout.ts'
import { type Rollout, routesOf } from '#rollout/rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import { startWaves } from '#rollout/wave.ts'
import { type Ask, changedRollouts } from './changed-rollouts.ts'
import {
	aimOfDraft,
	appliedMesh,
	apply,
	barsOf,
	type Draft,
	desiredMesh,
	happen,
	journal,
	meshOf,
	replaceRollout,
} from './draft.ts'
import { type Settlement, settle } from './settle.ts'
import type { WavesToStart } from './waves-to-start.ts'

// What Git asks for means for the turn: changes applied, rollouts started, retargeted, or taken back.

/** Brings the applied mesh nearer to the desired one, and starts what rollouts that takes. */
export function settleTurn(draft: Draft): Settlement | null {
	applyFirst(draft)
	const settlement = settlementOf(draft)
	if (settlement === null) return null
	if (settlement.done.length > 0) applyChanges(draft, settlement)
	if (settlement.waves !== null) beginWaves(draft, settlement.waves)
	for (const group of settlement.start) begin(draft, group)
	return settlement
}

/** Nothing was ever applied, and nothing is held by anyone: there is no traffic that a step could protect. */
function applyFirst(draft: Draft): void {
	const desired = desiredMesh(draft)
	if (draft.state.applied !== null || desired === null) return
	apply(draft, desired)
	const numbers = { mesh: desired.hash }
	journal(draft, {
		event: 'mesh.applied',
		actor: 'sluice',
		reason: 'first revision: applied at once',
		numbers,
		rollout: null,
	})
}

/**
 * What a new commit means for the rollouts that run: another target, or the way back. The way back waits for nothing, not
 * even for the store.
 */
export function followGit(draft: Draft): void {
	const applied = appliedMesh(draft)
	const desired = aimOfDraft(draft)?.mesh ?? null
	if (applied === null || desired === null) return
	const revision = draft.state.accepted?.info.id ?? ''
	const candidateOf = (hash: string) => meshOf(draft, hash)
	for (const { rollout, ask } of changedRollouts({ applied, desired, rollouts: draft.state.rollouts, candidateOf })) {
		const next = ask.kind === 'otherShares' ? retargetRollout(rollout, ask.group, revision) : null
		if (next === null) happen(draft, rollout.id, { kind: 'supersede', reason: reasonOf(ask) })
		else if (draft.input.forward) retarget(draft, next)
	}
}

function reasonOf(ask: Ask): string {
	switch (ask.kind) {
		case 'lastGood':
			return 'Git asks for the last good shares again'
		case 'noGroup':
			return `Git asks for something else on ${ask.routes.map(nameOf).join(', ')}`
		case 'otherShares':
			return `Git asks for ${describeLanes(lanesOf(ask.group.shifts), ({ target }) => formatSplit(target))} instead`
		case 'otherChanges':
			return 'Git asks for something else than what goes out by waves'
		case 'otherCanary':
			return `Git has changed ${ask.group.rising.map(({ virtualNode }) => nameOf(virtualNode)).join(', ')}`
		default:
			return unreachable(ask)
	}
}

function retarget(draft: Draft, next: Rollout): void {
	replaceRollout(draft, next)
	const reason = `now to ${describeLanes(next.lanes, ({ target }) => formatSplit(target))}: the weights in force stay, the evidence starts afresh`
	const numbers = { revision: next.revision }
	journal(draft, { event: 'rollout.retargeted', actor: 'sluice', reason, numbers, rollout: next.id })
}

function settlementOf(draft: Draft): Settlement | null {
	const applied = appliedMesh(draft)
	const aim = aimOfDraft(draft)
	if (applied === null || aim === null) return null
	const desired = aim.mesh
	const settled = settle({
		applied,
		desired,
		whole: desiredMesh(draft) ?? desired,
		rollouts: draft.state.rollouts,
		isQuarantined: (wanted) => draft.state.quarantine.some(({ key }) => key === wanted),
		barsOf: (resource) =>
			barsOf(draft, resource, windowsOver(desired.resources[resource] === undefined ? applied : desired, resource)),
		quarantine: draft.state.quarantine,
		fleetLags: draft.input.fleetLags,
		mayStillHold: (draft.state.mayStillHold ?? []).flatMap((hash) => meshOf(draft, hash) ?? []),
		takesBackTo: meshOf(draft, draft.state.accepted?.takesBackTo ?? null),
		letsGo: draft.state.applied !== draft.before.applied,
	})
	return { ...settled, aim }
}

function applyChanges(draft: Draft, settlement: Settlement): void {
	apply(draft, settlement.applied)
	const count = (kind: string) => settlement.done.filter((change) => change.kind === kind).length
	const numbers = {
		prepare: count('prepare'),
		replace: count('replace'),
		remove: count('remove'),
		mesh: settlement.applied.hash,
	}
	const names = settlement.done
		.slice(0, 5)
		.map((change) => `${change.kind} ${change.kind === 'shift' ? change.route : change.resource}`)
	const more = settlement.done.length > names.length ? `, and ${settlement.done.length - names.length} more` : ''
	journal(draft, { event: 'mesh.applied', actor: 'sluice', reason: names.join(', ') + more, numbers, rollout: null })
}

function begin(draft: Draft, group: ShiftGroup): void {
	const number = draft.state.rolloutCount + 1
	const id = `${nameOfGroup(group)}#${number}`
	const revision = draft.state.accepted?.info.id ?? ''
	const phi = draft.input.phiOf(group)
	const rollout = startRollout({ id, group, revision, wallMs: draft.input.wallMs, phi })
	draft.state = { ...draft.state, rolloutCount: number, rollouts: [...draft.state.rollouts, rollout] }
	const routes = routesOf(rollout)
	const ways = describeLanes(rollout.lanes, ({ good, target }) => `from ${formatSplit(good)} to ${formatSplit(target)}`)
	const reason = routes.length > 1 && rollout.lanes.length === 1 ? `${routes.map(nameOf).join(', ')} ${ways}` : ways
	const numbers = { routes, stepsPpm: rollout.stepsPpm, revision, phi }
	journal(draft, { event: 'rollout.started', actor: 'sluice', reason, numbers, rollout: id })
}

/** One rollout for all changes that go out by waves. */
function beginWaves(draft: Draft, { candidate, changes, ...waves }: WavesToStart): void {
	const number = draft.state.rolloutCount + 1
	const id = `${nameOf(waves.mesh)}/waves#${number}`
	draft.meshes.set(candidate.hash, candidate)
	const { accepted } = draft.state
	const start = { ...waves, id, candidate: candidate.hash, changes, revision: accepted?.info.id ?? '' }
	const rollout = startWaves({ ...start, wallMs: draft.input.wallMs })
	draft.state = { ...draft.state, rolloutCount: number, rollouts: [...draft.state.rollouts, rollout] }
	const more =
		changes.length > rollout.wave.changes.length ? `, and ${changes.length - rollout.wave.changes.length} more` : ''
	const reason = `${rollout.wave.changes.join(', ')}${more}: by waves`
	const numbers = { changes: changes.length, stepsPpm: rollout.stepsPpm, revision: rollout.revision }
	journal(draft, { event: 'rollout.started', actor: 'sluice', reason, numbers, rollout: id })
}
