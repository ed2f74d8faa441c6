import { hashValue } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh, Resource, ResourceId } from '#mesh/mesh.ts'
import { findTraps } from '#plan/find-traps.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'
import { nameOfTrap, targetsUnder } from './trap-diagnostics.ts'

// A revision is judged against what is applied, but a proxy that lags may still hold a mesh that was applied before. What
// both ends must agree on may change only into something that gets along with that one too (rules §4.4: clients switch
// only to servers that all ACKed the widening). A way back, and what mends a change that proxies refuse, gets along.

export type UnconfirmedOptions = {
	readonly desired: Mesh
	readonly rollouts: readonly Rollout[]
	/** Meshes applied before that an expected proxy may still hold. */
	readonly mayStillHold: readonly Mesh[]
	/** What is applied when all else of this turn is. */
	readonly resources: Readonly<Record<ResourceId, Resource>>
}

/** Of resources that are to change in what both ends must agree on, those that must wait. As many go on as can together. */
export function findUnconfirmed(changing: readonly ResourceId[], options: UnconfirmedOptions): ReadonlySet<ResourceId> {
	const { desired, mayStillHold, rollouts } = options
	if (changing.length === 0 || mayStillHold.length === 0) return new Set()
	// Who lags has it so already, or had it: back there goes at once, whatever else that does.
	const isBack = (id: ResourceId) =>
		mayStillHold.some(({ resources }) => resources[id]?.hash === desired.resources[id]?.hash)
	const base = composeMesh(withChanges(options.resources, changing.filter(isBack), desired))
	const judged = changing.filter((id) => !isBack(id))
	const running = rollouts.filter(isRunning).map(({ lanes }) => lanes)
	const key = hashValue([base.hash, desired.hash, judged, mayStillHold.map(({ hash }) => hash), running])
	if (lastFound?.key === key) return lastFound.found
	const found = sift(judged, base, options)
	lastFound = { key, found }
	return found
}

/** Traps cost the size of the mesh; while a proxy lags, most turns ask what the turn before asked. */
let lastFound: { readonly key: string; readonly found: ReadonlySet<ResourceId> } | null = null

function sift(judged: readonly ResourceId[], base: Mesh, options: UnconfirmedOptions): ReadonlySet<ResourceId> {
	const { desired, mayStillHold } = options
	const targetsOf = targetsUnder(options.rollouts)
	const trapsOf = (held: Mesh, mesh: Mesh) => findTraps(held, mesh, targetsOf).map(nameOfTrap)
	// What is applied already, or a person has accepted, is not made better by waiting.
	const older = mayStillHold.map((held) => ({ held, known: new Set(trapsOf(held, base)) }))
	const breaks = (mesh: Mesh) => older.some(({ held, known }) => trapsOf(held, mesh).some((trap) => !known.has(trap)))
	const found = new Set<ResourceId>()
	let taken = base
	let triesLeft = limits.mixturesTried
	take(judged)
	return found

	function take(group: readonly ResourceId[]): void {
		if (group.length === 0) return
		const mesh = composeMesh(withChanges(taken.resources, group, desired))
		triesLeft -= 1
		if (triesLeft >= 0 && !breaks(mesh)) {
			taken = mesh
		} else if (group.length === 1 || triesLeft <= 0) {
			for (const id of group) found.add(id)
		} else {
			const half = Math.ceil(group.length / 2)
			take(group.slice(0, half))
			take(group.slice(half))
		}
	}
}

function withChanges(resources: Mesh['resources'], ids: readonly ResourceId[], desired: Mesh): Mesh['resources'] {
	const changes = ids.flatMap((id) => desired.resources[id] ?? []).map((resource) => [resource.id, resource] as const)
	return { ...resources, ...Object.fromEntries(changes) }
}
