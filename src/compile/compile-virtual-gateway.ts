// A gateway is two proxies in one: a way in for the outside, whose routes choose a virtual service, and a way out like a
// node's, whose routes choose its targets. What came in is sent to the way out over loopback: App Mesh's self-redirect.
import type { VirtualGateway } from '#mesh/mesh.ts'
import { compileGatewaySelfCluster } from './cluster/gateway-self-cluster.ts'
import { compileCollector } from './compile-collector.ts'
import type { CompiledResource } from './compiled.ts'
import { compileEgressClusters } from './egress-clusters.ts'
import { egressTables } from './egress-table.ts'
import type { GroupInput } from './group-input.ts'
import { compileEgressListener } from './listener/egress-listener.ts'
import { compileGatewayListener } from './listener/gateway-listener.ts'
import { listenerSettings } from './listener/listener-settings.ts'
import { bindAddress, gatewayEgress } from './proxy-place.ts'
import { compileEgressRoutes } from './route/egress-routes.ts'
import { compileGatewayRoutes } from './route/gateway-routes.ts'

/** Everything of a proxy that stands at the edge of a mesh. */
export function compileVirtualGateway(input: GroupInput, gateway: VirtualGateway): CompiledResource[] {
	return [
		...compileCollector(input.effective.resources, gateway),
		...compileEgress(input, gateway),
		...compileIngress(input, gateway),
	]
}

/** Its listener is there whatever the gateway's routes are, so that the first of them changes routes only. */
function compileEgress(input: GroupInput, gateway: VirtualGateway): CompiledResource[] {
	const { effective, group } = input
	const { resources } = effective
	const tables = egressTables(resources, gateway, group.capture.mode)
	const { address, port } = gatewayEgress(group.capture)
	const listener = compileEgressListener({
		caller: gateway,
		point: { kind: 'dialled', address: { ip: address, ipv4Compat: false }, port, socket: 'alone' },
		settings: listenerSettings(resources, gateway),
		tables,
		tcp: [],
		outside: { kind: 'nothing' },
	})
	return [
		...compileEgressClusters(input, tables, []),
		...(listener === null ? [] : [listener]),
		...tables.map((table) => compileEgressRoutes(effective, gateway, table)),
	]
}

function compileIngress({ effective, group, discovered }: GroupInput, gateway: VirtualGateway): CompiledResource[] {
	const { resources } = effective
	const { capture, secrets } = group
	const { listeners } = gateway.spec
	const address = bindAddress(resources, gateway, capture)
	const settings = listenerSettings(resources, gateway)
	const egress = gatewayEgress(capture)
	return [
		...listeners.map((listener) => compileGatewaySelfCluster(gateway, listener, egress)),
		...listeners.flatMap((listener) =>
			compileGatewayListener(listener, { gateway, capture, address, settings, secrets, discovered }),
		),
		...listeners.map((listener) => compileGatewayRoutes(resources, gateway, listener)),
	]
}
