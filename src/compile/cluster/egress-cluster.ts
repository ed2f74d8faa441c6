import { create } from '@bufbuild/protobuf'
import { canonicalJson } from '#base/hash.ts'
import { type ResourceId, resourceId, type VirtualNode } from '#mesh/mesh.ts'
import type { IpPreference, ServiceDiscovery } from '#mesh/proxy-spec.ts'
import type { Protocol } from '#mesh/route-spec.ts'
import type { Target } from '#plan/plan.ts'
import { type Cluster, ClusterSchema } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { egressClusterName, type Resources } from '../names.ts'
import { msToDuration } from '../proto/duration.ts'
import { sluiceMetadata } from '../proto/sluice-metadata.ts'
import { dnsDiscovery } from './dns.ts'
import { httpProtocolOptions } from './http-protocol.ts'
import { singleHost } from './load-assignment.ts'
import { unlimitedThresholds } from './thresholds.ts'

type Parameters = {
	readonly name: string
	readonly node: ResourceId
	readonly port: number
	readonly protocol: Protocol
	readonly discovery: Extract<ServiceDiscovery, { kind: 'dns' }>
	/** The node's own preference, or else its mesh's. */
	readonly preference: IpPreference | null
}

const connectTimeoutMs = 1_000

/** One mesh is compiled again at every step of a rollout, and its clusters stay what they are. */
const compiled = new WeakMap<VirtualNode, Map<string, CompiledResource>>()

/**
 * The cluster by which callers reach a target; null when there is no such listener, or no way to find its hosts.
 * Envoy's panic threshold stays at its default, as under App Mesh: without health checks all hosts count as healthy.
 */
export function compileEgressCluster(target: Target, resources: Resources): CompiledResource | null {
	const node = resources[target.virtualNode]
	if (node?.kind !== 'VirtualNode' || node.spec.serviceDiscovery?.kind !== 'dns') return null
	const listener = node.spec.listeners.find(({ port }) => port === target.port)
	if (listener === undefined) return null
	const mesh = resources[resourceId.mesh(node.mesh)]
	const discovery = node.spec.serviceDiscovery
	const preference = discovery.ipPreference ?? (mesh?.kind === 'Mesh' ? mesh.spec.ipPreference : null)
	return remember(node, `${target.port} ${preference}`, () =>
		clusterOf({
			name: egressClusterName(target, resources),
			node: node.id,
			port: target.port,
			protocol: listener.protocol,
			discovery,
			preference,
		}),
	)
}

function remember(node: VirtualNode, what: string, make: () => CompiledResource): CompiledResource {
	const ofNode = compiled.get(node) ?? new Map<string, CompiledResource>()
	compiled.set(node, ofNode)
	const cluster = ofNode.get(what) ?? make()
	ofNode.set(what, cluster)
	return cluster
}

function clusterOf(parameters: Parameters): CompiledResource {
	return compiledResource({
		typeUrl: typeUrls.cluster,
		name: parameters.name,
		key: canonicalJson(parameters),
		schema: ClusterSchema,
		madeOf: [parameters.node],
		make: () => makeCluster(parameters),
	})
}

function makeCluster({ name, node, port, protocol, discovery, preference }: Parameters): Cluster {
	return create(ClusterSchema, {
		name,
		...dnsDiscovery(discovery.responseType, preference),
		connectTimeout: msToDuration(connectTimeoutMs),
		// The dot makes it a whole name: no search domain is tried.
		loadAssignment: singleHost(name, `${discovery.hostname}.`, port),
		circuitBreakers: unlimitedThresholds(),
		typedExtensionProtocolOptions: httpProtocolOptions(protocol),
		metadata: sluiceMetadata('virtualNode', node),
	})
}
