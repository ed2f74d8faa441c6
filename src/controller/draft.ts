import { hashValue } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { findBrokenLinks } from '#mesh/link.ts'
import type { Mesh, ResourceId, RolloutWindow } from '#mesh/mesh.ts'
import { type Hold, isRunning, type Rollout, type RolloutEvent, routesOf } from '#rollout/rollout.ts'
import { stepRollout } from '#rollout/step-rollout.ts'
import { runningWave } from '#rollout/wave.ts'
import type { JournalEntry, StoredLook } from '#store/store.ts'
import { routeWithTargets } from './apply-at-once.ts'
import type { CommandReply } from './commands.ts'
import { findFreeze } from './freeze.ts'
import { type Aim, aimOnce } from './phases.ts'
import { routeAfterRollout } from './settle.ts'
import type { ControllerState, Quarantine } from './state.ts'
import type { TurnInput } from './turn.ts'
import { partsBetween } from './waves-to-start.ts'
import { describeWindow } from './windows.ts'

// A turn while it is being worked out: the state so far, and what will be said of it. Nothing of it is in force before
// the turn is done.

export type Draft = {
	/** The state before the turn: what is in force while the turn is worked out. */
	readonly before: ControllerState
	state: ControllerState
	readonly meshes: Map<string, Mesh>
	readonly journal: JournalEntry[]
	readonly replies: CommandReply[]
	readonly looks: StoredLook[]
	readonly input: TurnInput
}

/** One event happens to one rollout; what it says goes into the journal. */
export function happen(draft: Draft, id: string, event: RolloutEvent): void {
	const before = draft.state.rollouts.find((rollout) => rollout.id === id)
	if (before === undefined) return
	const { rollout, notes } = stepRollout(before, event, draft.input.wallMs)
	if (rollout === before) return
	replaceRollout(draft, rollout)
	for (const note of notes) journal(draft, { ...note, rollout: id })
	if (isRunning(before) && !isRunning(rollout)) ended(draft, rollout)
}

export function replaceRollout(draft: Draft, rollout: Rollout): void {
	const rollouts = draft.state.rollouts.map((other) => (other.id === rollout.id ? rollout : other))
	draft.state = { ...draft.state, rollouts }
	if (rollout.phase.kind === 'rollingBack') quarantine(draft, rollout)
}

/** What went back because it was bad, or because a person said so, is not tried again by itself: none of its routes. */
function quarantine(draft: Draft, rollout: Rollout): void {
	const { phase, lanes } = rollout
	if (phase.kind !== 'rollingBack' || phase.cause.by === 'superseded') return
	const about = { rollout: rollout.id, reason: phase.cause.reason, wallMs: draft.input.wallMs }
	const parts = partsOfWave(draft, rollout)
	const most = rollout.wave === null ? limits.quarantinedOfRoute : limits.quarantinedWaves
	for (const { routes } of lanes)
		for (const { id, key } of routes) quarantineRoute(draft, { key, route: id, ...about, ...parts }, most)
}

/** @param most entries of one route */
function quarantineRoute(draft: Draft, entry: Quarantine, most: number): void {
	if (draft.state.quarantine.some(({ key }) => key === entry.key)) return
	// What failed before it stays in quarantine too, as long as there is room: a revert may bring it back.
	const same = draft.state.quarantine.filter(({ route }) => route === entry.route)
	const dropped = new Set(same.slice(0, Math.max(0, same.length + 1 - most)))
	const others = draft.state.quarantine.filter((older) => !dropped.has(older))
	draft.state = { ...draft.state, quarantine: [...others, entry] }
}

function partsOfWave(draft: Draft, { wave }: Rollout): Pick<Quarantine, 'parts'> {
	const applied = appliedMesh(draft)
	const candidate = meshOf(draft, wave?.candidate ?? null)
	if (applied === null || candidate === null) return {}
	const parts = partsBetween(applied.resources, candidate.resources)
	return parts.length > limits.quarantineParts ? {} : { parts }
}

function ended(draft: Draft, rollout: Rollout): void {
	if (rollout.phase.kind !== 'succeeded') return
	if (rollout.wave !== null) return wavesHaveGoneOut(draft, rollout.wave.candidate)
	const applied = appliedMesh(draft)
	if (applied === null) return
	const resources = { ...applied.resources }
	for (const lane of rollout.lanes) {
		for (const { id } of lane.routes) {
			const route = applied.resources[id]
			if (route?.kind !== 'Route') continue
			resources[id] = routeAfterRollout(route, desiredMesh(draft)?.resources[id], lane.target)
			// As Git writes it, it may name another target, without a share, that is not there yet.
			if (findBrokenLinks(resources).length > 0) resources[id] = routeAfterRollout(route, undefined, lane.target)
		}
	}
	apply(draft, composeMesh(resources))
}

function wavesHaveGoneOut(draft: Draft, candidate: string): void {
	const mesh = meshOf(draft, candidate)
	if (mesh !== null) apply(draft, mesh)
}

export function apply(draft: Draft, mesh: Mesh): void {
	draft.meshes.set(mesh.hash, mesh)
	const { applied: before, mayStillHold = [] } = draft.state
	if (before === mesh.hash) return
	carryShares(draft, meshOf(draft, before), mesh)
	const older = mayStillHold.filter((hash) => hash !== mesh.hash && hash !== before)
	const held = before === null ? older : [...older, before]
	// The oldest is what all had last: what lags most is likely to have just that.
	const dropped = Math.max(0, held.length - limits.meshesStillHeld)
	draft.state = { ...draft.state, applied: mesh.hash, mayStillHold: held.toSpliced(1, dropped) }
}

/**
 * Shares have rollouts of their own, and a way back of them may end while something goes out by waves: candidates have
 * the same. Where their mesh cannot have them, it goes back.
 */
function carryShares(draft: Draft, before: Mesh | null, after: Mesh): void {
	const rollout = runningWave(draft.state.rollouts)
	const candidate = meshOf(draft, rollout?.wave?.candidate ?? null)
	if (before === null || rollout?.wave == null || candidate === null) return
	const resources = { ...candidate.resources }
	for (const route of Object.values(after.resources)) {
		const [old, own] = [before.resources[route.id], resources[route.id]]
		if (route.kind !== 'Route' || old?.kind !== 'Route' || own?.kind !== 'Route') continue
		if (hashValue(old.spec.targets) === hashValue(route.spec.targets)) continue
		resources[route.id] = routeWithTargets(own, route.spec.targets)
	}
	const mesh = composeMesh(resources)
	if (mesh.hash === candidate.hash) return
	if (findBrokenLinks(resources).length > 0)
		return happen(draft, rollout.id, { kind: 'supersede', reason: 'shares have changed to what it does not know' })
	draft.meshes.set(mesh.hash, mesh)
	replaceRollout(draft, { ...rollout, wave: { ...rollout.wave, candidate: mesh.hash } })
}

export function appliedMesh(draft: Draft): Mesh | null {
	return meshOf(draft, draft.state.applied)
}

export function desiredMesh(draft: Draft): Mesh | null {
	return meshOf(draft, draft.state.accepted?.mesh ?? null)
}

/** What the applied mesh is to come nearer to now; null before there is anything of that. */
export function aimOfDraft(draft: Draft): Aim | null {
	const applied = appliedMesh(draft)
	const desired = desiredMesh(draft)
	if (applied === null || desired === null) return null
	const { accepted, rollouts, mayStillHold = [] } = draft.state
	if (accepted?.inPhases !== true) return { phase: 'whole', mesh: desired }
	const held = mayStillHold.flatMap((hash) => meshOf(draft, hash) ?? [])
	const candidate = meshOf(draft, runningWave(rollouts)?.wave?.candidate ?? null)
	return aimOnce(applied, desired, { rollouts, candidate, mayStillHold: held })
}

export function meshOf(draft: Draft, hash: string | null): Mesh | null {
	if (hash === null) return null
	return draft.meshes.get(hash) ?? draft.input.meshes.get(hash) ?? null
}

/** What people and the windows of a policy forbid to go forward here, now. */
export function barsOf(draft: Draft, resource: ResourceId, windows: readonly RolloutWindow[]): readonly Hold[] {
	const frozen = findFreeze(draft.state.freezes, resource)
	const isClosed = !draft.input.isWithin(windows)
	const closed: Hold = { code: 'WINDOW', text: `outside its windows: ${windows.map(describeWindow).join('; ')}` }
	return [...(frozen === null ? [] : [frozen]), ...(isClosed ? [closed] : [])]
}

/** What forbids a rollout to go forward: any of its routes, or of waves the mesh and what they change. Each said once. */
export function barsOfRollout(draft: Draft, rollout: Rollout): readonly Hold[] {
	const concerned = [...routesOf(rollout), ...(rollout.wave?.changes ?? [])]
	const bars = concerned.flatMap((resource) => barsOf(draft, resource, rollout.policy.windows))
	return bars.filter(({ text }, index) => bars.findIndex((bar) => bar.text === text) === index)
}

export function journal(draft: Draft, entry: Omit<JournalEntry, 'wallMs'>): void {
	draft.journal.push({ wallMs: draft.input.wallMs, ...entry })
}
