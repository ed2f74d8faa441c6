import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { identityPath, type ProxyGroup, proxyGroupKey } from '#compile/compiled.ts'
import type { Discovered } from '#discovery/discovered.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import { changedResources } from '#plan/differing-resources.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import { findInconsistencies } from '#snapshot/find-inconsistencies.ts'
import { createSharedEncoding } from '#snapshot/shared-encoding.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { Reported } from '#xds/fleet-view.ts'
import { changedRoutes } from './changed-routes.ts'
import { describeWaiting } from './describe-waiting.ts'
import { type Difference, differencesBetween, isDiscovered } from './differences-between.ts'
import { type Asked, isAnsweredAlike, noteDiscovery } from './noted-discovery.ts'
import type { FleetPort } from './ports.ts'
import { snapshotOfShares } from './snapshot-of-shares.ts'
import { withStandIns } from './stand-in.ts'
import { createSuspects } from './suspects.ts'
import { withOtherShares } from './with-other-shares.ts'

/** Compiles what is in force for each proxy group that has shown up, and hands it to the fleet when it changed. */
export type Publisher = {
	/** Once, before the first publication: what an earlier run served whole, to stand in for what waits. */
	remember(whole: EffectiveMesh): void
	/**
	 * Every known group; returns how many snapshots changed.
	 * @param candidate what the candidates are served while something goes out by waves
	 */
	publish(effective: EffectiveMesh, candidate?: EffectiveMesh | null): number
	/** Names of what a group's candidates are served otherwise than the rest of it. Empty where that is nothing. */
	differencesOf(group: ProxyGroup): readonly Difference[]
	/** A group that may be new; published from what was last in force. */
	greet(group: ProxyGroup, groupKey: string): void
	/**
	 * Lets go of groups in which nobody is, or is expected: each costs something at every publication. One for which something
	 * else stands in is kept: when its proxies come again, that must be what came before all that waits.
	 */
	forgetDeserted(): void
	snapshotOf(groupKey: string): Snapshot | null
	standingOf(groupKey: string): Standing
	/** What of the group's snapshot waits for endpoints or a secret that nobody has found yet, in words. */
	waitsOf(groupKey: string): readonly string[]
	/** Names a group that is not served all that is in force; null when there is none. */
	behind(): string | null
	/** Every group that is served holds all of what is in force, and nothing stands in for what waits. */
	isWhole(): boolean
	/** True when a group would be served just this, or was before. Null while nothing is in force. */
	wouldServe(group: ProxyGroup, reported: Reported): boolean | null
	/** Which resources had changed when this version of a resource was first published: the suspects of a NACK. */
	suspectsOf(version: string): readonly ResourceId[]
}

/**
 * `current`: the group is served what is in force · `older`: its shares, upon resources that were in force before, since
 * today's do not fit together · `stuck`: not even its shares.
 */
export type Standing = 'current' | 'older' | 'stuck'

type Preview = {
	readonly key: string
	readonly effective: EffectiveMesh
	readonly discovered: Discovered
	readonly snapshot: Snapshot | null
}

type Group = {
	readonly group: ProxyGroup
	snapshot: Snapshot | null
	/** What the last snapshot was made from in which nothing waits. */
	madeFrom: EffectiveMesh | null
	standing: Standing
	/** What the last publication was worked out from, and came to; null before the first. */
	workedOut: WorkedOut | null
}

type WorkedOut = {
	readonly from: EffectiveMesh
	readonly asked: Asked
	/** Of all that is in force, nothing standing in; null: of something else, or of nothing. */
	readonly whole: Snapshot | null
}

export type PublisherOptions = {
	readonly fleet: FleetPort
	readonly log: Log
	readonly discovered: () => Discovered
}

export function createPublisher({ fleet, log, discovered }: PublisherOptions): Publisher {
	const groups = new Map<string, Group>()
	const encode = createSharedEncoding()
	const suspects = createSuspects()
	let inForce: EffectiveMesh | null = null
	/** What the candidates are served; the same as all others where nothing goes out by waves. */
	let ofCandidates: EffectiveMesh | null = null
	const differences = new Map<
		string,
		{ readonly from: EffectiveMesh; readonly to: EffectiveMesh; found: Difference[] }
	>()
	/** What was last served whole to every group: for a group that is new here, what comes before all that waits. */
	let lastWhole: EffectiveMesh | null = null
	let preview: Preview | null = null
	/** Candidates' groups of waves that are over: the fleet has them until nobody is expected there. */
	const over = new Set<string>()

	function publishGroup(key: string, known: Group, changed: ReadonlySet<ResourceId>): boolean {
		const forGroup = inForceFor(known.group)
		if (forGroup === null) return false
		const { workedOut } = known
		if (workedOut !== null && isAnsweredAlike(workedOut.asked, discovered())) {
			if (workedOut.from === forGroup) return false
			const whole = onlySharesChanged(known.group, workedOut, forGroup)
			if (whole !== null) {
				known.workedOut = { ...workedOut, from: forGroup, whole }
				known.madeFrom = forGroup
				return serve(key, known, whole, changed)
			}
		}
		const noted = noteDiscovery(discovered())
		known.workedOut = { from: forGroup, asked: noted.asked, whole: null }
		const compiled = compileGroup(forGroup, known.group, noted.discovered)
		if (compiled === null) {
			known.snapshot = null
			known.madeFrom = null
			known.standing = 'current'
			fleet.refuse(key, `${identityPath(known.group.identity)} is not in the mesh`)
			return true
		}
		const { resources, kind } = withStandIns(compiled, {
			inForce: forGroup,
			before: known.madeFrom,
			compile: (effective) => compileGroup(effective, known.group, noted.discovered),
		})
		const { snapshot } = encodeSnapshot(resources, known.snapshot, encode)
		const [broken] = snapshot.version === known.snapshot?.version ? [] : findInconsistencies(snapshot)
		if (broken === undefined) {
			known.standing = 'current'
			if (kind === 'whole') {
				known.madeFrom = forGroup
				known.workedOut = { from: forGroup, asked: noted.asked, whole: snapshot }
			}
			return serve(key, known, snapshot, changed)
		}
		// Never serve what could drop traffic. The shares in force go out all the same: they may be a way back.
		log.error('snapshot.inconsistent', { group: key, finding: JSON.stringify(broken) })
		const older =
			known.madeFrom === null
				? null
				: snapshotOfShares(forGroup, known.madeFrom, { ...known, discovered: noted.discovered })
		known.standing = older === null ? 'stuck' : 'older'
		return older !== null && serve(key, known, older, changed)
	}

	/** The snapshot when that is so; else null. */
	function onlySharesChanged(group: ProxyGroup, { from, whole }: WorkedOut, effective: EffectiveMesh): Snapshot | null {
		if (whole === null) return null
		return withOtherShares(
			group,
			{ from, snapshot: whole },
			{ effective, changed: changedRoutes(from, effective) },
			encode,
		)
	}

	function inForceFor({ cohort }: ProxyGroup): EffectiveMesh | null {
		return cohort === 'candidate' ? ofCandidates : inForce
	}

	/** Who is still in their cohort is moved out of it next, and holds until then what it has. */
	function forgetCandidates(): void {
		differences.clear()
		for (const [key, { group }] of groups) {
			if (group.cohort !== 'candidate') continue
			groups.delete(key)
			over.add(key)
		}
	}

	function forgetDeserted(): void {
		for (const [key, { group, snapshot, madeFrom }] of groups) {
			const isStoodIn = madeFrom !== null && madeFrom !== inForceFor(group)
			if (snapshot === null || isStoodIn || !fleet.forget(key)) continue
			groups.delete(key)
			differences.delete(proxyGroupKey({ ...group, cohort: 'stable' }))
		}
		for (const key of over) if (groups.has(key) || fleet.forget(key)) over.delete(key)
	}

	function serve(key: string, known: Group, snapshot: Snapshot, changed: ReadonlySet<ResourceId>): boolean {
		if (snapshot.version === known.snapshot?.version) return false
		suspects.note(snapshot, known.snapshot, changed)
		known.snapshot = snapshot
		fleet.publish(key, snapshot)
		return true
	}

	function isWhole(): boolean {
		const served = [...groups.values()].filter(({ snapshot }) => snapshot !== null)
		return served.length > 0 && served.every(({ group, madeFrom }) => madeFrom === inForceFor(group))
	}

	/** Anybody may come with a name that nobody knows: the oldest of them are asked again when they come again. */
	function forgetRefused(): void {
		if (groups.size < limits.xdsGroupsRefused) return
		const refused = [...groups].filter(([, { snapshot }]) => snapshot === null)
		if (refused.length < limits.xdsGroupsRefused) return
		// Nor does the fleet refuse them from then on: nobody would tell it when they are in the mesh.
		const oldest = refused.find(([key]) => fleet.forget(key))
		if (oldest !== undefined) groups.delete(oldest[0])
	}

	/** Asked for each resource that a proxy reports: worked out once for each group. */
	function wouldBeServed(group: ProxyGroup, effective: EffectiveMesh): Snapshot | null {
		const key = proxyGroupKey(group)
		const found = discovered()
		if (preview?.key !== key || preview.effective !== effective || preview.discovered !== found) {
			const compiled = compileGroup(effective, group, found)
			preview = {
				key,
				effective,
				discovered: found,
				snapshot: compiled === null ? null : encodeSnapshot(compiled, null, encode).snapshot,
			}
		}
		return preview.snapshot
	}

	return {
		remember(whole) {
			lastWhole = whole
		},
		isWhole,
		publish(effective, candidate = null) {
			const before = inForce?.resources ?? {}
			const changed = new Set(
				(candidate === null ? [effective] : [effective, candidate])
					.flatMap(({ resources }) => changedResources(before, resources))
					.map(({ id }) => id),
			)
			inForce = effective
			ofCandidates = candidate ?? effective
			if (candidate === null) forgetCandidates()
			let count = 0
			for (const [key, known] of groups) if (publishGroup(key, known, changed)) count += 1
			if (isWhole()) lastWhole = inForce
			return count
		},
		differencesOf(group) {
			if (inForce === null || ofCandidates === null || inForce === ofCandidates) return []
			const key = proxyGroupKey({ ...group, cohort: 'stable' })
			const known = differences.get(key)
			if (known?.from === inForce && known.to === ofCandidates) return known.found
			const found = differencesBetween(inForce, ofCandidates, { group, discovered: discovered() })
			differences.set(key, { from: inForce, to: ofCandidates, found })
			return found
		},
		greet(group, groupKey) {
			if (!groups.has(groupKey)) forgetRefused()
			const known = groups.get(groupKey) ?? newGroup(group, lastWhole)
			groups.set(groupKey, known)
			if (known.snapshot !== null) return
			// A proxy that comes again is answered again.
			known.workedOut = null
			publishGroup(groupKey, known, new Set())
		},
		forgetDeserted,
		snapshotOf: (groupKey) => groups.get(groupKey)?.snapshot ?? null,
		behind() {
			const behind = [...groups].filter(([, { standing }]) => standing !== 'current')
			if (behind.length === 0) return null
			// A kind in which nobody is keeps nobody waiting.
			const views = fleet.fleet()
			const found = behind.find(([key]) => (views.get(key)?.connected ?? 0) + (views.get(key)?.expected ?? 0) > 0)
			return found === undefined
				? null
				: `what is in force does not fit together for ${identityPath(found[1].group.identity)}`
		},
		standingOf: (groupKey) => groups.get(groupKey)?.standing ?? 'current',
		waitsOf: (groupKey) => describeWaiting(groups.get(groupKey)?.snapshot ?? null),
		wouldServe(group, { typeUrl, name, version }) {
			const forGroup = inForceFor(group)
			if (forGroup === null) return null
			// What is found changes by itself, and proves nothing of what was decided.
			if (isDiscovered(typeUrl) || suspects.of(version) !== null) return true
			const snapshot = wouldBeServed(group, forGroup)
			// It is told that it is unknown, and keeps what it has.
			if (snapshot === null) return true
			const type = snapshot.types[typeUrl]
			return name === null ? type.version === version : type.resources.get(name)?.version === version
		},
		suspectsOf: (version) => suspects.of(version) ?? [],
	}
}

function newGroup(group: ProxyGroup, madeFrom: EffectiveMesh | null): Group {
	return { group, snapshot: null, madeFrom, standing: 'current', workedOut: null }
}
