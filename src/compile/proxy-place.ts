// Where on its machine a proxy listens, and where its application does: from how traffic gets into the proxy, and from
// App Mesh's IP preference.
import { type Resource, type ResourceId, resourceId, type VirtualNode } from '#mesh/mesh.ts'
import type { IpPreference } from '#mesh/proxy-spec.ts'
import type { Caller } from './caller-of.ts'
import type { Capture } from './compiled.ts'
import type { CapturePoint } from './listener/capture-point.ts'
import type { ListenAddress } from './proto/listen-address.ts'

type Resources = Readonly<Record<ResourceId, Resource>>

/** App Mesh's ports, to which intercepted connections are redirected. A gateway's way out is on the first of them. */
export const interceptPorts = { egress: 15_001, ingress: 15_000 } as const

/** Where a node's listener takes its connections. `redirected`: intercepted, one of App Mesh's ports. */
export function capturePoint(
	address: ListenAddress,
	capture: Capture,
	ports: { readonly redirected: number; readonly dialled: number },
): CapturePoint {
	if (capture.mode === 'intercept') return { kind: 'redirected', address, port: ports.redirected }
	return { kind: 'dialled', address, port: ports.dialled, socket: 'alone' }
}

/** Where a gateway takes what comes from outside. Intercepted, its address follows the mesh's IP preference. */
export function gatewayPoint(address: ListenAddress, { mode }: Capture, port: number): CapturePoint {
	return { kind: 'dialled', address, port, socket: mode === 'intercept' ? 'shared' : 'alone' }
}

/**
 * Explicit: the address that was asked for. Intercept, as App Mesh has it: every IPv4 address, or of both families once
 * any preference is written.
 */
export function bindAddress(resources: Resources, caller: Caller, capture: Capture): ListenAddress {
	if (capture.mode === 'explicit') return { ip: capture.bind, ipv4Compat: false }
	if (ipPreferenceOf(resources, caller) === null) return { ip: '0.0.0.0', ipv4Compat: false }
	return { ip: '::', ipv4Compat: true }
}

/**
 * Where an application's own calls come into its proxy. Explicit: on loopback where the application is, since whoever
 * reaches this port calls as the node, with its certificate; an application elsewhere needs the address asked for.
 */
export function egressAddress(resources: Resources, node: VirtualNode, capture: Capture): ListenAddress {
	if (capture.mode === 'intercept') return bindAddress(resources, node, capture)
	const { bind, app } = capture
	if (isLoopback(bind) || !isLoopback(app.address)) return { ip: bind, ipv4Compat: false }
	return { ip: app.address === '::1' ? '::1' : '127.0.0.1', ipv4Compat: false }
}

/** Intercepted traffic was on its way to the application's own port on this machine. */
export function applicationAddress(
	resources: Resources,
	node: VirtualNode,
	{ port, capture }: { readonly port: number; readonly capture: Capture },
): { address: string; port: number } {
	if (capture.mode === 'explicit') return { address: capture.app.address, port: capture.app.port ?? port }
	const preference = ipPreferenceOf(resources, node)
	const isIpv6 = preference === 'IPv6_PREFERRED' || preference === 'IPv6_ONLY'
	return { address: isIpv6 ? '::1' : '127.0.0.1', port }
}

/** A gateway's way out is for itself alone. */
export function gatewayEgress(capture: Capture): { address: string; port: number } {
	if (capture.mode === 'intercept') return { address: '127.0.0.1', port: interceptPorts.egress }
	const { bind, egressPort } = capture
	return { address: isLoopback(bind) ? bind : '127.0.0.1', port: egressPort }
}

function isLoopback(address: string): boolean {
	return address === '::1' || address.startsWith('127.')
}

/** A node's own, or else its mesh's; a gateway has none of its own. */
function ipPreferenceOf(resources: Resources, caller: Caller): IpPreference | null {
	const discovery = caller.kind === 'VirtualNode' ? caller.spec.serviceDiscovery : null
	const own = discovery === null || discovery.kind === 'static' ? null : discovery.ipPreference
	const mesh = resources[resourceId.mesh(caller.mesh)]
	return own ?? (mesh?.kind === 'Mesh' ? mesh.spec.ipPreference : null)
}
