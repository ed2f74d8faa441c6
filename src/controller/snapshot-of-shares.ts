import { compileGroup } from '#compile/compile-group.ts'
import type { ProxyGroup } from '#compile/compiled.ts'
import type { Discovered } from '#discovery/discovered.ts'
import { allSplits, type EffectiveMesh } from '#rollout/effective-mesh.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import { findInconsistencies } from '#snapshot/find-inconsistencies.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { sharesUpon } from './stand-in.ts'

export type Served = {
	readonly group: ProxyGroup
	/** What the group is served at present. */
	readonly snapshot: Snapshot | null
	readonly discovered: Discovered
}

/** The shares in force upon resources that fitted together before; null when not even that does. */
export function snapshotOfShares(
	inForce: EffectiveMesh,
	before: EffectiveMesh,
	{ group, snapshot: served, discovered }: Served,
): Snapshot | null {
	const older = { ...sharesUpon(before, inForce, allSplits(inForce)), prepared: inForce.prepared }
	const compiled = compileGroup(older, group, discovered)
	const snapshot = compiled === null ? null : encodeSnapshot(compiled, served).snapshot
	return snapshot === null || findInconsistencies(snapshot).length > 0 ? null : snapshot
}
