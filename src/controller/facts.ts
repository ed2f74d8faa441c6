import { forgetOldest } from '#base/forget-oldest.ts'
import { limits } from '#base/limits.ts'
import { proxyGroupKey, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { Carrier } from '#compile/names.ts'
import type { FleetFacts, OpenConnections } from '#rollout/fleet-facts.ts'
import { demandsCounters } from '#rollout/guards-of-policy.ts'
import { isGoingBack, type Rollout } from '#rollout/rollout.ts'
import type { FleetView, GroupView, Proxy, Rejection } from '#xds/fleet-view.ts'
import { firstCandidateOf } from './concern-of-wave.ts'
import { type Concern, canaryClusters, carrierTypesOf, judgedClusters, typesOfShift } from './concerns.ts'
import type { Evidence } from './evidence.ts'
import type { FleetPort } from './ports.ts'
import type { Standing } from './publish.ts'

export type FactsOptions = Served & {
	readonly fleet: FleetPort
	readonly evidence: Evidence
	/** `file:line` that probably caused a rejection, or ''. */
	readonly placeOf: (rejection: Rejection) => string
}

/** What is known of what was published, and to whom. */
export type Served = {
	/** Whether a proxy holds what was published last of the route and of the clusters under judgement. */
	readonly holdsShares: (proxy: Proxy, concern: Concern) => boolean
	readonly standingOf: (groupKey: string) => Standing
	/** What of a group's snapshot waits for endpoints or a secret that nobody has found yet, in words. */
	readonly waitsOf: (groupKey: string) => readonly string[]
	/** Connected proxies that are to keep the canary, since the last good has no healthy host there. */
	readonly strandedOf: (rollout: Rollout, concern: Concern) => readonly string[]
	/** After a restart: a proxy was found at the last good shares. */
	readonly foundBack: (rollout: Rollout, concern: Concern) => boolean
	/** After a restart: proxies may still come back. */
	readonly returning: () => boolean
}

/** Facts for turns that follow one another: what only flushes and arrivals can change is not looked up again each time. */
export function createFacts(options: FactsOptions): { of(rollout: Rollout, concern: Concern): FleetFacts } {
	const { evidence } = options
	const known = new Map<string, { readonly key: string; readonly notReady: FleetFacts['notReady'] }>()
	return {
		of(rollout, concern) {
			const connected = concern.groups.map((view) => view.connected).join()
			const excluded = concern.groups.flatMap((view) => view.excluded.map(({ proxy }) => proxy)).join()
			const key = `${evidence.readiness()} ${connected} ${excluded} ${rollout.phase.kind} ${concern.demanded.map(({ cluster }) => cluster).join()}`
			const before = known.get(rollout.id)
			const notReady = before?.key === key ? before.notReady : notReadyOf(rollout, concern, options)
			known.delete(rollout.id)
			known.set(rollout.id, { key, notReady })
			forgetOldest(known, limits.readinessKept)
			return {
				...factsApartFromReadiness(rollout, concern, options),
				notReady,
				...firstOfWaves(rollout, concern, options),
			}
		},
	}
}

/** What the fleet says of one rollout: sums over the groups that send to its route. */
export function factsOfRollout(rollout: Rollout, concern: Concern, options: FactsOptions): FleetFacts {
	return { ...factsApartFromReadiness(rollout, concern, options), notReady: notReadyOf(rollout, concern, options) }
}

function firstOfWaves(rollout: Rollout, concern: Concern, options: FactsOptions): Pick<FleetFacts, 'firstCandidate'> {
	return rollout.wave === null ? {} : { firstCandidate: firstCandidateOf(rollout, concern, options) }
}

type OtherFacts = Omit<FleetFacts, 'notReady'>

function factsApartFromReadiness(rollout: Rollout, concern: Concern, options: FactsOptions): OtherFacts {
	const { groups } = concern
	const standings = groups.map((view) => standingOfGroup(view, concern, options))
	const rejections = standings.flatMap((standing) => standing.rejections)
	return {
		connected: sum(groups, (view) => view.connected),
		expected: sum(groups, (view) => view.expected),
		current: sum(groups, (view) => view.connected) - sum(standings, ({ lacking }) => lacking),
		pending: standings.flatMap(({ pending }) => pending).slice(0, limits.namedProxies),
		rejected: rejections
			.map((rejection) => ({ proxy: rejection.proxy, text: rejection.text, place: options.placeOf(rejection) }))
			.slice(0, limits.namedProxies),
		rejectedProxies: sum(standings, ({ refusing }) => refusing),
		rejectedShare: Math.max(0, ...standings.map(({ refusing, connected }) => refusing / Math.max(1, connected))),
		stranded: options.strandedOf(rollout, concern),
		gone: groups.flatMap((view) => view.gone),
		excluded: groups.flatMap((view) => view.excluded.map(({ proxy, version }) => ({ proxy, version }))),
		...sharingOfConcern(rollout, concern),
		openToCanaries: rollout.phase.kind === 'rollingBack' ? openToCanaries(concern, options) : null,
		foundBack: options.foundBack(rollout, concern),
		returning: options.returning(),
	}
}

/** What only is to come matters before the first step; later it makes clones of its own. */
function sharingOfConcern({ step }: Rollout, { sharing }: Concern): Pick<FleetFacts, 'sharedWith' | 'cloneProblem'> {
	const ids = step === -1 ? [...new Set([...sharing.now, ...sharing.soon])] : sharing.now
	return { sharedWith: ids.slice(0, limits.namedProxies), cloneProblem: sharing.cloneProblem }
}

/** Of one group's connected proxies: how many lack the shares in force, and how many of those refused them. */
function standingOfGroup(view: GroupView, concern: Concern, options: FactsOptions) {
	const { connected } = view
	const groupKey = proxyGroupKey(view.group)
	const rejections = view.rejections.filter((rejection) => isConcerned(rejection, concern))
	if (options.standingOf(groupKey) === 'stuck') {
		const pending = [`${groupKey}: what is in force does not fit together for it`]
		return { connected, lacking: connected, refusing: 0, rejections, pending }
	}
	const types = typesOfShift(concern)
	const waitsForDiscovery = options.waitsOf(groupKey).length > 0
	const isRefused = types.some((type) => view.types[type].rejected > 0)
	const pendingOf = (all: readonly TypeUrl[]) => Math.max(0, ...all.map((type) => view.types[type].pending))
	if (!isRefused && !waitsForDiscovery)
		return { connected, lacking: pendingOf(types), refusing: 0, rejections, pending: view.pending }
	// A cluster that nobody can be sent keeps the whole type pending: then only what carries the shares tells who waits.
	const waiting = pendingOf(waitsForDiscovery ? carrierTypesOf(concern) : types)
	// Who refused something of a type, or waits for something, may hold the rest, or not: only what it holds can tell.
	const lackers = [...options.fleet.counted(groupKey)].filter((proxy) => !options.holdsShares(proxy, concern))
	const lacking = lackers.length
	const named = new Set(rejections.map(({ proxy }) => proxy)).size
	// Not all are named; where one of them refused these shares, so did the others that do not wait for an answer.
	const refusing = named === 0 ? 0 : Math.max(named, lacking - waiting)
	// Who lacks only what waits for something that was refused is not pending itself.
	const names = view.pending.length > 0 ? view.pending : lackers.slice(0, limits.namedProxies).map(({ key }) => key)
	return { connected, lacking: Math.max(lacking, refusing), refusing, rejections, pending: names }
}

/** Null where its traffic is requests: those end soon. */
export function openToCanaries(
	concern: Concern,
	{ fleet, evidence }: Pick<FactsOptions, 'fleet' | 'evidence'>,
): OpenConnections | null {
	if (concern.unit === 'requests') return null
	const canaries = canaryClusters(concern)
	let open = 0
	let untold = 0
	for (const groupKey of concern.groupKeys) {
		for (const { key } of fleet.connected(groupKey)) {
			if (evidence.isSilent(key)) untold += 1
			// A gauge that was never set is not flushed: there was no connection.
			for (const cluster of canaries) open += evidence.openConnections(key, cluster) ?? 0
		}
	}
	return { open, untold }
}

/** A refusal of something else is another change's affair. */
function isConcerned(rejection: Rejection, concern: Concern): boolean {
	const { typeUrl, name } = rejection
	const carries = (carrier: Carrier) => carrier.typeUrl === typeUrl && carrier.name === name
	if ([...concern.carriers.values()].some((carriers) => carriers.some(carries))) return true
	const clusters = [...judgedClusters(concern), ...concern.beside.map(({ cluster }) => cluster)]
	return (typeUrl === typeUrls.cluster || typeUrl === typeUrls.endpoint) && clusters.includes(name)
}

/**
 * Canaries that some connected proxy cannot reach. ACKed is not ready: only the proxy's own gauge says so. Envoy flushes
 * no gauge that was never set, so of a cluster that never had a host a proxy tells nothing at all.
 */
function notReadyOf(rollout: Rollout, concern: Concern, { fleet, evidence }: FactsOptions): FleetFacts['notReady'] {
	if (isGoingBack(rollout)) return []
	const missing: FleetFacts['notReady'][number][] = []
	for (const groupKey of concern.groupKeys) {
		for (const { key } of fleet.counted(groupKey)) {
			for (const { target, cluster, inPlaceOf } of concern.demanded) {
				const hosts = evidence.healthyHosts(key, cluster)
				if (hosts !== null && hosts >= 1) continue
				// Nothing gets worse where what it takes the place of has no host either.
				if (inPlaceOf !== null && (evidence.healthyHosts(key, inPlaceOf) ?? 0) < 1) continue
				const why = hosts === null ? whyUnknown(key, evidence) : 'noHost'
				// Where no counters are asked for, that there never were any keeps nothing.
				if (why === 'unwatched' && !demandsCounters(rollout.policy)) continue
				// A canary that is reached in two ways is told once.
				if (missing.some((other) => other.proxy === key && other.target === target)) continue
				missing.push({ proxy: key, target, host: concern.hosts.get(target) ?? '', why })
				if (missing.length === limits.namedProxies) return missing
			}
		}
	}
	return missing
}

function whyUnknown(proxyKey: string, evidence: Evidence): FleetFacts['notReady'][number]['why'] {
	if (evidence.isUnwatched(proxyKey)) return 'unwatched'
	return evidence.isSilent(proxyKey) ? 'silent' : 'noHost'
}

/** What keeps removals waiting: somebody who is expected has not let go of everything yet. Null when nobody. */
export function fleetLagOf(fleet: FleetView): string | null {
	for (const view of fleet.values()) {
		const pending = Math.max(...Object.values(view.types).map((type) => type.pending))
		if (pending > 0) return `${view.pending.join(', ')} have not ACKed yet`
		if (view.gone.length > 0) return `${view.gone.map(({ proxy }) => proxy).join(', ')} are expected back`
		const [rejection] = view.rejections
		if (rejection !== undefined) return `${rejection.proxy} refused ${rejection.name}: ${rejection.text}`
	}
	return null
}

function sum<Item>(items: readonly Item[], count: (item: Item) => number): number {
	return items.reduce((total, item) => total + count(item), 0)
}
