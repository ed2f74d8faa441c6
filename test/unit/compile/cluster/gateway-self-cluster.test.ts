import { expect, test } from 'vitest'
import { compileGatewaySelfCluster } from '#compile/cluster/gateway-self-cluster.ts'
import type { VirtualGateway } from '#mesh/mesh.ts'
import type { GatewayListener } from '#mesh/proxy-spec.ts'
import { readable } from '../../../fixtures/compile-fixture.ts'
import { fixtureResource } from '../../../fixtures/mesh-fixture.ts'

const egress = { address: '127.0.0.1', port: 15_002 }

function clustersOf(listeners: readonly Partial<GatewayListener>[]) {
	const gateway = fixtureResource({ kind: 'VirtualGateway', name: 'edge', listeners }) as VirtualGateway
	return gateway.spec.listeners.map((listener) => compileGatewaySelfCluster(gateway, listener, egress))
}

test("App Mesh's names: of one listener, and of several", () => {
	const namesOf = (...listeners: Partial<GatewayListener>[]) => clustersOf(listeners).map(({ name }) => name)
	expect(namesOf({ port: 8088, protocol: 'http' })).toEqual(['cds_ingress_apps_edge_self_redirect_http_15001'])
	expect(namesOf({ port: 8088, protocol: 'http' }, { port: 8089, protocol: 'grpc' })).toEqual([
		'cds_ingress_apps_edge_self_redirect_8088_http_15001',
		'cds_ingress_apps_edge_self_redirect_8089_grpc_15001',
	])
})

test('it goes to the egress listener, within the limits of the connection pool', () => {
	const connectionPool = { maxConnections: null, maxPendingRequests: null, maxRequests: 7 }
	const [cluster] = clustersOf([{ port: 8088, protocol: 'http2', connectionPool }])
	if (cluster === undefined) throw new Error('there is no cluster')
	expect(readable(cluster)).toMatchObject({
		circuit_breakers: { thresholds: [{ max_requests: 7, max_connections: 2_147_483_647 }] },
		load_assignment: {
			endpoints: [
				{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: 15_002 } } } }] },
			],
		},
	})
	const [unlimited] = clustersOf([{ port: 8088, protocol: 'http2' }])
	expect(unlimited?.key).not.toBe(cluster.key)
})
