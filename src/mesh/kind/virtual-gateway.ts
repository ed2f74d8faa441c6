import { findRepeatedPorts } from '../find-repeated-ports.ts'
import { type Finding, warningAt } from '../finding.ts'
import type { VirtualGatewayListener as ListenerManifest, VirtualGatewayManifest } from '../manifest.generated.ts'
import type { GatewayListener, VirtualGatewaySpec } from '../proxy-spec.ts'
import { refuseEnvoyPorts } from '../refuse-envoy-ports.ts'
import { checkClientPolicy, readClientTls } from './client-policy.ts'
import { checkConnectionPool, readConnectionPool } from './connection-pool.ts'
import { checkHealthCheck, readHealthCheck } from './health-check.ts'
import { checkListenerTls, readListenerTls } from './listener-tls.ts'
import { checkProxySettings, readProxySettings } from './proxy-settings.ts'

/** Listeners come out sorted by port: their order says nothing. */
export function readVirtualGatewaySpec({ spec }: VirtualGatewayManifest): VirtualGatewaySpec {
	return {
		listeners: spec.listeners.map(readListener).sort((left, right) => left.port - right.port),
		clientTls: readClientTls(spec.backendDefaults?.clientPolicy),
		...readProxySettings(spec),
	}
}

function readListener({ portMapping, healthCheck, connectionPool, tls }: ListenerManifest): GatewayListener {
	return {
		port: portMapping.port,
		protocol: portMapping.protocol,
		healthCheck: readHealthCheck(healthCheck),
		connectionPool: readConnectionPool(connectionPool),
		tls: readListenerTls(tls),
	}
}

export function checkVirtualGateway({ spec }: VirtualGatewayManifest): readonly Finding[] {
	return [
		...findRepeatedPorts(spec.listeners),
		...refuseEnvoyPorts(spec.listeners),
		...spec.listeners.flatMap(checkListener),
		...checkClientPolicy(['spec', 'backendDefaults', 'clientPolicy'], spec.backendDefaults?.clientPolicy),
		...checkProxySettings(spec),
	]
}

function checkListener(listener: ListenerManifest, index: number): readonly Finding[] {
	const path = ['spec', 'listeners', index]
	return [
		...warnOfHealthCheck(path, listener),
		...checkHealthCheck(path, listener),
		...checkConnectionPool(path, listener),
		...checkListenerTls([...path, 'tls'], listener.tls),
	]
}

function warnOfHealthCheck(path: readonly (string | number)[], { healthCheck }: ListenerManifest): readonly Finding[] {
	if (healthCheck === undefined) return []
	const message = 'no proxy calls a gateway, so nobody runs its health check'
	const hint = 'let what stands before the gateway check it, a load balancer say'
	return [{ ...warningAt([...path, 'healthCheck'], 'SL0228', message, hint), at: 'key' }]
}
