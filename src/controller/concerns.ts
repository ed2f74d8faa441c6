import { identityPath, proxyGroupKey, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { type Carrier, callersOf, carriersOf, egressClusterName } from '#compile/names.ts'
import type { ServiceDiscovery } from '#mesh/proxy-spec.ts'
import type { Target } from '#plan/plan.ts'
import { targetKey } from '#plan/split.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { Rollout } from '#rollout/rollout.ts'
import type { FleetView, GroupView } from '#xds/fleet-view.ts'

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
	const callers = new Set(callersOf(effective, rollout.route).map(identityPath))
	const carriers = new Map<string, readonly Carrier[]>()
	const groups = [...fleet.values()].filter(({ group }) => {
		if (!callers.has(identityPath(group.identity))) return false
		const ofGroup = carriersOf(effective, group, rollout.route)
		carriers.set(proxyGroupKey(group), ofGroup)
		// It might call, were its traffic captured otherwise: a TCP service without a port of its own.
		return ofGroup.length > 0
	})
	const route = effective.resources[rollout.route]
	const name = (target: Target) => egressClusterName(target, effective.resources)
	return {
		groups,
		groupKeys: new Set(groups.map(({ group }) => proxyGroupKey(group))),
		canaries: new Map(rollout.canaries.map((target) => [targetKey(target), name(target)])),
		baseline: rollout.baseline.map(name),
		good: rollout.good.filter(({ sharePpm }) => sharePpm > 0).map(name),
		carriers,
		unit: route?.kind === 'Route' && route.spec.protocol === 'tcp' ? 'connections' : 'requests',
		hosts: new Map(rollout.canaries.map((target) => [targetKey(target), hostOf(target, effective)])),
	}
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
export function typesOfShift({ carriers }: Concern): readonly TypeUrl[] {
	const ofCarriers = [...carriers.values()].flatMap((ofGroup) => ofGroup.map(({ typeUrl }) => typeUrl))
	return [...new Set([typeUrls.cluster, typeUrls.endpoint, ...ofCarriers])]
}
