import { identityPath, type ProxyGroup, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { type Carrier, callersOf, carriersOf, egressClusterName } from '#compile/names.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import type { ServiceDiscovery } from '#mesh/proxy-spec.ts'
import type { Target } from '#plan/plan.ts'
import { targetKey } from '#plan/split.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { Rollout } from '#rollout/rollout.ts'
import type { FleetView, GroupView } from '#xds/fleet-view.ts'
import { unitOf } from './shift-unit.ts'

/** What of the served configuration one rollout moves: whose proxies, which clusters, and what carries the weights. */
export type Concern = {
	/** Groups that have shown up and send to the route. */
	readonly groups: readonly GroupView[]
	readonly groupKeys: ReadonlySet<string>
	/** Canary key → cluster name. */
	readonly canaries: ReadonlyMap<string, string>
	readonly baseline: readonly string[]
	/** Clusters of the targets that have a share of `good`. */
	readonly good: readonly string[]
	/** What carries the route, by group key: route configurations, or for a TCP route listeners. */
	readonly carriers: ReadonlyMap<string, readonly Carrier[]>
	/** What its traffic is counted in: connections where its route is TCP, whatever else its targets take. */
	readonly unit: 'requests' | 'connections'
	/** Canary key → the name that its hosts are looked up by, for people. */
	readonly hosts: ReadonlyMap<string, string>
}

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
	names: { readonly of: Pick<Rollout, 'canaries' | 'baseline' | 'good'>; readonly found: Names } | null
}

type Names = Pick<Concern, 'canaries' | 'baseline' | 'good' | 'unit' | 'hosts'>

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
	const of = places.names?.of
	if (places.names !== null && of?.canaries === canaries && of.baseline === baseline && of.good === good)
		return places.names.found
	const { effective } = places
	const name = (target: Target) => egressClusterName(target, effective.resources)
	const found: Names = {
		canaries: new Map(canaries.map((target) => [targetKey(target), name(target)])),
		baseline: baseline.map(name),
		good: good.filter(({ sharePpm }) => sharePpm > 0).map(name),
		unit: unitOf(places.route, effective),
		hosts: new Map(canaries.map((target) => [targetKey(target), hostOf(target, effective)])),
	}
	places.names = { of: { canaries, baseline, good }, found }
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
