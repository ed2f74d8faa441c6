import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { type Carrier, carriersOf } from '#compile/names.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import type { Proxy } from '#xds/fleet-view.ts'
import type { Concern } from './concerns.ts'
import { effectiveMesh } from './effective.ts'
import type { FleetPort } from './ports.ts'

// A way back is published before it is journalled. A daemon that dies between the two finds, when it starts again, a
// rollout that still moves forward in its store, and proxies that hold the last good shares already. It must not raise
// them: proxies that come back with the last good bytes keep them, and the rollout goes back.

export type BootHold = {
	/** Before a proxy's group is published for the first time: what it may hold and keep. */
	greet(proxy: Proxy): void
	/** True when a proxy was found that had been taken back. */
	foundBack(rollout: Rollout, concern: Concern): boolean
	/** Ends the hold of rollouts that have gone back or ended, and all of them when everyone has had time to come back. */
	expire(rollouts: readonly Rollout[]): void
}

type Good = Carrier & { readonly version: string }
/** `versions`: by group key. */
type Held = { readonly rollout: Rollout; readonly versions: Map<string, readonly Good[]> }

export function createBootHold(options: {
	rollouts: readonly Rollout[]
	applied: Mesh | undefined
	fleet: FleetPort
	clock: Clock
}): BootHold {
	const { rollouts, applied, fleet, clock } = options
	const untilMs = clock.monotonicMs() + limits.bootHoldMs
	const held = new Map<string, Held>()
	for (const rollout of rollouts) {
		if (isRunning(rollout) && rollout.phase.kind !== 'rollingBack' && rollout.step >= 0)
			held.set(rollout.id, { rollout, versions: new Map() })
	}

	/** What carries the route at its last good shares. */
	function goodVersions({ rollout }: Held, { group }: Proxy): readonly Good[] {
		if (applied === undefined) return []
		const others = rollouts.filter(({ id }) => id !== rollout.id)
		const effective = effectiveMesh(applied, [...others, { ...rollout, step: -1 }])
		const compiled = compileGroup(effective, group, nothingDiscovered)
		if (compiled === null) return []
		const { types } = encodeSnapshot(compiled, null).snapshot
		return carriersOf(effective, group, rollout.route).flatMap((carrier): Good[] => {
			const resource = types[carrier.typeUrl].resources.get(carrier.name)
			return resource === undefined ? [] : [{ ...carrier, version: resource.version }]
		})
	}

	function release({ versions }: Held): void {
		for (const [groupKey, good] of versions)
			for (const { typeUrl, name } of good) fleet.keep(groupKey, typeUrl, name, null)
	}

	return {
		greet(proxy) {
			for (const one of held.values()) {
				if (one.versions.has(proxy.groupKey)) continue
				const versions = goodVersions(one, proxy)
				one.versions.set(proxy.groupKey, versions)
				for (const { typeUrl, name, version } of versions) fleet.keep(proxy.groupKey, typeUrl, name, version)
			}
		},
		foundBack(rollout, concern) {
			const one = held.get(rollout.id)
			if (one === undefined) return false
			return [...concern.groupKeys].some((groupKey) => {
				const versions = one.versions.get(groupKey) ?? []
				// One that is excluded may lag, which proves nothing.
				return [...fleet.counted(groupKey)].some(({ key }) =>
					versions.some(({ typeUrl, name, version }) => fleet.holds(key, typeUrl, name) === version),
				)
			})
		},
		expire(present) {
			for (const [id, one] of held) {
				const rollout = present.find((other) => other.id === id)
				// Another target is no reason: it would be reached from the step that was taken back.
				const isOver = rollout === undefined || !isRunning(rollout) || rollout.phase.kind === 'rollingBack'
				if (!isOver && clock.monotonicMs() < untilMs) continue
				held.delete(id)
				release(one)
			}
		},
	}
}
