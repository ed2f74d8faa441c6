import { identityPath, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { shareOf, shareOfAll, targetKey } from '#plan/split.ts'
import { drawnOf } from '#rollout/guards-of-policy.ts'
import { demandsOfStep, splitInForce } from '#rollout/ladder.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'
import { guardParametersOf } from '#rollout/start-rollout.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { Proxy } from '#xds/fleet-view.ts'
import { type Concern, type CountedLane, type EndpointCluster, judgedClusters } from './concerns.ts'
import type { Watch } from './evidence.ts'
import type { FleetPort } from './ports.ts'
import type { Publisher } from './publish.ts'

export type WatchOptions = {
	readonly fleet: FleetPort
	readonly publisher: Publisher
	readonly proxyOf: (proxyKey: string) => Proxy | undefined
	/** Proxies whose counters are no evidence: a person took them out. */
	readonly excluded: ReadonlySet<string>
}

/** What the evidence room is to watch for the rollouts that run. */
export function watchesOf(
	rollouts: readonly Rollout[],
	concernOf: (rollout: Rollout) => Concern,
	options: WatchOptions,
): Watch[] {
	return (
		rollouts
			.filter((rollout) => isRunning(rollout) && rollout.phase.kind !== 'rollingBack')
			.map((rollout) => ({ rollout, concern: concernOf(rollout) }))
			// Nothing has moved, and what others do at its clusters is no reason to take it back.
			.filter(({ rollout: { step }, concern: { sharing } }) => step >= 0 || sharing.now.length === 0)
			.map(({ rollout, concern }) => watchOf(rollout, concern, options))
	)
}

function watchOf(rollout: Rollout, concern: Concern, { fleet, publisher, proxyOf, excluded }: WatchOptions): Watch {
	const isWave = rollout.wave !== null
	const sharesAt = createSharesAt(concern, publisher)
	const endpointsAt = createEndpointsAt(concern)
	return {
		rollout: rollout.id,
		step: rollout.step,
		lanes: isWave ? [laneOfWave(rollout)] : concern.lanes,
		beside: concern.beside,
		unit: concern.unit,
		isCandidate: isWave ? (proxyKey) => proxyOf(proxyKey)?.group.cohort === 'candidate' : null,
		parameters: guardParametersOf(rollout),
		edgesMs: rollout.guard.edgesMs,
		expectedShares: isWave || concern.sharing.now.length > 0 ? {} : expectedSharesOf(rollout),
		warmUpMs: demandsOfStep(rollout).warmUpMs,
		zoneOf(proxyKey) {
			const proxy = proxyOf(proxyKey)
			if (proxy === undefined || excluded.has(proxyKey)) return null
			if (!concern.groupKeys.has(proxy.groupKey)) return null
			// Proxies of one identity are compared with each other, and with no others.
			return isWave ? `${identityPath(proxy.group.identity)} ${proxy.zone}` : proxy.zone
		},
		sharesOf(proxyKey) {
			const proxy = proxyOf(proxyKey)
			if (proxy === undefined) return null
			// Both cohorts are compared with each other: what they hold differs, and has one name.
			if (isWave) return holdsShares(proxy, concern, { fleet, publisher }) ? String(rollout.step) : null
			return sharesHeldBy(proxy, sharesAt(proxy.groupKey), fleet)
		},
		endpointsOf(proxyKey) {
			const proxy = proxyOf(proxyKey)
			return proxy === undefined ? [] : endpointsAt(proxy)
		},
		expected() {
			return [...concern.groupKeys].flatMap((groupKey) => [...fleet.counted(groupKey)].map(({ key }) => key))
		},
	}
}

function laneOfWave({ canaries }: Rollout): CountedLane {
	return { name: '', canaries: new Map(canaries.map((target) => [targetKey(target), ''])), baseline: [] }
}

/**
 * Each canary's share of what it and the baseline are sent; unchanged targets are neither. Over routes with different
 * shares it depends on how many requests each has, and where users are drawn on how many each of them sends: nothing is
 * expected then.
 */
function expectedSharesOf(rollout: Rollout): Record<string, number> {
	const [lane, ...others] = rollout.lanes
	if (others.length > 0 || drawnOf(rollout.policy) === 'users') return {}
	const split = splitInForce(rollout, lane)
	const ofBaseline = shareOfAll(split, rollout.baseline)
	return Object.fromEntries(
		rollout.canaries.map((target) => [
			targetKey(target),
			shareOf(split, target) / Math.max(1, shareOf(split, target) + ofBaseline),
		]),
	)
}

/** Looked up once for each group, and not with each flush. */
function createEndpointsAt({ endpoints }: Concern): (proxy: Proxy) => readonly EndpointCluster[] {
	const known = new Map<string, readonly EndpointCluster[]>()
	return ({ group, groupKey }) => {
		const before = known.get(groupKey)
		if (before !== undefined) return before
		const found = endpoints.get(identityPath(group.identity)) ?? []
		known.set(groupKey, found)
		return found
	}
}

/** What a group is served of the route and of the clusters under judgement, and the name of that. */
type Shares = {
	readonly snapshot: Snapshot
	readonly name: string
	readonly resources: readonly { readonly type: TypeUrl; readonly name: string; readonly version: string }[]
}

/** By group; null where one of them is not published. Looked up once for all flushes, until something else is published. */
function createSharesAt(concern: Concern, publisher: Publisher): (groupKey: string) => Shares | null {
	const known = new Map<string, Shares>()
	return (groupKey) => {
		const snapshot = publisher.snapshotOf(groupKey)
		const before = known.get(groupKey)
		if (before !== undefined && before.snapshot === snapshot) return before
		const shares = snapshot === null ? null : sharesIn(snapshot, resourcesCompared(concern, groupKey))
		if (shares !== null) known.set(groupKey, shares)
		return shares
	}
}

function sharesIn(snapshot: Snapshot, compared: ReturnType<typeof resourcesCompared>): Shares | null {
	const resources: { type: TypeUrl; name: string; version: string }[] = []
	for (const [type, name] of compared) {
		const version = snapshot.types[type].resources.get(name)?.version
		if (version === undefined) return null
		resources.push({ type, name, version })
	}
	return { snapshot, name: resources.map(({ version }) => version).join(' '), resources }
}

/**
 * Names the bytes that a proxy holds of the route and of the clusters under judgement; null while any of them is not
 * what is published. A changed cluster starts its counters anew, so its version is part of the name.
 */
function sharesHeldBy(proxy: Proxy, shares: Shares | null, fleet: FleetPort): string | null {
	if (shares === null) return null
	const holdsAll = shares.resources.every(({ type, name, version }) => fleet.holds(proxy.key, type, name) === version)
	return holdsAll ? shares.name : null
}

/** Whether a proxy holds what is published of the route and of its clusters, those that are published. */
export function holdsShares(
	proxy: Proxy,
	concern: Concern,
	{ fleet, publisher }: Pick<WatchOptions, 'fleet' | 'publisher'>,
): boolean {
	const snapshot = publisher.snapshotOf(proxy.groupKey)
	const beside = concern.beside.map(({ cluster }) => [typeUrls.cluster, cluster] as const)
	return [...resourcesCompared(concern, proxy.groupKey), ...beside].every(([type, name]) => {
		const version = snapshot?.types[type].resources.get(name)?.version
		return version === undefined || fleet.holds(proxy.key, type, name) === version
	})
}

function resourcesCompared(concern: Concern, groupKey: string) {
	return [
		...(concern.carriers.get(groupKey) ?? []).map(({ typeUrl, name }) => [typeUrl, name] as const),
		...judgedClusters(concern).map((name) => [typeUrls.cluster, name] as const),
	]
}
