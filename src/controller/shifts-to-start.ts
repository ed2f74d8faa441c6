import { hashValue } from '#base/hash.ts'
import type { Mesh, Resource, ResourceId } from '#mesh/mesh.ts'
import type { Shift, Target } from '#plan/plan.ts'
import { isSameTarget } from '#plan/split.ts'
import type { Hold, Rollout } from '#rollout/rollout.ts'

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
	readonly start: readonly Shift[]
	readonly queued: readonly { readonly shift: Shift; readonly behind: string }[]
	readonly barred: readonly { readonly route: ResourceId; readonly bars: readonly Hold[] }[]
}

export function startable(shifts: readonly Shift[], situation: Situation): Startable {
	const { running, unsettled, isQuarantined, barsOf } = situation
	const start: Shift[] = []
	const queued: { shift: Shift; behind: string }[] = []
	const barred: { route: ResourceId; bars: readonly Hold[] }[] = []
	for (const shift of shifts) {
		if (isQuarantined(shift.quarantineKey) || running.some(({ route }) => route === shift.route)) continue
		const bars = barsOf(shift.route)
		if (bars.length > 0) {
			barred.push({ route: shift.route, bars })
			continue
		}
		// The next rollout would have clusters of the same names.
		const earlier = unsettled.find(({ route }) => route === shift.route)?.id ?? null
		const behind = earlier ?? rivalOf(shift, running, start) ?? absentTargetOf(shift, situation)
		if (behind !== null) queued.push({ shift, behind })
		else start.push(shift)
	}
	return { start, queued, barred }
}

function rivalOf(shift: Shift, running: readonly Rollout[], start: readonly Shift[]): string | null {
	const rival = running.find((rollout) => isRival(shift, { canaries: rollout.canaries, baseline: rollout.baseline }))
	const earlier = start.find((other) => isRival(shift, { canaries: other.rising, baseline: other.falling }))
	return rival?.id ?? earlier?.route ?? null
}

/**
 * A rising target that is not applied as it is aimed at, or whose listener Git wants otherwise in the end: a rollout to it
 * would judge something else, or nothing at all.
 */
function absentTargetOf({ rising }: Shift, { resources, desired, whole }: Situation): string | null {
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
	const listeners = [applied, resources[id]].map((node) => {
		return node?.kind === 'VirtualNode' ? node.spec.listeners.find((listener) => listener.port === port) : undefined
	})
	return hashValue(listeners[0] ?? null) === hashValue(listeners[1] ?? null)
}

/** No target is canary of one running rollout and baseline of another (rules, motion 3). */
function isRival(shift: Shift, other: Pick<Rollout, 'canaries' | 'baseline'>): boolean {
	const meets = (left: Shift['rising'], right: Shift['rising']) =>
		left.some((target) => right.some((member) => isSameTarget(target, member)))
	return meets(shift.rising, other.baseline) || meets(shift.falling, other.canaries)
}
