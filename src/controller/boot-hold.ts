import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { compileGroup } from '#compile/compile-group.ts'
import type { ProxyGroup } from '#compile/compiled.ts'
import { type Carrier, carriersOf } from '#compile/names.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'
import { isCandidate } from '#rollout/wave.ts'
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
	/** What candidates were served, where something went out by waves. */
	candidate: Mesh | undefined
	fleet: FleetPort
	clock: Clock
}): BootHold {
	const { rollouts, applied, candidate, fleet, clock } = options
	const untilMs = clock.monotonicMs() + limits.bootHoldMs
	const held = new Map<string, Held>()
	for (const rollout of rollouts) {
		if (isRunning(rollout) && rollout.phase.kind !== 'rollingBack' && rollout.step >= 0)
			held.set(rollout.id, { rollout, versions: new Map() })
	}

	/** What carries the route at its last good shares. */
	function goodVersions({ rollout }: Held, { group }: Proxy): readonly Good[] {
		if (applied === undefined) return []
		if (rollout.wave !== null) return group.cohort === 'candidate' ? stableVersions(applied, group) : []
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

	/** What a candidate holds that has been taken back: all that the others have and candidates do not. */
	function stableVersions(stable: Mesh, group: ProxyGroup): readonly Good[] {
		if (candidate === undefined) return []
		const versionsIn = (mesh: Mesh) => {
			const compiled = compileGroup(effectiveMesh(mesh, rollouts), group, nothingDiscovered) ?? []
			return Object.values(encodeSnapshot(compiled, null).snapshot.types).flatMap(({ resources }) => [
				...resources.values(),
			])
		}
		const others = new Set(versionsIn(candidate).map(({ typeUrl, name, version }) => [typeUrl, name, version].join()))
		return versionsIn(stable).filter(({ typeUrl, name, version }) => !others.has([typeUrl, name, version].join()))
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
				const wasMoved = [...fleet.counted(groupKey)].filter((proxy) => isMoved(rollout, proxy))
				return wasMoved.some(({ key }) =>
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

/** A wave may have been decided and not published: who is in it for the first time holds what it had, and was not taken back. */
function isMoved(rollout: Rollout, proxy: Proxy): boolean {
	if (rollout.wave === null || rollout.confirmed || rollout.step === 0) return true
	return isCandidate({ ...rollout, step: rollout.step - 1 }, proxy)
}
