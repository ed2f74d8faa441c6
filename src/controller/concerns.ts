import { besideClusterName, ownClusterName, routedClusterName } from '#compile/clone-names.ts'
import { identityPath, type ProxyGroup, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { type Carrier, callersOf, carriersOf, egressClusterName, ingressClusterName } from '#compile/names.ts'
import { cloneProblem, type Sharing, sharingOf } from '#compile/sharing.ts'
import type { Resource, ResourceId } from '#mesh/mesh.ts'
import type { ServiceDiscovery } from '#mesh/proxy-spec.ts'
import type { Target } from '#plan/plan.ts'
import { shareOf, targetKey } from '#plan/split.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'
import type { FleetView, GroupView } from '#xds/fleet-view.ts'
import { unitOf } from './shift-unit.ts'

/** What of the served configuration one rollout moves: whose proxies, which clusters, and what carries the weights. */
export type Concern = {
	/** Groups that have shown up and send to the route. */
	readonly groups: readonly GroupView[]
	readonly groupKeys: ReadonlySet<string>
	/** Canary key → name of the cluster that it is judged by: the route's own, where it has some. */
	readonly canaries: ReadonlyMap<string, string>
	readonly baseline: readonly string[]
	/** What canaries get beside their shares, by a cluster for each way and canary. */
	readonly beside: readonly BesideCluster[]
	/** Clusters that must have a healthy host at every proxy before the route's next move. */
	readonly demanded: readonly Demand[]
	readonly sharing: Sharing & { readonly cloneProblem: string | null }
	/** Clusters that the targets with a share of `good` are reached by. */
	readonly good: readonly string[]
	/** What carries the route, by group key: route configurations, or for a TCP route listeners. */
	readonly carriers: ReadonlyMap<string, readonly Carrier[]>
	/** What its traffic is counted in: connections where its route is TCP, whatever else its targets take. */
	readonly unit: 'requests' | 'connections'
	/** Virtual node of a canary → what its own Envoys count by: the canaries that it is, each by a cluster. */
	readonly endpoints: ReadonlyMap<string, readonly EndpointCluster[]>
	/** Target key → the name that its hosts are looked up by, for people. */
	readonly hosts: ReadonlyMap<string, string>
}

/** By what is in front of the route, or as copies of its requests. */
export type BesideCluster = { readonly way: 'front' | 'mirror'; readonly target: string; readonly cluster: string }

/** `inPlaceOf`: demanded only where that cluster has a healthy host. */
export type Demand = { readonly target: string; readonly cluster: string; readonly inPlaceOf: string | null }

/** The cluster by which a canary's proxy reaches its own application. */
export type EndpointCluster = { readonly canary: string; readonly cluster: string }

export function concernOf(rollout: Rollout, effective: EffectiveMesh, fleet: FleetView): Concern {
	const places = placesOf(effective, rollout.route)
	const groups: GroupView[] = []
	const carriers = new Map<string, readonly Carrier[]>()
	for (const [groupKey, view] of fleet) {
		const ofGroup = carriersAt(places, groupKey, view.group)
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
	readonly route: ResourceId
	readonly callers: ReadonlySet<string>
	/** By group key; null: it does not call the route. */
	readonly carriers: Map<string, readonly Carrier[] | null>
	names: { readonly of: NamesOf; readonly found: Names } | null
}

type NamesOf = Pick<Rollout, 'canaries' | 'baseline' | 'good'> & { readonly running: boolean }
type Names = Pick<
	Concern,
	'canaries' | 'baseline' | 'beside' | 'demanded' | 'sharing' | 'good' | 'unit' | 'endpoints' | 'hosts'
>

const known = new WeakMap<EffectiveMesh, Map<ResourceId, Places>>()

function placesOf(effective: EffectiveMesh, route: ResourceId): Places {
	const ofMesh = known.get(effective) ?? new Map<ResourceId, Places>()
	known.set(effective, ofMesh)
	const before = ofMesh.get(route)
	if (before !== undefined) return before
	const callers = new Set(callersOf(effective, route).map(identityPath))
	const places: Places = { effective, route, callers, carriers: new Map(), names: null }
	ofMesh.set(route, places)
	return places
}

function carriersAt(places: Places, groupKey: string, group: ProxyGroup): readonly Carrier[] | null {
	const before = places.carriers.get(groupKey)
	if (before !== undefined) return before
	const { effective, route, callers } = places
	const found = callers.has(identityPath(group.identity)) ? carriersOf(effective, group, route) : null
	places.carriers.set(groupKey, found)
	return found
}

function namesOf(rollout: Rollout, places: Places): Names {
	const { canaries, baseline, good } = rollout
	const running = isRunning(rollout)
	const of = places.names?.of
	const isKnown = of?.canaries === canaries && of.baseline === baseline && of.good === good && of.running === running
	if (places.names !== null && isKnown) return places.names.found
	const { effective } = places
	const route = effective.resources[rollout.route]
	const own = (target: Target) => ownClusterName(target, rollout.route, effective)
	const targets = [...canaries, ...baseline]
	const found: Names = {
		canaries: new Map(canaries.map((target) => [targetKey(target), own(target)])),
		baseline: baseline.map(own),
		beside: besideClusters(rollout.route, effective),
		demanded: running ? demandedToGoOn(rollout, effective) : demandedToLeave(rollout, effective),
		sharing: sharingOfTargets(route, targets, effective),
		good: good
			.filter(({ sharePpm }) => sharePpm > 0)
			.map((target) => routedClusterName(target, rollout.route, effective)),
		unit: unitOf(places.route, effective),
		endpoints: endpointsOf(canaries, effective),
		hosts: new Map(targets.map((target) => [targetKey(target), hostOf(target, effective)])),
	}
	places.names = { of: { canaries, baseline, good, running }, found }
	return found
}

function besideClusters(route: ResourceId, { fronts, mirrors, resources }: EffectiveMesh): BesideCluster[] {
	const named = (way: BesideCluster['way'], targets: readonly Target[]) =>
		targets.map((target) => {
			return { way, target: targetKey(target), cluster: besideClusterName(way, { target, route, resources }) }
		})
	return [...named('front', fronts[route]?.split ?? []), ...named('mirror', mirrors[route]?.copies ?? [])]
}

/** The canaries, by all their ways; and, before the route is led to its own clusters, whoever gets requests there. */
function demandedToGoOn({ route, canaries, baseline }: Rollout, effective: EffectiveMesh): Demand[] {
	const demand = (target: Target) => ({
		target: targetKey(target),
		cluster: ownClusterName(target, route, effective),
		inPlaceOf: null,
	})
	const beside = besideClusters(route, effective).map(({ target, cluster }) => ({ target, cluster, inPlaceOf: null }))
	const all = [...canaries.map(demand), ...beside]
	if (effective.clones[route]?.standing !== 'beside') return all
	const getsRequests = (target: Target) => shareOf(effective.splits[route] ?? [], target) > 0
	const others = baseline.filter(getsRequests).map((target) => {
		return { ...demand(target), inPlaceOf: egressClusterName(target, effective.resources) }
	})
	return [...all, ...others]
}

/** Before an ended rollout leads the route back to the shared clusters: whoever gets requests there. */
function demandedToLeave({ route }: Rollout, effective: EffectiveMesh): Demand[] {
	const clones = effective.clones[route]
	if (clones?.standing !== 'routed') return []
	return clones.targets
		.filter((target) => shareOf(effective.splits[route] ?? [], target) > 0)
		.map((target) => ({
			target: targetKey(target),
			cluster: egressClusterName(target, effective.resources),
			inPlaceOf: ownClusterName(target, route, effective),
		}))
}

const unshared: Concern['sharing'] = { now: [], soon: [], cloneProblem: null }

function sharingOfTargets(
	route: Resource | undefined,
	targets: readonly Target[],
	effective: EffectiveMesh,
): Concern['sharing'] {
	if (route?.kind !== 'Route' || effective.clones[route.id] !== undefined) return unshared
	const sharing = sharingOf(effective, route.id, targets)
	if (sharing.now.length + sharing.soon.length === 0) return unshared
	return { ...sharing, cloneProblem: cloneProblem(effective, route, targets) }
}

function endpointsOf(canaries: readonly Target[], { resources }: EffectiveMesh): Concern['endpoints'] {
	const found = new Map<string, EndpointCluster[]>()
	for (const target of canaries) {
		const node = resources[target.virtualNode]
		const listener = node?.kind === 'VirtualNode' && node.spec.listeners.find(({ port }) => port === target.port)
		if (!listener) continue
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
