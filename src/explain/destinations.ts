import type { ResourceId } from '#mesh/mesh.ts'
import { wholePpm } from '#plan/plan.ts'
import { Cluster_DiscoveryType } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import type { Metadata } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { Configuration } from './configuration.ts'
import type { Destination } from './explained.ts'

export type WeightedName = { readonly name: string; readonly weight: number }

/** Who gets which share, in the order in which it is written. */
export function destinationsOf(configuration: Configuration, weighted: readonly WeightedName[]): Destination[] {
	const sum = weighted.reduce((total, { weight }) => total + weight, 0)
	return weighted.map(({ name, weight }) => ({
		cluster: name,
		virtualNode: madeFor(configuration.cluster(name)?.metadata, 'virtualNode'),
		sharePpm: sum === 0 ? 0 : Math.round((weight * wholePpm) / sum),
	}))
}

/** What the compiler noted that a piece of configuration was made for. */
export function madeFor(
	metadata: Metadata | undefined,
	what: 'virtualNode' | 'virtualService' | 'frontOf',
): ResourceId | null {
	const noted = metadata?.filterMetadata.sluice?.[what]
	return typeof noted === 'string' ? (noted as ResourceId) : null
}

/** The cluster leads to wherever the connection was going. */
export function isPassThrough(configuration: Configuration, cluster: string): boolean {
	const type = configuration.cluster(cluster)?.clusterDiscoveryType
	return type?.case === 'type' && type.value === Cluster_DiscoveryType.ORIGINAL_DST
}
