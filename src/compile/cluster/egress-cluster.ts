import { create } from '@bufbuild/protobuf'
import { canonicalJson } from '#base/hash.ts'
import { madeFor } from '#base/made-for.ts'
import type { Discovered } from '#discovery/discovered.ts'
import { type ResourceId, resourceId, type VirtualNode } from '#mesh/mesh.ts'
import type {
	ClientTls,
	HealthCheck,
	IpPreference,
	OutlierDetection,
	ServiceDiscovery,
	VirtualNodeListener,
} from '#mesh/proxy-spec.ts'
import type { Protocol } from '#mesh/route-spec.ts'
import type { Target } from '#plan/plan.ts'
import { type Cluster, ClusterSchema } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { type CompiledResource, type SecretSource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { compileEndpoints } from '../endpoint/endpoints.ts'
import { egressClusterName, type Resources } from '../names.ts'
import { sluiceMetadata } from '../proto/sluice-metadata.ts'
import { clientTlsInForce } from '../tls/client-tls-in-force.ts'
import { type SecretContext, type SecretUse, secretResources, servedSecretNames } from '../tls/secret-use.ts'
import { secretReferencesOf, type UpstreamTls, upstreamTls, upstreamTransportSocket } from '../tls/upstream-tls.ts'
import { discoveryNames } from './discovery-names.ts'
import { healthCheckOf } from './health-check.ts'
import { type HostSource, hostDiscovery, hostSource } from './host-discovery.ts'
import { httpProtocolOptions } from './http-protocol.ts'
import { outlierDetectionOf } from './outlier-detection.ts'
import { thresholds } from './thresholds.ts'

export type EgressClusterOptions = {
	readonly resources: Resources
	/** Policies of all backends by which the caller reaches the target; a gateway has one. */
	readonly clientTls: readonly (ClientTls | null)[]
	readonly discovered: Discovered
	readonly secrets: SecretSource
	/** Null: the one that all others share. */
	readonly own: OwnCluster | null
}

/** A cluster that only this route leads to. */
export type OwnCluster = { readonly route: ResourceId; readonly name: string }

/** What a cluster is made from, and nothing else. */
type Parameters = {
	readonly name: string
	readonly node: ResourceId
	readonly port: number
	readonly protocol: Protocol
	readonly hosts: HostSource
	/** What health checks ask for. */
	readonly host: string
	readonly healthCheck: HealthCheck | null
	readonly outlierDetection: OutlierDetection | null
	readonly tls: UpstreamTls | null
}

/** One mesh is compiled again at every step of a rollout, and its clusters stay what they are. */
const knownCluster = madeFor<VirtualNode, CompiledResource>()

/**
 * The cluster by which callers reach a target, and after it its endpoints and the secrets that it names, as far as they
 * are served by us and known. Nothing when there is no such listener, or no way to find its hosts.
 */
export function compileEgressCluster(target: Target, options: EgressClusterOptions): readonly CompiledResource[] {
	const { resources, discovered, secrets, own } = options
	const node = resources[target.virtualNode]
	if (node?.kind !== 'VirtualNode' || node.spec.serviceDiscovery === null) return []
	const listener = node.spec.listeners.find(({ port }) => port === target.port)
	if (listener === undefined) return []
	const discovery = node.spec.serviceDiscovery
	const preference = preferenceOf(node, discovery, resources)
	const name = own?.name ?? egressClusterName(target, resources)
	const madeOf = [node.id, ...(own === null ? [] : [own.route])]
	const context = { secrets, discovered, user: 'cluster', owner: name, madeOf } as const
	const { tls, uses } = tlsOf(listener, discovery, options.clientTls, context)
	const cluster = knownCluster(node, `${name} ${preference} ${canonicalJson(tls)}`, () => {
		const { port, protocol, healthCheck, outlierDetection } = listener
		const hosts = hostSource(discovery, preference)
		const host = healthCheckHost(node, discovery)
		const parameters = { name, node: node.id, port, protocol, hosts, host, healthCheck, outlierDetection, tls }
		return clusterOf(parameters, madeOf)
	})
	const endpoints = compileEndpoints({ name, port: listener.port, discovery, preference, discovered, madeOf })
	return [cluster, ...(endpoints === null ? [] : [endpoints]), ...secretResources(uses)]
}

/** The node's own preference, or else its mesh's. Addresses that are written down are meant as they are. */
function preferenceOf({ mesh }: VirtualNode, discovery: ServiceDiscovery, resources: Resources): IpPreference | null {
	if (discovery.kind === 'static') return null
	const found = resources[resourceId.mesh(mesh)]
	return discovery.ipPreference ?? (found?.kind === 'Mesh' ? found.spec.ipPreference : null)
}

function tlsOf(
	listener: VirtualNodeListener,
	discovery: ServiceDiscovery,
	policies: readonly (ClientTls | null)[],
	context: SecretContext,
): { readonly tls: UpstreamTls | null; readonly uses: readonly SecretUse[] } {
	const inForce = clientTlsInForce(policies, listener, context)
	return inForce === null ? { tls: null, uses: [] } : upstreamTls(inForce, discovery, context)
}

/** Addresses that are written down are asked as what they are in the mesh. */
function healthCheckHost({ name }: VirtualNode, discovery: ServiceDiscovery): string {
	const [host = name] = discovery.kind === 'static' ? [] : discoveryNames(discovery)
	return host
}

function clusterOf(parameters: Parameters, madeOf: readonly ResourceId[]): CompiledResource {
	const { name, hosts, tls } = parameters
	return compiledResource({
		typeUrl: typeUrls.cluster,
		name,
		key: canonicalJson(parameters),
		schema: ClusterSchema,
		endpoints: hosts.kind === 'endpoints' ? [name] : [],
		secrets: tls === null ? [] : servedSecretNames(secretReferencesOf(tls)),
		madeOf,
		make: () => makeCluster(parameters),
	})
}

function makeCluster(parameters: Parameters): Cluster {
	const { name, node, protocol, tls, outlierDetection } = parameters
	return create(ClusterSchema, {
		name,
		...hostDiscovery(parameters),
		circuitBreakers: thresholds(null),
		typedExtensionProtocolOptions: httpProtocolOptions(spokenProtocol(parameters)),
		metadata: sluiceMetadata('virtualNode', node),
		...healthOf(parameters),
		...(outlierDetection === null ? {} : { outlierDetection: outlierDetectionOf(outlierDetection) }),
		...(tls === null ? {} : { transportSocket: upstreamTransportSocket(tls, protocol) }),
	})
}

/**
 * With health checks nothing goes to a host that fails them, even if all do. Without, Envoy's panic threshold stays at
 * its default, as under App Mesh.
 */
function healthOf({ healthCheck, protocol, host, tls }: Parameters) {
	if (healthCheck === null) return {}
	const transport = tls === null ? 'plain' : 'tls'
	return {
		healthChecks: [healthCheckOf({ healthCheck, protocol, host, transport })],
		commonLbConfig: { healthyPanicThreshold: { value: 0 } },
	}
}

/** A gRPC check needs a cluster of HTTP/2, which for proxied TCP changes nothing. */
function spokenProtocol({ protocol, healthCheck }: Parameters): Protocol {
	return protocol === 'tcp' && healthCheck?.protocol === 'grpc' ? 'http2' : protocol
}
