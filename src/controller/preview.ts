// What a change would do, worked out without a daemon: the same reading, planning and compiling, and no fleet. The
// contract of the offline verbs. It asks nobody and executes nothing of the repository, so it is safe on a fork.

import { compareDiagnostics, type Diagnostic } from '#base/diagnostic.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh, Origins, WavesSpec } from '#mesh/mesh.ts'
import { policyForWaves } from '#mesh/rollout-policy.ts'
import { findTraps } from '#plan/find-traps.ts'
import { joinShifts } from '#plan/join-shifts.ts'
import type { Change, Shift, ShiftGroup } from '#plan/plan.ts'
import { planChanges } from '#plan/plan-changes.ts'
import { meshOfId } from './apply-at-once.ts'
import { type ComparedResources, compareResources } from './compare-resources.ts'
import { type Aim, wayTo } from './phases.ts'
import { type Between, type PlannedShift, plannedShift } from './planned-shift.ts'
import { hasCommit, type OfflineRead, readOfflineCommit, readOfflineFolder } from './read-offline.ts'
import type { TrafficSource } from './shift-outlook.ts'
import { diagnosticsOfTraps } from './trap-diagnostics.ts'

/** Reads and checks the mesh in a folder. */
export async function validateFolder(path: string): Promise<OfflineRead> {
	return readOfflineFolder(path)
}

export type PlanOutcome =
	| { readonly kind: 'planned'; readonly preview: PlanPreview }
	/** `side` names what is wrong: what is to come, or what it is compared with. */
	| {
			readonly kind: 'refused'
			readonly side: 'new' | 'base'
			readonly name: string
			readonly diagnostics: readonly Diagnostic[]
	  }
	| { readonly kind: 'unreadable'; readonly message: string }

export type PlanPreview = ComparedResources & {
	/** What it was compared with; null when with nothing. */
	readonly base: string | null
	readonly warnings: readonly Diagnostic[]
	/** What both ends would have to change at once: the daemon refuses it until a person accepts. All are errors. */
	readonly traps: readonly Diagnostic[]
	/** In the order in which they may happen. */
	readonly changes: readonly PlannedChange[]
	/** How the same goes out where both ends must agree on a part of it; none where they need not, or no way is known. */
	readonly phases: readonly PlannedPhase[]
}

/** `widen`: servers take the old and the new · `switch`: their callers change · `whole`: servers take the new alone. */
export type PlannedPhase = { readonly phase: Aim['phase']; readonly changes: readonly PlannedChange[] }

export type PlannedChange =
	| {
			readonly kind: 'prepare'
			readonly resource: string
			readonly action: 'add' | 'change' | 'remove'
			readonly reason: string | null
	  }
	| {
			readonly kind: 'replace'
			readonly resource: string
			readonly action: 'add' | 'change' | 'remove'
			/** `confirmed`: not while proxies may hold an older mesh that does not get along with it. */
			readonly when: 'atOnce' | 'confirmed'
			/** How it goes out over the proxies; null: to all of them at once. */
			readonly waves: WavesSpec | null
			readonly reason: string
	  }
	| { readonly kind: 'remove'; readonly resource: string }
	| PlannedShift

export type PlanRequest = {
	readonly path: string
	readonly base: string | null
	/** Null: nothing is known of the traffic. */
	readonly traffic: TrafficSource | null
}

/**
 * Compares the mesh in a folder with `base`: a folder, else a commit by any name that Git knows; when null, with the
 * commit that the folder's work tree is at, and with nothing where there is none.
 */
export async function previewPlan({ path, base, traffic }: PlanRequest): Promise<PlanOutcome> {
	const [after, before] = await Promise.all([readOfflineFolder(path), readBase(path, base)])
	if (after.kind === 'unreadable') return after
	if (after.outcome.kind === 'refused')
		return { kind: 'refused', side: 'new', name: after.name, diagnostics: after.outcome.diagnostics }
	const { mesh, warnings, origins } = after.outcome
	if (before === null)
		return { kind: 'planned', preview: comparePlans(composeMesh({}), mesh, { base: null, warnings, origins, traffic }) }
	if (before.kind === 'unreadable') return before
	if (before.outcome.kind === 'refused')
		return { kind: 'refused', side: 'base', name: before.name, diagnostics: before.outcome.diagnostics }
	const about = { base: before.name, warnings, origins, traffic }
	return { kind: 'planned', preview: comparePlans(before.outcome.mesh, mesh, about) }
}

async function readBase(path: string, base: string | null): Promise<OfflineRead | null> {
	if (base === null) return (await hasCommit(path)) ? readOfflineCommit(path, 'HEAD') : null
	const folder = await readOfflineFolder(base)
	return folder.kind === 'read' ? folder : readOfflineCommit(path, base)
}

type About = Pick<PlanPreview, 'base' | 'warnings'> & {
	readonly origins: Origins
	readonly traffic: TrafficSource | null
}

/** The pure part: two meshes → what would happen between them. What is compared with nothing is caught in no trap. */
export function comparePlans(before: Mesh, after: Mesh, { base, warnings, origins, traffic }: About): PlanPreview {
	const changes = withGroups(planChanges(before, after).changes)
	const way = wayTo(before, after)
	const found = way === null ? findTraps(before, after) : []
	const traps = diagnosticsOfTraps(found, origins).sort(compareDiagnostics)
	const planned = changes.map((change) => plannedChange(change, { before, after, traffic }))
	const phases = plannedPhases(before, way ?? [], traffic)
	return { base, warnings, traps, changes: planned, phases, ...compareResources(before, after) }
}

function plannedPhases(base: Mesh, way: readonly Aim[], traffic: TrafficSource | null): PlannedPhase[] {
	if (way.length < 2) return []
	return way.map(({ phase, mesh }, index) => {
		const before = way[index - 1]?.mesh ?? base
		const changes = withGroups(planChanges(before, mesh).changes)
		return { phase, changes: changes.map((change) => plannedChange(change, { before, after: mesh, traffic })) }
	})
}

type ChangeOrGroup = Exclude<Change, Shift> | { readonly kind: 'group'; readonly group: ShiftGroup }

/** Shifts as the rollouts that they will be, in place of the first of each. */
function withGroups(changes: readonly Change[]): ChangeOrGroup[] {
	const groups = joinShifts(changes.filter((change) => change.kind === 'shift'))
	return changes.flatMap((change): ChangeOrGroup[] => {
		if (change.kind !== 'shift') return [change]
		const group = groups.find(({ shifts: [first] }) => first === change)
		return group === undefined ? [] : [{ kind: 'group', group }]
	})
}

function plannedChange(change: ChangeOrGroup, between: Between): PlannedChange {
	switch (change.kind) {
		case 'prepare':
			return change
		case 'replace':
			return { ...change, waves: policyForWaves(between.after, meshOfId(change.resource))?.waves ?? null }
		case 'remove':
			return { kind: 'remove', resource: change.resource }
		case 'group':
			return plannedShift(change.group, between)
	}
}
