import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { compileGroup } from '#compile/compile-group.ts'
import type { ProxyGroup } from '#compile/compiled.ts'
import { type Carrier, carriersOf } from '#compile/names.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { isRunning, type Rollout, routesOf } from '#rollout/rollout.ts'
import { isCandidate } from '#rollout/wave.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { Proxy } from '#xds/fleet-view.ts'
import { lanesInForce, routesBefore } from './before-rollout.ts'
import type { Concern } from './concerns.ts'
import { effectiveMesh } from './effective.ts'
import type { FleetPort } from './ports.ts'

// A way back is published before it is journalled. A daemon that dies between the two finds, when it starts again, a
// rollout that still moves forward in its store, and proxies that hold the last good shares already. It must not raise
// them: proxies that come back with the last good bytes keep them, and the rollout goes back. So do those that come back
// at an earlier step, which prove nothing: they may have refused the newest, or been away. What carries a route may carry
// those of other rollouts, each of which may have been taken back too, or not.
// A rollout that has succeeded may have been taken back by a person, while the store did not answer. One proxy at the shares
// before it is no proof: it may have been away since. So all that hold them keep them until everybody has had time to come
// back, and if it is half of them it goes back.

export type BootHold = {
	/** Before a proxy's group is published for the first time: what it may hold and keep. */
	greet(proxy: Proxy): void
	/** True when a proxy was found that had been taken back. */
	foundBack(rollout: Rollout, concern: Concern): boolean
	/** Rollouts that had succeeded and were taken back. Empty until everyone has had time to come back, and once that was told. */
	foundEnded(): readonly string[]
	/** That is still to be told. */
	isFinding(): boolean
	/**
	 * Ends the hold of rollouts that have gone back, or have ended since, and all of them when everyone has had time to come
	 * back and what was found has been asked for.
	 */
	expire(rollouts: readonly Rollout[]): void
}

/**
 * What carries routes where the rollouts of `back` have been taken back, and the others are as the store has them; or one
 * of them is at an earlier step. It is kept while any of `keptFor` is held.
 */
type Good = Carrier & {
	readonly version: string
	readonly back: ReadonlySet<string>
	readonly keptFor: ReadonlySet<string>
}

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
	/** At the start. What a proxy may hold follows from these, whatever has become of one of them when it comes. */
	const found = new Map(
		[...rollouts.filter(mayBeBack), ...mayBeTakenBack(rollouts, applied)].map((rollout) => [rollout.id, rollout]),
	)
	const held = new Map(found)
	/** What proxies of rollouts that had succeeded hold was told. */
	let wasTold = false
	/** By group key. */
	const good = new Map<string, readonly Good[]>()

	function goodOf({ group }: Proxy): readonly Good[] {
		const stable = stableVersions(group)
		const waves = [...found.values()].filter(({ wave }) => wave !== null)
		return [
			...goodShares(group),
			...waves.flatMap(({ id }) => stable.map((version) => ({ ...version, ...takenBack(new Set([id])) }))),
		]
	}

	/** What carries the routes of shifts, with any of them taken back. */
	function goodShares(group: ProxyGroup): readonly Good[] {
		if (applied === undefined) return []
		const carriers = new Map<string, { readonly carrier: Carrier; readonly ids: string[] }>()
		const effective = effectiveMesh(servedTo(group, applied), rollouts)
		for (const [id, rollout] of found) {
			if (rollout.wave !== null) continue
			for (const carrier of carriersOf(effective, group, routesOf(rollout))) {
				const key = `${carrier.typeUrl} ${carrier.name}`
				const known = carriers.get(key) ?? { carrier, ids: [] }
				known.ids.push(id)
				carriers.set(key, known)
			}
		}
		let before: Snapshot | null = null
		return [...carriers.values()].flatMap(({ carrier, ids }) =>
			[...mixturesOf(ids).map(takenBack), ...ids.flatMap((id) => earlierSteps(found.get(id)))].flatMap(
				({ steps = new Map(), ...about }): Good[] => {
					before = snapshotWith(new Map([...[...about.back].map((id) => [id, -1] as const), ...steps]), group, before)
					const resource = before?.types[carrier.typeUrl].resources.get(carrier.name)
					return resource === undefined ? [] : [{ ...carrier, version: resource.version, ...about }]
				},
			),
		)
	}

	/** @param steps of rollouts that are not where the store has them; -1 is back */
	function snapshotWith(
		steps: ReadonlyMap<string, number>,
		group: ProxyGroup,
		before: Snapshot | null,
	): Snapshot | null {
		if (applied === undefined) return null
		const mesh = servedTo(group, applied)
		const resources = { ...mesh.resources }
		const taken = rollouts.map((rollout): Rollout => {
			const step = steps.get(rollout.id)
			const [first, ...others] =
				step === undefined || isRunning(rollout) ? [] : lanesInForce(rollout, rollouts, applied)
			if (first === undefined) return { ...rollout, step: step ?? rollout.step }
			const lanes = [first, ...others] as const
			Object.assign(resources, routesBefore(lanes, mesh))
			return { ...rollout, lanes, phase: { kind: 'rollingBack', cause: { by: 'restart', reason: '', actor: '' } } }
		})
		const compiled = compileGroup(effectiveMesh({ ...mesh, resources }, taken), group, nothingDiscovered)
		return compiled === null ? null : encodeSnapshot(compiled, before).snapshot
	}

	function servedTo({ cohort }: ProxyGroup, toOthers: Mesh): Mesh {
		return cohort === 'candidate' ? (candidate ?? toOthers) : toOthers
	}

	function isEnded(id: string): boolean {
		const rollout = held.get(id)
		return rollout !== undefined && !isRunning(rollout)
	}

	/** At half of the proxies that send to its routes, and of them not only those that came back last. */
	function isFoundBack(id: string): boolean {
		let counted = 0
		let back = 0
		for (const [groupKey, versions] of good) {
			const ofRollout = versions.filter((version) => version.back.has(id))
			if (ofRollout.length === 0) continue
			for (const { key } of fleet.counted(groupKey)) {
				counted += 1
				if (ofRollout.some(({ typeUrl, name, version }) => fleet.holds(key, typeUrl, name) === version)) back += 1
			}
		}
		return back > 0 && 2 * back >= counted
	}

	/** What a candidate holds that has been taken back: all that the others have and candidates do not. */
	function stableVersions(group: ProxyGroup): readonly Omit<Good, keyof Mixture>[] {
		if (applied === undefined || candidate === undefined || group.cohort !== 'candidate') return []
		const versionsIn = (mesh: Mesh) => {
			const compiled = compileGroup(effectiveMesh(mesh, rollouts), group, nothingDiscovered) ?? []
			return Object.values(encodeSnapshot(compiled, null).snapshot.types).flatMap(({ resources }) => [
				...resources.values(),
			])
		}
		const others = new Set(versionsIn(candidate).map(({ typeUrl, name, version }) => [typeUrl, name, version].join()))
		return versionsIn(applied).filter(({ typeUrl, name, version }) => !others.has([typeUrl, name, version].join()))
	}

	/** Says anew what proxies of a group keep: what tells of a rollout that is still held. */
	function keep(groupKey: string): void {
		const versions = new Map<string, { readonly carrier: Carrier; readonly kept: Set<string> }>()
		for (const { typeUrl, name, version, keptFor } of good.get(groupKey) ?? []) {
			const key = `${typeUrl} ${name}`
			const known = versions.get(key) ?? { carrier: { typeUrl, name }, kept: new Set() }
			versions.set(key, known)
			if ([...keptFor].some((id) => held.has(id))) known.kept.add(version)
		}
		for (const { carrier, kept } of versions.values()) fleet.keep(groupKey, carrier.typeUrl, carrier.name, kept)
	}

	return {
		greet(proxy) {
			if (held.size === 0 || good.has(proxy.groupKey)) return
			good.set(proxy.groupKey, goodOf(proxy))
			keep(proxy.groupKey)
		},
		foundBack(rollout, concern) {
			const { id } = rollout
			if (!held.has(id)) return false
			return [...concern.groupKeys].some((groupKey) => {
				const ofRollout = (good.get(groupKey) ?? []).filter(({ back }) => back.has(id))
				// One that is excluded may lag, which proves nothing.
				const wasMoved = [...fleet.counted(groupKey)].filter((proxy) => isMoved(rollout, proxy))
				return wasMoved.some(({ key }) =>
					ofRollout.some(({ typeUrl, name, version }) => fleet.holds(key, typeUrl, name) === version),
				)
			})
		},
		foundEnded() {
			if (wasTold || clock.monotonicMs() < untilMs) return []
			wasTold = true
			return [...held.keys()].filter((id) => isEnded(id) && isFoundBack(id))
		},
		isFinding: () => !wasTold && [...held.keys()].some(isEnded),
		expire(present) {
			const before = held.size
			for (const id of held.keys()) {
				const rollout = present.find((other) => other.id === id)
				// Another target is no reason: it would be reached from the step that was taken back.
				const isOver = rollout === undefined || !(isEnded(id) ? isSucceeded(rollout) : mayBeBack(rollout))
				const isTold = wasTold || !isEnded(id)
				if (isOver || (isTold && clock.monotonicMs() >= untilMs)) held.delete(id)
			}
			if (held.size < before) for (const groupKey of good.keys()) keep(groupKey)
		},
	}
}

/** A wave may have been decided and not published: who is in it for the first time holds what it had, and was not taken back. */
function isMoved(rollout: Rollout, proxy: Proxy): boolean {
	if (rollout.wave === null || rollout.confirmed || rollout.step === 0) return true
	return isCandidate({ ...rollout, step: rollout.step - 1 }, proxy)
}

type Mixture = Pick<Good, 'back' | 'keptFor'>

function takenBack(back: ReadonlySet<string>): Mixture & { readonly steps?: ReadonlyMap<string, number> } {
	return { back, keptFor: back }
}

function earlierSteps(rollout: Rollout | undefined): (Mixture & { readonly steps: ReadonlyMap<string, number> })[] {
	if (rollout === undefined || !isRunning(rollout)) return []
	const { id, step } = rollout
	return Array.from({ length: step }, (_, earlier) => {
		return { back: new Set<string>(), keptFor: new Set([id]), steps: new Map([[id, earlier]]) }
	})
}

/** It moves forward, and has moved something. */
function mayBeBack(rollout: Rollout): boolean {
	return isRunning(rollout) && rollout.phase.kind !== 'rollingBack' && rollout.step >= 0
}

/** The newest of those that are in force and that a person could take back: the last one of a route, if it has succeeded. */
function mayBeTakenBack(rollouts: readonly Rollout[], applied: Mesh | undefined): readonly Rollout[] {
	if (applied === undefined) return []
	const newest = new Map(rollouts.flatMap((rollout) => routesOf(rollout).map((route) => [route, rollout] as const)))
	const inForce = rollouts.filter((rollout) => {
		const routes = isSucceeded(rollout) ? lanesInForce(rollout, rollouts, applied).flatMap((lane) => lane.routes) : []
		return routes.some(({ id }) => newest.get(id) === rollout)
	})
	return inForce.slice(-limits.bootEnded)
}

function isSucceeded({ phase }: Rollout): boolean {
	return phase.kind === 'succeeded'
}

/**
 * Which of the rollouts that share a carrier may have been taken back: any of them, alone or with any others. Of more than
 * a few, each alone, and all: that a proxy holds anything else would take two alarms within one write of the store.
 */
function mixturesOf(ids: readonly string[]): ReadonlySet<string>[] {
	if (2 ** ids.length > limits.bootMixtures) return [...ids.map((id) => new Set([id])), new Set(ids)]
	const mixtures: ReadonlySet<string>[] = []
	for (let mixture = 1; mixture < 2 ** ids.length; mixture += 1)
		mixtures.push(new Set(ids.filter((_, index) => mixture & (1 << index))))
	return mixtures
}
