import type { Capture, ProxyIdentity } from '#compile/compiled.ts'
import type { StatsSettings } from '#mesh/proxy-spec.ts'
import type { ControlPlaneTls } from './control-plane-tls.ts'
import type { ControlPlaneToken } from './control-plane-token.ts'

/** An IP address or a host name, and a port. */
export type HostPort = { readonly address: string; readonly port: number }

export type BootstrapOptions = {
	readonly identity: ProxyIdentity
	/**
	 * Tells apart the proxies of one identity, and stays the same when one restarts: a host name, a task's id. At most 255
	 * letters, digits and `_ . : / @ -`: the daemon takes no other.
	 */
	readonly instance: string
	readonly capture: Capture
	/** Where the daemon listens; the second is gone to while the first does not answer. */
	readonly controlPlane: readonly [HostPort] | readonly [HostPort, HostPort]
	/** How it speaks TLS to the daemon. Not there: it does not. */
	readonly tls?: ControlPlaneTls
	/** Where the token lies that says to the daemon who the proxy is. Not there: it shows none. */
	readonly token?: ControlPlaneToken
	/** Region and availability zone, as far as they are known. */
	readonly locality: { readonly region: string; readonly zone: string } | null
	/** An IP address. With a Prometheus address the port is a real one: 0 would not be found again. */
	readonly admin: HostPort
	/** The DNS server that Envoy asks, an IP and a port; null: what the system is set to. */
	readonly dnsResolver: HostPort | null
	/** Connections from clients above this are closed at once, to protect the proxy. */
	readonly maxDownstreamConnections: number
	/** Absolute path of the socket of an SDS server beside the proxy. Not there: secrets come from the daemon. */
	readonly sdsSocket?: string
	/** Who reads the statistics beside the daemon. Where somebody does, Envoy keeps all of them. */
	readonly stats?: StatsSettings
	/** `appMesh`: every statistic says whose proxy it is of, as App Mesh's tags did. Not there: none does. */
	readonly statsTags?: 'appMesh'
}

/** What holds where the user says nothing. */
export const bootstrapDefaults = {
	admin: { address: '127.0.0.1', port: 9901 },
	controlPlane: [{ address: '127.0.0.1', port: 18_000 }],
	bind: '0.0.0.0',
	egressPort: 15_001,
	app: { address: '127.0.0.1', port: null },
	maxDownstreamConnections: 50_000,
} as const
