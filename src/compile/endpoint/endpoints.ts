import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { unreachable } from '#base/assert.ts'
import { compareText } from '#base/diagnostic.ts'
import { canonicalJson } from '#base/hash.ts'
import { cloudMapKey, type Discovered, type Endpoint } from '#discovery/discovered.ts'
import type { ResourceId } from '#mesh/mesh.ts'
import type { IpPreference, ServiceDiscovery } from '#mesh/proxy-spec.ts'
import type { LocalityLbEndpointsSchema } from '#proto/gen/envoy/config/endpoint/v3/endpoint_components_pb.ts'
import { ClusterLoadAssignmentSchema } from '#proto/gen/envoy/config/endpoint/v3/endpoint_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { socketAddress } from '../proto/socket-address.ts'
import { preferredAddress } from './preferred-address.ts'

export type EndpointsOptions = {
	/** Of the cluster. */
	readonly name: string
	/** Of the listener: what is registered with Cloud Map says nothing about ports. */
	readonly port: number
	readonly discovery: ServiceDiscovery
	readonly preference: IpPreference | null
	readonly discovered: Discovered
	readonly madeOf: readonly ResourceId[]
}

type Host = { readonly zone: string; readonly address: string; readonly port: number }

/**
 * The endpoints of a cluster, each address once; null when it finds its hosts by DNS, or when Cloud Map has not answered
 * yet. Known to be none is an answer: it empties the cluster.
 */
export function compileEndpoints(options: EndpointsOptions): CompiledResource | null {
	const found = hostsOf(options)
	if (found === null) return null
	const hosts = inOrder(found)
	const { name, madeOf } = options
	return compiledResource({
		typeUrl: typeUrls.endpoint,
		name,
		key: canonicalJson(hosts),
		schema: ClusterLoadAssignmentSchema,
		madeOf,
		make: () => create(ClusterLoadAssignmentSchema, { clusterName: name, endpoints: byZone(hosts) }),
	})
}

function hostsOf({ port, discovery, preference, discovered }: EndpointsOptions): Host[] | null {
	switch (discovery.kind) {
		case 'dns':
			return null
		case 'awsCloudMap': {
			const endpoints = discovered.endpoints.get(cloudMapKey(discovery))
			return endpoints === undefined ? null : endpoints.flatMap((endpoint) => hostOf(endpoint, port, preference))
		}
		case 'static':
			return discovery.endpoints.map((endpoint) => ({
				zone: '',
				address: endpoint.address,
				port: endpoint.port ?? port,
			}))
		default:
			return unreachable(discovery)
	}
}

function hostOf(endpoint: Endpoint, port: number, preference: IpPreference | null): Host[] {
	const address = preferredAddress(endpoint, preference)
	return address === null ? [] : [{ zone: endpoint.zone, address, port }]
}

/** Two instances at one address are one host: Envoy would take both, and give it twice the traffic. */
function inOrder(hosts: readonly Host[]): Host[] {
	const unique = new Map<string, Host>()
	for (const host of [...hosts].sort(compareHosts)) {
		const place = `${host.address} ${host.port}`
		if (!unique.has(place)) unique.set(place, host)
	}
	return [...unique.values()]
}

function compareHosts(left: Host, right: Host): number {
	return compareText(left.zone, right.zone) || compareText(left.address, right.address) || left.port - right.port
}

function byZone(hosts: readonly Host[]): MessageInitShape<typeof LocalityLbEndpointsSchema>[] {
	const zones = [...new Set(hosts.map(({ zone }) => zone))]
	return zones.map((zone) => ({
		...(zone === '' ? {} : { locality: { zone } }),
		lbEndpoints: hosts.filter((host) => host.zone === zone).map(lbEndpoint),
	}))
}

function lbEndpoint({ address, port }: Host) {
	const endpoint = { address: socketAddress(address, port) }
	return { hostIdentifier: { case: 'endpoint', value: endpoint } } as const
}
