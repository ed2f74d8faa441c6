import { unreachable } from '#base/assert.ts'
import type { Diagnostic } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import type { Alarm, Look } from '#guard/look.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { formatSplit, nameOf } from '#plan/split.ts'
import { type FleetFacts, isRunning, type Rollout, type RolloutEvent } from '#rollout/rollout.ts'
import { retargetRollout, startRollout } from '#rollout/start-rollout.ts'
import { stepRollout } from '#rollout/step-rollout.ts'
import type { RevisionInfo } from '#source/revision.ts'
import type { JournalEntry } from '#store/store.ts'
import type { CommandReply, ControllerCommand } from './commands.ts'
import { massDelete } from './mass-delete.ts'
import { routeAfterRollout, type Settlement, settle } from './settle.ts'
import type { ControllerState, Quarantine } from './state.ts'

// One turn's decisions: (state, what happened, the fleet) → (state, journal). Pure. It reads meshes by hash from
// `meshes` and returns those that are new; it writes, sends and waits for nothing.

export type CoreEvent =
	| { readonly kind: 'boot'; readonly downMs: number }
	| {
			readonly kind: 'read'
			readonly info: RevisionInfo
			readonly mesh: Mesh
			readonly origins: string
			readonly warnings: readonly Diagnostic[]
	  }
	| {
			readonly kind: 'refused'
			readonly info: RevisionInfo | null
			readonly diagnostics: readonly Diagnostic[]
			readonly acceptable: boolean
	  }
	| { readonly kind: 'look'; readonly rollout: string; readonly step: number; readonly look: Look }
	| { readonly kind: 'alarm'; readonly rollout: string; readonly alarm: Alarm }
	| { readonly kind: 'command'; readonly command: ControllerCommand }

export type TurnInput = {
	readonly events: readonly CoreEvent[]
	/** Monotonic time since the last turn. */
	readonly elapsedMs: number
	readonly wallMs: number
	readonly factsOf: (rollout: Rollout) => FleetFacts
	/** What keeps removals waiting, or null. */
	readonly fleetLags: string | null
	/** False while the last decision is not durable, and on the pass that looks only for ways back. */
	readonly forward: boolean
	readonly meshes: ReadonlyMap<string, Mesh>
}

export type TurnResult = {
	readonly state: ControllerState
	readonly journal: readonly JournalEntry[]
	/** Meshes that the state names and that were not known before. */
	readonly newMeshes: readonly Mesh[]
	/** A rollout went back in this turn: it is published before it is journalled. */
	readonly wentBack: boolean
	readonly replies: readonly CommandReply[]
	/** What of the applied mesh has not come into force, and why. */
	readonly settlement: Settlement | null
}

/** A turn while it is being worked out. */
type Draft = {
	state: ControllerState
	readonly meshes: Map<string, Mesh>
	readonly journal: JournalEntry[]
	readonly replies: CommandReply[]
	readonly input: TurnInput
}

/** Works out one turn. The same input gives the same result. */
export function stepController(state: ControllerState, input: TurnInput): TurnResult {
	const draft: Draft = { state, meshes: new Map(), journal: [], replies: [], input }
	for (const event of input.events) takeEvent(draft, event)
	for (const rollout of draft.state.rollouts) {
		if (!isRunning(rollout)) continue
		const facts = input.factsOf(rollout)
		happen(draft, rollout.id, { kind: 'turn', elapsedMs: input.elapsedMs, facts, forward: input.forward })
	}
	const settlement = input.forward ? settleTurn(draft) : supersedeTurn(draft)
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

/** One event happens to one rollout; what it says goes into the journal. */
function happen(draft: Draft, id: string, event: RolloutEvent): void {
	const before = draft.state.rollouts.find((rollout) => rollout.id === id)
	if (before === undefined) return
	const { rollout, notes } = stepRollout(before, event, draft.input.wallMs)
	if (rollout === before) return
	replaceRollout(draft, rollout)
	for (const note of notes) journal(draft, { ...note, rollout: id })
	if (isRunning(before) && !isRunning(rollout)) ended(draft, rollout)
}

function replaceRollout(draft: Draft, rollout: Rollout): void {
	const rollouts = draft.state.rollouts.map((other) => (other.id === rollout.id ? rollout : other))
	draft.state = { ...draft.state, rollouts }
	if (rollout.phase.kind === 'rollingBack') quarantine(draft, rollout)
}

/** What went back because it was bad, or because a person said so, is not tried again by itself. */
function quarantine(draft: Draft, rollout: Rollout): void {
	if (rollout.phase.kind !== 'rollingBack' || rollout.phase.cause.by === 'superseded') return
	if (draft.state.quarantine.some(({ key }) => key === rollout.quarantineKey)) return
	const entry: Quarantine = {
		key: rollout.quarantineKey,
		route: rollout.route,
		rollout: rollout.id,
		reason: rollout.phase.cause.reason,
		wallMs: draft.input.wallMs,
	}
	// One route has one thing in quarantine: what Git asks for now. An older key cannot come back by itself.
	const others = draft.state.quarantine.filter(({ route }) => route !== rollout.route)
	draft.state = { ...draft.state, quarantine: [...others, entry] }
}

function ended(draft: Draft, rollout: Rollout): void {
	if (rollout.phase.kind !== 'succeeded') return
	const applied = appliedMesh(draft)
	const route = applied?.resources[rollout.route]
	if (applied === null || route?.kind !== 'Route') return
	const next = routeAfterRollout(route, desiredMesh(draft)?.resources[rollout.route], rollout.target)
	apply(draft, composeMesh({ ...applied.resources, [route.id]: next }))
}

function takeRevision(draft: Draft, event: Extract<CoreEvent, { kind: 'read' }>): void {
	const { info, mesh, origins, warnings } = event
	const before = desiredMesh(draft)
	const byHand = draft.state.acceptedByHand?.revision === info.id
	const deletes = before === null || byHand ? null : massDelete(before, mesh)
	if (deletes !== null) {
		refuse(draft, { kind: 'refused', info, diagnostics: [deletes], acceptable: true })
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

function obey(draft: Draft, command: ControllerCommand): CommandReply {
	if (command.kind === 'accept') return acceptRevision(draft, command)
	const rollout = draft.state.rollouts.find(({ id }) => id === command.rollout)
	if (rollout === undefined)
		return { kind: 'refused', code: 'NOT_FOUND', text: `there is no rollout ${command.rollout}` }
	if (command.kind === 'retry') return retry(draft, rollout, command)
	if (!isRunning(rollout) || rollout.phase.kind === 'rollingBack') {
		return { kind: 'refused', code: 'NOT_RUNNING', text: `rollout ${rollout.id} is ${rollout.phase.kind}` }
	}
	const { actor, reason } = command
	happen(draft, rollout.id, { kind: command.kind, command: { actor, reason } })
	return {
		kind: 'done',
		text:
			command.kind === 'abort'
				? `${rollout.id} goes back`
				: `${rollout.id} takes its next step when the proxies are ready`,
	}
}

function retry(draft: Draft, rollout: Rollout, { actor, reason }: ControllerCommand): CommandReply {
	if (rollout.phase.kind === 'rollingBack') {
		return { kind: 'refused', code: 'NOT_RUNNING', text: `rollout ${rollout.id} has not confirmed its way back yet` }
	}
	if (!draft.state.quarantine.some(({ route }) => route === rollout.route)) {
		return { kind: 'refused', code: 'NOT_QUARANTINED', text: `nothing of ${rollout.route} is in quarantine` }
	}
	draft.state = { ...draft.state, quarantine: draft.state.quarantine.filter(({ route }) => route !== rollout.route) }
	journal(draft, { event: 'rollout.retry', actor, reason, numbers: {}, rollout: rollout.id })
	return { kind: 'done', text: `what Git asks for on ${nameOf(rollout.route)} is tried again` }
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

/** Brings the applied mesh nearer to the desired one, and starts, changes or ends rollouts accordingly. */
function settleTurn(draft: Draft): Settlement | null {
	applyFirst(draft)
	const settlement = settlementOf(draft)
	if (settlement === null) return null
	if (settlement.done.length > 0) applyChanges(draft, settlement)
	supersede(draft, settlement)
	for (const { rollout, shift } of settlement.changed) {
		const revision = draft.state.accepted?.info.id ?? ''
		const next = shift === null ? null : retargetRollout(rollout, shift, revision)
		if (next === null) continue
		replaceRollout(draft, next)
		const reason = `now to ${formatSplit(next.target)}: the weights in force stay, the evidence starts afresh`
		journal(draft, { event: 'rollout.retargeted', actor: 'sluice', reason, numbers: { revision }, rollout: rollout.id })
	}
	for (const shift of settlement.start) begin(draft, shift)
	return settlement
}

/** Nothing was ever applied, and nothing is held by anyone: there is no traffic that a step could protect. */
function applyFirst(draft: Draft): void {
	const desired = desiredMesh(draft)
	if (draft.state.applied !== null || desired === null) return
	apply(draft, desired)
	const numbers = { mesh: desired.hash }
	journal(draft, { event: 'mesh.applied', actor: 'sluice', reason: 'first revision: applied at once', numbers, rollout: null })
}

/** Only the ways back that Git asks for: these wait for nothing, not even for the store. */
function supersedeTurn(draft: Draft): null {
	const settlement = settlementOf(draft)
	if (settlement !== null) supersede(draft, settlement)
	return null
}

function supersede(draft: Draft, settlement: Settlement): void {
	const revision = draft.state.accepted?.info.id ?? ''
	for (const { rollout, shift } of settlement.changed) {
		if (shift !== null && retargetRollout(rollout, shift, revision) !== null) continue
		const reason =
			shift === null ? 'Git asks for the last good shares again' : `Git asks for ${formatSplit(shift.after)} instead`
		happen(draft, rollout.id, { kind: 'supersede', reason })
	}
}

function settlementOf(draft: Draft): Settlement | null {
	const applied = appliedMesh(draft)
	const desired = desiredMesh(draft)
	if (applied === null || desired === null) return null
	return settle({
		applied,
		desired,
		rollouts: draft.state.rollouts,
		isQuarantined: (wanted) => draft.state.quarantine.some(({ key }) => key === wanted),
		fleetLags: draft.input.fleetLags,
	})
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

function begin(draft: Draft, shift: Settlement['start'][number]): void {
	const number = draft.state.rolloutCount + 1
	const parts = shift.route.split('/')
	const id = `${parts[3]}/${parts[5]}#${number}`
	const rollout = startRollout({ id, shift, revision: draft.state.accepted?.info.id ?? '', wallMs: draft.input.wallMs })
	draft.state = { ...draft.state, rolloutCount: number, rollouts: [...draft.state.rollouts, rollout] }
	const reason = `from ${formatSplit(shift.before)} to ${formatSplit(shift.after)}`
	const numbers = { route: shift.route, stepsPpm: rollout.stepsPpm, revision: rollout.revision }
	journal(draft, { event: 'rollout.started', actor: 'sluice', reason, numbers, rollout: id })
}

function apply(draft: Draft, mesh: Mesh): void {
	draft.meshes.set(mesh.hash, mesh)
	draft.state = { ...draft.state, applied: mesh.hash }
}

function appliedMesh(draft: Draft): Mesh | null {
	return meshOf(draft, draft.state.applied)
}

function desiredMesh(draft: Draft): Mesh | null {
	return meshOf(draft, draft.state.accepted?.mesh ?? null)
}

function meshOf(draft: Draft, hash: string | null): Mesh | null {
	if (hash === null) return null
	return draft.meshes.get(hash) ?? draft.input.meshes.get(hash) ?? null
}

function journal(draft: Draft, entry: Omit<JournalEntry, 'wallMs'>): void {
	draft.journal.push({ wallMs: draft.input.wallMs, ...entry })
}

/** All running rollouts and the newest ended ones. */
function keepNewest(rollouts: readonly Rollout[]): readonly Rollout[] {
	const ended = rollouts.filter((rollout) => !isRunning(rollout))
	const drop = new Set(ended.slice(0, Math.max(0, ended.length - limits.endedRollouts)))
	return drop.size === 0 ? rollouts : rollouts.filter((rollout) => !drop.has(rollout))
}
