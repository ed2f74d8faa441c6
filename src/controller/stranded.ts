import type { Rollout } from '#rollout/rollout.ts'
import type { Concern } from './concerns.ts'
import type { Evidence } from './evidence.ts'
import type { FleetPort } from './ports.ts'

/**
 * Where a way back would land on nothing (rules, motion 7): proxies that say that a target of the last good shares has
 * no healthy host, while the canary has one. They keep what they hold. A proxy that says nothing is moved: a way back
 * never waits for evidence.
 */
export function strandedProxies(
	rollout: Rollout,
	concern: Concern,
	ports: { fleet: FleetPort; evidence: Evidence },
): Map<string, Set<string>> {
	const stranded = new Map<string, Set<string>>()
	if (rollout.phase.kind !== 'rollingBack') return stranded
	const canaries = [...concern.canaries.values()]
	for (const groupKey of concern.groupKeys) {
		const names = new Set<string>()
		for (const { key } of ports.fleet.connected(groupKey)) {
			const healthy = (cluster: string) => ports.evidence.healthyHosts(key, cluster)
			const lands = concern.good.every((cluster) => healthy(cluster) !== 0)
			if (!lands && canaries.some((cluster) => (healthy(cluster) ?? 0) > 0)) names.add(key)
		}
		stranded.set(groupKey, names)
	}
	return stranded
}
