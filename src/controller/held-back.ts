import type { Mesh, ResourceId } from '#mesh/mesh.ts'
import type { Change, Shift } from '#plan/plan.ts'
import { isRunning, laneOf, type Rollout } from '#rollout/rollout.ts'
import { runningWave } from '#rollout/wave.ts'
import type { ControllerView } from './controller-view.ts'
import { planOnce } from './plan-once.ts'
import type { HeldBack } from './status.ts'

export type HeldBackView = Pick<ControllerView, 'state' | 'meshes' | 'settlement' | 'durable'>

/** What the accepted revision asks for and is not applied yet, with the reason. Removals are told apart from it. */
export function findHeldBack(view: HeldBackView): readonly HeldBack[] {
	const applied = meshOf(view, view.state.applied)
	const desired = meshOf(view, view.state.accepted?.mesh ?? null)
	if (applied === null || desired === null || applied.hash === desired.hash) return []
	return planOnce(applied, desired).changes.flatMap((change) => heldBack(change, view))
}

/** The quarantine keys of what Git asks for and is not applied. */
export function askedKeys({
	state,
	meshes,
	settlement,
}: Pick<ControllerView, 'state' | 'meshes' | 'settlement'>): ReadonlySet<string> {
	const applied = meshes.get(state.applied ?? '')
	const aim = settlement?.aim.mesh ?? meshes.get(state.accepted?.mesh ?? '')
	if (applied === undefined || aim === undefined) return new Set()
	const { changes } = planOnce(applied, aim)
	const shifts = changes.flatMap((change) => (change.kind === 'shift' ? [change.quarantineKey] : []))
	return new Set([...shifts, ...(settlement?.failedWaves ?? []).map(({ key }) => key)])
}

function heldBack(change: Change, view: HeldBackView): HeldBack[] {
	switch (change.kind) {
		case 'remove':
			return []
		case 'shift':
			return [{ kind: 'shift', resource: change.route, ...whyNoShift(change, view) }]
		case 'prepare':
		case 'replace':
			return [
				{ kind: change.kind, resource: change.resource, code: null, reason: reasonOfOther(change.resource, view) },
			]
	}
}

function whyNoShift(shift: Shift, view: HeldBackView): Pick<HeldBack, 'code' | 'reason'> {
	const [bar] = view.settlement?.barred.find(({ resource }) => resource === shift.route)?.bars ?? []
	const isBarred = bar?.code === 'FROZEN' || bar?.code === 'WINDOW'
	return isBarred ? { code: bar.code, reason: bar.text } : { code: null, reason: reasonOfShift(shift, view) }
}

function reasonOfShift(shift: Shift, view: HeldBackView): string {
	const running = runningOn(shift.route, view)
	if (running !== undefined) return `rollout ${running.id} brings it in`
	const quarantined = view.state.quarantine.find(({ key }) => key === shift.quarantineKey)
	if (quarantined !== undefined) return `in quarantine since rollout ${quarantined.rollout}: ${quarantined.reason}`
	const queued = view.settlement?.queued.find(({ group }) => group.shifts.some(({ route }) => route === shift.route))
	if (queued !== undefined) return `waits for ${queued.behind}`
	return view.durable ? 'with the next turn' : 'the store does not answer: nothing moves forward'
}

function reasonOfOther(resource: string, view: HeldBackView): string {
	const byWaves = reasonByWaves(resource, view)
	if (byWaves !== null) return byWaves
	const running = runningOn(resource, view)
	if (running !== undefined) return `until rollout ${running.id} has ended`
	if (!view.durable) return 'the store does not answer: nothing moves forward'
	const [bar] = view.settlement?.barred.find((barred) => barred.resource === resource)?.bars ?? []
	if (bar !== undefined) return bar.text
	const unconfirmed = view.settlement?.unconfirmed.find((waiting) => waiting.resource === resource)
	if (unconfirmed !== undefined) return unconfirmed.reason
	const phase = view.settlement?.aim.phase ?? 'whole'
	if (phase !== 'whole') return phaseReasons[phase]
	return 'what is still in force needs it as it is'
}

const phaseReasons = {
	widen: 'both ends must agree on it: it waits until every server takes the old and the new',
	switch: 'both ends must agree on it: it waits until every caller has changed',
} as const

/** Waves on their way, and those that failed with just this. */
function reasonByWaves(resource: string, { state, meshes, settlement }: HeldBackView): string | null {
	const wave = runningWave(state.rollouts)
	if (wave !== null) {
		const [before, after] = [state.applied, wave.wave?.candidate].map((hash) => meshes.get(hash ?? '')?.resources)
		const isIn = before?.[resource as ResourceId]?.hash !== after?.[resource as ResourceId]?.hash
		return isIn ? `rollout ${wave.id} brings it in` : `waits for ${wave.id}`
	}
	const failed = settlement?.failedWaves.find(({ changes }) => changes.includes(resource as ResourceId))
	const entry = state.quarantine.find(({ key }) => key === failed?.key)
	if (entry !== undefined) return `in quarantine since rollout ${entry.rollout}: ${entry.reason}`
	return null
}

function runningOn(route: string, view: HeldBackView): Rollout | undefined {
	return view.state.rollouts.find((rollout) => isRunning(rollout) && laneOf(rollout, route) !== null)
}

function meshOf(view: HeldBackView, hash: string | null): Mesh | null {
	return hash === null ? null : (view.meshes.get(hash) ?? null)
}
