import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import type { ResourceId } from '#mesh/mesh.ts'

// The contract of stage 6: whom something is compiled for, and what comes out.

/** App Mesh's identity of a proxy. Replicas share it. */
export type ProxyIdentity = {
	readonly mesh: string
	readonly kind: 'virtualNode' | 'virtualGateway'
	readonly name: string
}

/** How traffic gets into the proxy. Written into `node.metadata.sluice` by `sluice bootstrap`. */
export type Capture =
	| { readonly mode: 'intercept' }
	| {
			readonly mode: 'explicit'
			/** Address that listeners bind, e.g. 0.0.0.0 or 127.0.0.11. */
			readonly bind: string
			/** Port of the HTTP egress listener; App Mesh's is 15001. */
			readonly egressPort: number
			/** Where the application listens, an IP address; the port is the virtual node's listener port when null. */
			readonly app: { readonly address: string; readonly port: number | null }
	  }

/**
 * `node.metadata.sluice`: what `sluice bootstrap` writes and the xDS room reads. `instance` tells apart the proxies of
 * one identity: a host name, a task's id.
 */
export type SluiceNodeMetadata =
	| { readonly instance: string; readonly capture: 'intercept'; readonly sds?: 'socket' }
	| {
			readonly instance: string
			readonly capture: 'explicit'
			readonly bind: string
			readonly egressPort: number
			/** An IP address, `127.0.0.1` or `::1`; with the application's port `127.0.0.1:8080` or `[::1]:8080`. */
			readonly app: string
			/** Not there: secrets come from the daemon. */
			readonly sds?: 'socket'
	  }

/**
 * Where secrets that a mesh names come from. `daemon`: they are files of the daemon's machine, served over ADS.
 * `socket`: an SDS server beside the proxy, the bootstrap's cluster `static_cluster_sds_unix_socket`.
 */
export type SecretSource = 'daemon' | 'socket'

/** All proxies that are served the same bytes. */
export type ProxyGroup = {
	readonly identity: ProxyIdentity
	readonly cohort: 'stable' | 'candidate'
	readonly capture: Capture
	readonly secrets: SecretSource
	/** Envoy's minor version, e.g. `1.40`. */
	readonly envoyMinor: string
}

export const typeUrls = {
	cluster: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
	endpoint: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
	listener: 'type.googleapis.com/envoy.config.listener.v3.Listener',
	route: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
	secret: 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
} as const

export type TypeUrl = (typeof typeUrls)[keyof typeof typeUrls]

/** What a resource names, by type, sorted. */
export type References = {
	/** Clusters and routes must exist beside it. */
	readonly clusters: readonly string[]
	readonly routes: readonly string[]
	/**
	 * Endpoints and secrets come from discovery, and may not be known (any more): what names them is not sent before they
	 * are, and what a proxy holds of them is not taken from it while something names them.
	 */
	readonly endpoints: readonly string[]
	readonly secrets: readonly string[]
}

/** One Envoy resource, not built yet: `build` is called only when nothing with the same key was encoded before. */
export type CompiledResource = {
	readonly typeUrl: TypeUrl
	readonly name: string
	/** Equal keys build equal bytes. Made of the hashes of everything that `build` reads. */
	readonly key: string
	readonly references: References
	/** What it was made of: the way from a NACK back to a line of YAML. */
	readonly madeOf: readonly ResourceId[]
	readonly build: () => BuiltMessage
}

export type BuiltMessage<Desc extends DescMessage = DescMessage> = {
	readonly schema: Desc
	readonly message: MessageShape<Desc>
}

/** The text that names a group everywhere: state, FleetView, logs. Equal groups have equal keys. */
export function proxyGroupKey(group: ProxyGroup): string {
	const { identity, cohort, capture, envoyMinor, secrets } = group
	const parts = [identityPath(identity), cohort, envoyMinor, capture.mode]
	if (secrets === 'socket') parts.push('sds')
	if (capture.mode === 'explicit') {
		parts.push(capture.bind, String(capture.egressPort), `${capture.app.address}:${capture.app.port ?? ''}`)
	}
	return parts.join('|')
}

/** `mesh/apps/virtualNode/serviceA`: what Envoy's node.id says. */
export function identityPath(identity: ProxyIdentity): string {
	return `mesh/${identity.mesh}/${identity.kind}/${identity.name}`
}
