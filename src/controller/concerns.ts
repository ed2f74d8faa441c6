import { madeFor } from '#base/made-for.ts'
import { besideClusterName, ownClusterName, routedClusterName } from '#compile/clone-names.ts'
import { identityPath, type ProxyGroup, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { type Carrier, callersOf, carriersOf, egressClusterName, ingressClusterName } from '#compile/names.ts'
import { cloneProblem, type Sharing, sharingOf } from '#compile/sharing.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import type { ServiceDiscovery } from '#mesh/proxy-spec.ts'
import { listenerOf } from '#plan/live-paths.ts'
import type { Target } from '#plan/plan.ts'
import { shareOf, targetKey } from '#plan/split.ts'
import { type EffectiveMesh, splitOf } from '#rollout/effective-mesh.ts'
import { baselineOfLane, targetsOfLane } from '#rollout/lanes.ts'
import { isRunning, type Lane, type Rollout, routesOf } from '#rollout/rollout.ts'
import type { FleetView, GroupView } from '#xds/fleet-view.ts'
import { unitOf } from './shift-unit.ts'

/** What of the served configuration one rollout moves: whose proxies, which clusters, and what carries the weights. */
export type Concern = {
	/** Groups that have shown up and send to the route. */
	readonly groups: readonly GroupView[]
	readonly groupKeys: ReadonlySet<string>
	/** What is counted apart; one, where all that is counted may be added up. */
	readonly lanes: readonly CountedLane[]
	/** What canaries get beside their shares, by a cluster for each way and canary. */
	readonly beside: readonly BesideCluster[]
	/** Clusters that must have a healthy host at every proxy before the next move. */
	readonly demanded: readonly Demand[]
	readonly sharing: Sharing & { readonly cloneProblem: string | null }
	/** Clusters that the targets with a share of `good` are reached by. */
	readonly good: readonly string[]
	/** What carries its routes, by group key: route configurations, or for TCP routes listeners. */
	readonly carriers: ReadonlyMap<string, readonly Carrier[]>
	/** What its traffic is counted in: connections where its routes are TCP, whatever else its targets take. */
	readonly unit: 'requests' | 'connections'
	/** Virtual node of a canary → what its own Envoys count by: the canaries that it is, each by a cluster. */
	readonly endpoints: ReadonlyMap<string, readonly EndpointCluster[]>
	/** Target key → the name that its hosts are looked up by, for people. */
	readonly hosts: ReadonlyMap<string, string>
}

/** By what is in front of its routes, or as copies of their requests. */
export type BesideCluster = { readonly way: 'front' | 'mirror'; readonly target: string; readonly cluster: string }

/** Clusters whose counts are those of routes with the same shares: the routes' own, where they have some. */
export type CountedLane = {
	/** Empty where it is the only one. */
	readonly name: string
	/** Canary key → name of the cluster that it is judged by. */
	readonly canaries: ReadonlyMap<string, string>
	readonly baseline: readonly string[]
}

/** `inPlaceOf`: demanded only where that cluster has a healthy host. */
export type Demand = { readonly target: string; readonly cluster: string; readonly inPlaceOf: string | null }

/** The cluster by which a canary's proxy reaches its own application. */
export type EndpointCluster = { readonly canary: string; readonly cluster: string }

export function concernOf(rollout: Rollout, effective: EffectiveMesh, fleet: FleetView): Concern {
	const places = placesOf(effective, routesOf(rollout))
	const groups: GroupView[] = []
	const carriers = new Map<string, readonly Carrier[]>()
	for (const [groupKey, view] of fleet) {
		const ofGroup = carriersAt(places, view.group)
		if (ofGroup === null) continue
		carriers.set(groupKey, ofGroup)
		// It might call, were its traffic captured otherwise: a TCP service without a port of its own.
		if (ofGroup.length > 0) groups.push(view)
	}
	return {
		...namesOf(rollout, places),
		groups,
		groupKeys: new Set([...carriers].filter(([, ofGroup]) => ofGroup.length > 0).map(([groupKey]) => groupKey)),
		carriers,
	}
}

/**
 * What follows from the mesh in force alone. A turn asks about each rollout several times, and the mesh in force stays
 * the same object until something is published.
 */
type Places = {
	readonly effective: EffectiveMesh
	readonly routes: readonly ResourceId[]
	readonly callers: ReadonlySet<string>
	names: { readonly of: NamesOf; readonly found: Names } | null
}

type NamesOf = Pick<Rollout, 'lanes' | 'canaries' | 'baseline'> & { readonly running: boolean }
type Names = Pick<Concern, 'lanes' | 'beside' | 'demanded' | 'sharing' | 'good' | 'unit' | 'endpoints' | 'hosts'>

const known = madeFor<EffectiveMesh, Places>()

function placesOf(effective: EffectiveMesh, routes: readonly ResourceId[]): Places {
	return known(effective, routes.join(' '), () => {
		const callers = new Set(callersOf(effective, routes).map(identityPath))
		return { effective, routes, callers, names: null }
	})
}

/** Null: it calls none of the routes. */
function carriersAt({ effective, routes, callers }: Places, group: ProxyGroup): readonly Carrier[] | null {
	return callers.has(identityPath(group.identity)) ? carriersOf(effective, group, routes) : null
}

function namesOf(rollout: Rollout, places: Places): Names {
	const { lanes, canaries, baseline } = rollout
	const running = isRunning(rollout)
	const of = places.names?.of
	const isKnown = of?.lanes === lanes && of.canaries === canaries && of.baseline === baseline && of.running === running
	if (places.names !== null && isKnown) return places.names.found
	const { effective } = places
	const targets = [...canaries, ...baseline]
	const demanded = lanes.flatMap((lane) =>
		running ? demandedToGoOn(rollout, lane, effective) : demandedToLeave(lane, effective),
	)
	const good = lanes.flatMap((lane) => {
		const withShare = lane.good.filter(({ sharePpm }) => sharePpm > 0)
		return withShare.map((target) => routedClusterName(target, lane.routes[0].id, effective))
	})
	const found: Names = {
		lanes: countedLanes(rollout, effective),
		beside: besideClusters(lanes[0], effective),
		demanded: demanded.filter(({ cluster }, index) => demanded.findIndex((one) => one.cluster === cluster) === index),
		sharing: sharingOfLanes(rollout, effective),
		good: [...new Set(good)],
		unit: unitOf(lanes[0].routes[0].id, effective),
		endpoints: endpointsOf(canaries, effective),
		hosts: new Map(targets.map((target) => [targetKey(target), hostOf(target, effective)])),
	}
	places.names = { of: { lanes, canaries, baseline, running }, found }
	return found
}

/** All routes of a rollout have the same. */
function besideClusters({ routes: [{ id }] }: Lane, { fronts, mirrors, resources }: EffectiveMesh): BesideCluster[] {
	const named = (way: BesideCluster['way'], targets: readonly Target[], calledAfter: ResourceId) =>
		targets.map((target) => {
			return { way, target: targetKey(target), cluster: besideClusterName(way, { target, calledAfter, resources }) }
		})
	const [front, mirror] = [fronts[id], mirrors[id]]
	return [
		...(front === undefined ? [] : named('front', front.split, front.calledAfter)),
		...(mirror === undefined ? [] : named('mirror', mirror.copies, mirror.calledAfter)),
	]
}

/** Several lanes can be told apart by clusters of their own alone. */
function countedLanes(rollout: Rollout, effective: EffectiveMesh): CountedLane[] {
	const { lanes, canaries, baseline } = rollout
	const [first] = lanes
	const isToldApart = lanes.length > 1 && effective.clones[first.routes[0].id] !== undefined
	if (!isToldApart) return [countedLane('', { route: first.routes[0].id, canaries, baseline }, effective)]
	return lanes.map((lane) => {
		const route = lane.routes[0].id
		return countedLane(route, { route, canaries, baseline: baselineOfLane(baseline, lane) }, effective)
	})
}

type Counted = Pick<Rollout, 'canaries' | 'baseline'> & { readonly route: ResourceId }

function countedLane(name: string, { route, canaries, baseline }: Counted, effective: EffectiveMesh): CountedLane {
	const own = (target: Target) => ownClusterName(target, route, effective)
	return {
		name,
		canaries: new Map(canaries.map((target) => [targetKey(target), own(target)])),
		baseline: baseline.map(own),
	}
}

/** Each once. */
export function canaryClusters({ lanes }: Concern): readonly string[] {
	return [...new Set(lanes.flatMap(({ canaries }) => [...canaries.values()]))]
}

/** All that are judged by tests, each once. */
export function judgedClusters(concern: Concern): readonly string[] {
	return [...new Set([...canaryClusters(concern), ...concern.lanes.flatMap(({ baseline }) => baseline)])]
}

/** The canaries, by all their ways; and, before the routes are led to their own clusters, whoever gets requests there. */
function demandedToGoOn({ canaries, baseline }: Rollout, lane: Lane, effective: EffectiveMesh): Demand[] {
	const route = lane.routes[0].id
	const demand = (target: Target) => ({
		target: targetKey(target),
		cluster: ownClusterName(target, route, effective),
		inPlaceOf: null,
	})
	const beside = besideClusters(lane, effective).map(({ target, cluster }) => ({ target, cluster, inPlaceOf: null }))
	const all = [...canaries.map(demand), ...beside]
	if (effective.clones[route]?.standing !== 'beside') return all
	const getsRequests = (target: Target) => shareOf(splitOf(effective, route) ?? [], target) > 0
	const others = baselineOfLane(baseline, lane)
		.filter(getsRequests)
		.map((target) => ({ ...demand(target), inPlaceOf: egressClusterName(target, effective.resources) }))
	return [...all, ...others]
}

/** Before an ended rollout leads its routes back to the shared clusters: whoever gets requests there. */
function demandedToLeave({ routes: [{ id: route }] }: Lane, effective: EffectiveMesh): Demand[] {
	const clones = effective.clones[route]
	if (clones?.standing !== 'routed') return []
	return clones.targets
		.filter((target) => shareOf(splitOf(effective, route) ?? [], target) > 0)
		.map((target) => ({
			target: targetKey(target),
			cluster: egressClusterName(target, effective.resources),
			inPlaceOf: ownClusterName(target, route, effective),
		}))
}

/** Routes of one lane are counted together; those of several lanes must not be, so they share like strangers. */
function sharingOfLanes(rollout: Rollout, effective: EffectiveMesh): Concern['sharing'] {
	const found = rollout.lanes.map((lane) => sharingOfLane(lane, targetsOfLane(rollout, lane), effective))
	return {
		now: [...new Set(found.flatMap(({ now }) => now))].sort(),
		soon: [...new Set(found.flatMap(({ soon }) => soon))].sort(),
		cloneProblem: found.find(({ cloneProblem }) => cloneProblem !== null)?.cloneProblem ?? null,
	}
}

const unshared: Concern['sharing'] = { now: [], soon: [], cloneProblem: null }

function sharingOfLane({ routes }: Lane, targets: readonly Target[], effective: EffectiveMesh): Concern['sharing'] {
	const [{ id }] = routes
	const route = effective.resources[id]
	if (route?.kind !== 'Route' || effective.clones[id] !== undefined) return unshared
	const ids = routes.map((each) => each.id)
	const sharing = sharingOf(effective, ids, targets)
	if (sharing.now.length + sharing.soon.length === 0) return unshared
	return { ...sharing, cloneProblem: cloneProblem(effective, route, targets) }
}

function endpointsOf(canaries: readonly Target[], { resources }: EffectiveMesh): Concern['endpoints'] {
	const found = new Map<string, EndpointCluster[]>()
	for (const target of canaries) {
		const node = resources[target.virtualNode]
		const listener = node?.kind === 'VirtualNode' ? listenerOf(node, target.port) : undefined
		if (listener === undefined) continue
		const cluster = ingressClusterName(target.virtualNode, listener)
		const others = found.get(target.virtualNode) ?? []
		found.set(target.virtualNode, [...others, { canary: targetKey(target), cluster }])
	}
	return found
}

function hostOf(target: Target, effective: EffectiveMesh): string {
	const node = effective.resources[target.virtualNode]
	return node?.kind === 'VirtualNode' ? hostOfDiscovery(node.spec.serviceDiscovery) : 'unknown'
}

function hostOfDiscovery(discovery: ServiceDiscovery | null): string {
	switch (discovery?.kind) {
		case undefined:
			return 'no service discovery'
		case 'dns':
			return discovery.hostname
		case 'awsCloudMap':
			return `${discovery.serviceName}.${discovery.namespaceName}`
		case 'static':
			return discovery.endpoints.map(({ address }) => address).join(', ')
	}
}

/** The types whose ACKs a shift waits for. */
export function typesOfShift(concern: Concern): readonly TypeUrl[] {
	return [typeUrls.cluster, typeUrls.endpoint, ...carrierTypesOf(concern)]
}

/** The types of what carries its weights. */
export function carrierTypesOf({ carriers }: Concern): readonly TypeUrl[] {
	return [...new Set([...carriers.values()].flatMap((ofGroup) => ofGroup.map(({ typeUrl }) => typeUrl)))]
}
