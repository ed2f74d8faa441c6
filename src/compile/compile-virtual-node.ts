import { resourceId, type VirtualNode } from '#mesh/mesh.ts'
import { compileAmazonawsCluster } from './cluster/amazonaws-cluster.ts'
import { compileIngressCluster } from './cluster/ingress-cluster.ts'
import { compilePassThroughCluster } from './cluster/pass-through-cluster.ts'
import { compileCollector } from './compile-collector.ts'
import type { Capture, CompiledResource } from './compiled.ts'
import { compileEgressClusters } from './egress-clusters.ts'
import { egressTables } from './egress-table.ts'
import type { GroupInput } from './group-input.ts'
import { compileEgressListener, compileTcpEgressListener, type Outside } from './listener/egress-listener.ts'
import { compileIngressListeners } from './listener/ingress-listener.ts'
import { listenerSettings } from './listener/listener-settings.ts'
import { tcpWay } from './listener/tcp-way.ts'
import type { Resources } from './names.ts'
import { applicationAddress, bindAddress, capturePoint, egressAddress, interceptPorts } from './proxy-place.ts'
import { compileEgressRoutes } from './route/egress-routes.ts'
import { compileIngressRoutes } from './route/ingress-routes.ts'
import { tcpEgresses } from './tcp-egress.ts'
import { sourcesOf } from './upstream.ts'

/** Everything of a proxy that stands beside an application. */
export function compileVirtualNode(input: GroupInput, node: VirtualNode): CompiledResource[] {
	return [
		...compileCollector(input.effective.resources, node),
		...compileEgress(input, node),
		...compileIngress(input, node),
	]
}

/** The application's own calls: clusters, listeners, routes. */
function compileEgress(input: GroupInput, node: VirtualNode): CompiledResource[] {
	const { effective, group } = input
	const { resources } = effective
	const { capture } = group
	const tables = egressTables(resources, node, capture.mode)
	const tcp = tcpEgresses(resources, node, capture)
	const { outside, cluster } = outsideOf(resources, node, capture)
	const address = egressAddress(resources, node, capture)
	const settings = listenerSettings(resources, node)
	const redirected = interceptPorts.egress
	const dialled = capture.mode === 'explicit' ? capture.egressPort : redirected
	const point = capturePoint(address, capture, { redirected, dialled })
	const ways = tcp.map((egress) => ({ egress, way: tcpWay(effective, egress) }))
	const chains = capture.mode === 'intercept' ? ways.map(({ way }) => way) : []
	const listeners = capture.mode === 'intercept' ? [] : ways
	return [
		...compileEgressClusters(input, tables, tcp),
		cluster,
		compileEgressListener({ caller: node, point, settings, tables, tcp: chains, outside }),
		...listeners.map(({ egress: { port, service, upstream }, way }) =>
			compileTcpEgressListener(way, {
				caller: node,
				point: { kind: 'dialled', address, port, socket: 'alone' },
				settings,
				madeOf: sourcesOf(service, upstream),
			}),
		),
		...tables.map((table) => compileEgressRoutes(effective, node, table)),
	].filter((resource) => resource !== null)
}

/** What intercepted calls reach beside the backends. Explicit: an application that dials elsewhere never meets the proxy. */
function outsideOf(
	resources: Resources,
	{ mesh }: VirtualNode,
	capture: Capture,
): { outside: Outside; cluster: CompiledResource | null } {
	if (capture.mode === 'explicit') return { outside: { kind: 'nothing' }, cluster: null }
	const found = resources[resourceId.mesh(mesh)]
	if (found?.kind === 'Mesh' && found.spec.egressFilter === 'ALLOW_ALL') {
		const cluster = compilePassThroughCluster(mesh)
		return { outside: { kind: 'everything', cluster: cluster.name }, cluster }
	}
	const cluster = compileAmazonawsCluster(mesh)
	return { outside: { kind: 'amazonaws', cluster: cluster.name }, cluster }
}

/** What comes in for the application. */
function compileIngress({ effective, group, discovered }: GroupInput, node: VirtualNode): CompiledResource[] {
	const { resources } = effective
	const { capture, secrets } = group
	const { listeners } = node.spec
	const address = bindAddress(resources, node, capture)
	const settings = listenerSettings(resources, node)
	return [
		...listeners.map((listener) =>
			compileIngressCluster(node, listener, applicationAddress(resources, node, { port: listener.port, capture })),
		),
		...compileIngressListeners({ node, capture, address, settings, secrets, discovered }),
		...listeners.filter(({ protocol }) => protocol !== 'tcp').map((listener) => compileIngressRoutes(node, listener)),
	]
}
