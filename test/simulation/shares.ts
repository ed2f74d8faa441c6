import { fromBinary } from '@bufbuild/protobuf'
import { typeUrls } from '#compile/compiled.ts'
import type { Route } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { RouteConfigurationSchema } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import type { EncodedResource, Snapshot } from '#snapshot/snapshot.ts'

// What a route configuration's bytes stand for: of each virtual service, which node has which share. Read from what
// proxies are sent, never from what the controller says of it.

/** Node → ppm. Of whatever port or cluster a node is reached by. */
export type Shares = ReadonlyMap<string, number>

/** Host name of a virtual service → shares of its one route. */
export type SharesByHost = ReadonlyMap<string, Shares>

/** What a proxy needs to know to send requests on. */
export type Forwarding = {
	readonly shares: SharesByHost
	/** Host → cluster → ppm. */
	readonly clusters: ReadonlyMap<string, ReadonlyMap<string, number>>
	/** Host → cluster → ppm, of the requests that are matched in front of the shares. */
	readonly fronts: ReadonlyMap<string, ReadonlyMap<string, number>>
	/** Host → how long its requests may take, in ms. */
	readonly timeouts: ReadonlyMap<string, number>
}

export const nothingForwarded: Forwarding = {
	shares: new Map(),
	clusters: new Map(),
	fronts: new Map(),
	timeouts: new Map(),
}

const read = new Map<string, Forwarding>()

export function forwardingOfBytes(resource: EncodedResource): Forwarding {
	const known = read.get(resource.version)
	if (known !== undefined) return known
	const shares = new Map<string, Shares>()
	const clusters = new Map<string, ReadonlyMap<string, number>>()
	const fronts = new Map<string, ReadonlyMap<string, number>>()
	const timeouts = new Map<string, number>()
	for (const host of fromBinary(RouteConfigurationSchema, resource.bytes).virtualHosts) {
		const ofClusters = new Map<string, number>()
		for (const route of host.routes) {
			const weighted = weightedClusters(route)
			// What is in front of the shares is not they.
			if (route.metadata?.filterMetadata.sluice?.frontOf !== undefined) fronts.set(host.name, new Map(weighted))
			else for (const [name, ppm] of weighted) ofClusters.set(name, ppm)
			if (weighted.length > 0) timeouts.set(host.name, timeoutMsOf(route))
		}
		if (ofClusters.size === 0) continue
		clusters.set(host.name, ofClusters)
		shares.set(host.name, new Map([...ofClusters].map(([name, ppm]) => [nodeOfCluster(name), ppm])))
	}
	const forwarding = { shares, clusters, fronts, timeouts }
	read.set(resource.version, forwarding)
	return forwarding
}

function weightedClusters({ action }: Route): [string, number][] {
	if (action.case !== 'route' || action.value.clusterSpecifier.case !== 'weightedClusters') return []
	const weighted = action.value.clusterSpecifier.value.clusters
	const sum = weighted.reduce((total, { weight }) => total + Number(weight ?? 0), 0)
	return weighted.map(({ name, weight }) => [name, Math.round((Number(weight ?? 0) / sum) * 1e6)])
}

function timeoutMsOf({ action }: Route): number {
	const { seconds = 0n, nanos = 0 } = (action.case === 'route' ? action.value.timeout : undefined) ?? {}
	return Number(seconds) * 1000 + nanos / 1e6
}

/** Cluster → ppm, of all virtual services of a route configuration. */
export function clusterSharesOfBytes(resource: EncodedResource | undefined): ReadonlyMap<string, number> | undefined {
	if (resource === undefined) return undefined
	return new Map([...forwardingOfBytes(resource).clusters.values()].flatMap((ofHost) => [...ofHost]))
}

/** What is sent on by these resources together. */
export function forwardingOf(resources: Iterable<EncodedResource>): Forwarding {
	for (const resource of resources) {
		if (resource.typeUrl !== typeUrls.route) continue
		const forwarding = forwardingOfBytes(resource)
		// The other one leads to the proxy's own application.
		if (forwarding.shares.has('b.local')) return forwarding
	}
	return nothingForwarded
}

export function forwardingOfSnapshot(snapshot: Snapshot | undefined): Forwarding {
	return snapshot === undefined ? nothingForwarded : forwardingOf(snapshot.types[typeUrls.route].resources.values())
}

/** `cds_egress_apps_Bv2_http2_80` → `Bv2`. */
export function nodeOfCluster(cluster: string): string {
	return cluster.split('_')[3] ?? ''
}

export function isSameShares(left: Shares | undefined, right: Shares | undefined): boolean {
	if (left === undefined || right === undefined) return left === right
	return left.size === right.size && [...right].every(([node, share]) => left.get(node) === share)
}
