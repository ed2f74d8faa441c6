import { hashValue } from '#base/hash.ts'
import type { Mesh, Resource, ResourceId } from '#mesh/mesh.ts'
import { joinShifts } from '#plan/join-shifts.ts'
import { listenerOf } from '#plan/live-paths.ts'
import type { Shift, ShiftGroup, Target } from '#plan/plan.ts'
import { isSameTarget } from '#plan/split.ts'
import { type Hold, laneOf, type Rollout } from '#rollout/rollout.ts'
import type { Barred } from './apply-at-once.ts'

// Of the shifts that Git asks for, those that rollouts may begin for now, and what each of the others waits for.

export type Situation = {
	readonly resources: Readonly<Record<ResourceId, Resource>>
	readonly desired: Mesh
	readonly whole: Mesh
	readonly running: readonly Rollout[]
	/** Those and the ones that have ended and have clusters of their own still. */
	readonly unsettled: readonly Rollout[]
	readonly isQuarantined: (key: string) => boolean
	readonly barsOf: (resource: ResourceId) => readonly Hold[]
}

export type Startable = {
	readonly start: readonly ShiftGroup[]
	readonly queued: readonly { readonly group: ShiftGroup; readonly behind: string }[]
	readonly barred: readonly Barred[]
}

/** What failed before, or is on its way, keeps nothing else from starting; what is one rollout waits together. */
export function startable(shifts: readonly Shift[], situation: Situation): Startable {
	const { running, unsettled, isQuarantined, barsOf } = situation
	const start: ShiftGroup[] = []
	const queued: { group: ShiftGroup; behind: string }[] = []
	const barred: Barred[] = []
	const mayStart = ({ route, quarantineKey }: Shift) =>
		!isQuarantined(quarantineKey) && rolloutOn(route, running) === null
	for (const group of joinShifts(shifts.filter(mayStart))) {
		const routes = group.shifts.map(({ route }) => route)
		const bars = routes.flatMap(barsOf)
		if (bars.length > 0) {
			barred.push(...routes.map((route) => ({ resource: route, bars })))
			continue
		}
		// The next rollout would have clusters of the same names.
		const earlier = routes.map((route) => rolloutOn(route, unsettled)).find((rollout) => rollout !== null)?.id ?? null
		const behind = earlier ?? rivalOf(group, running, start) ?? absentTargetOf(group, situation)
		if (behind !== null) queued.push({ group, behind })
		else start.push(group)
	}
	return { start, queued, barred }
}

function rolloutOn(route: ResourceId, rollouts: readonly Rollout[]): Rollout | null {
	return rollouts.find((rollout) => laneOf(rollout, route) !== null) ?? null
}

function rivalOf(group: ShiftGroup, running: readonly Rollout[], start: readonly ShiftGroup[]): string | null {
	const rival = running.find((rollout) => isRival(group, rollout))
	const earlier = start.find((other) => isRival(group, { canaries: other.rising, baseline: other.falling }))
	return rival?.id ?? earlier?.shifts[0].route ?? null
}

/**
 * A rising target that is not applied as it is aimed at, or whose listener Git wants otherwise in the end: a rollout to it
 * would judge something else, or nothing at all.
 */
function absentTargetOf({ rising }: ShiftGroup, { resources, desired, whole }: Situation): string | null {
	const absent = rising.find((target) => {
		const { virtualNode: id } = target
		return resources[id]?.hash !== desired.resources[id]?.hash || !isSameListener(target, resources[id], whole)
	})
	return absent === undefined ? null : `${absent.virtualNode}, which cannot change yet`
}

function isSameListener(
	{ virtualNode: id, port }: Target,
	applied: Resource | undefined,
	{ resources }: Mesh,
): boolean {
	const listenerIn = (node: Resource | undefined) =>
		node?.kind === 'VirtualNode' ? (listenerOf(node, port) ?? null) : null
	return hashValue(listenerIn(applied)) === hashValue(listenerIn(resources[id]))
}

/** No target is canary of one running rollout and baseline of another (rules, motion 3). */
function isRival(group: ShiftGroup, other: Pick<Rollout, 'canaries' | 'baseline'>): boolean {
	const meets = (left: readonly Target[], right: readonly Target[]) =>
		left.some((target) => right.some((member) => isSameTarget(target, member)))
	return meets(group.rising, other.baseline) || meets(group.falling, other.canaries)
}
