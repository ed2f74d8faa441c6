import { findRepeatedPorts } from '../find-repeated-ports.ts'
import { errorAt, type Finding } from '../finding.ts'
import type { VirtualNodeListener as ListenerManifest, VirtualNodeManifest } from '../manifest.generated.ts'
import type { VirtualNodeListener, VirtualNodeSpec } from '../proxy-spec.ts'
import { refuseEnvoyPorts } from '../refuse-envoy-ports.ts'
import { checkBackends, readBackends } from './backends.ts'
import { checkConnectionPool, readConnectionPool } from './connection-pool.ts'
import { checkHealthCheck, readHealthCheck } from './health-check.ts'
import { checkListenerTimeout, readListenerTimeout } from './listener-timeout.ts'
import { checkListenerTls, readListenerTls } from './listener-tls.ts'
import { checkOutlierDetection, readOutlierDetection } from './outlier-detection.ts'
import { checkProxySettings, readProxySettings } from './proxy-settings.ts'
import { checkServiceDiscovery, readServiceDiscovery } from './service-discovery.ts'

/** Listeners come out sorted by port and backends by name, each once: their order says nothing. */
export function readVirtualNodeSpec(manifest: VirtualNodeManifest): VirtualNodeSpec {
	const { listeners = [] } = manifest.spec
	return {
		listeners: listeners.map(readListener).sort((left, right) => left.port - right.port),
		backends: readBackends(manifest),
		serviceDiscovery: readServiceDiscovery(manifest),
		...readProxySettings(manifest.spec),
	}
}

function readListener(listener: ListenerManifest): VirtualNodeListener {
	return {
		port: listener.portMapping.port,
		protocol: listener.portMapping.protocol,
		timeout: readListenerTimeout(listener),
		healthCheck: readHealthCheck(listener.healthCheck),
		outlierDetection: readOutlierDetection(listener.outlierDetection),
		connectionPool: readConnectionPool(listener.connectionPool),
		tls: readListenerTls(listener.tls),
	}
}

export function checkVirtualNode(manifest: VirtualNodeManifest): readonly Finding[] {
	const { listeners = [] } = manifest.spec
	return [
		...findRepeatedPorts(listeners),
		...refuseEnvoyPorts(listeners),
		...listeners.flatMap(checkListener),
		...checkBackends(manifest),
		...checkFound(manifest),
		...checkServiceDiscovery(manifest),
		...checkProxySettings(manifest.spec),
	]
}

function checkListener(listener: ListenerManifest, index: number): readonly Finding[] {
	const path = ['spec', 'listeners', index]
	return [
		...checkListenerTimeout(path, listener),
		...checkHealthCheck(path, listener),
		...checkOutlierDetection([...path, 'outlierDetection'], listener.outlierDetection),
		...checkConnectionPool(path, listener),
		...checkListenerTls([...path, 'tls'], listener.tls),
	]
}

function checkFound({ spec: { listeners = [], serviceDiscovery } }: VirtualNodeManifest): readonly Finding[] {
	if (listeners.length === 0 || serviceDiscovery !== undefined) return []
	const message = 'a virtual node with listeners must say how it is found: spec.serviceDiscovery is missing'
	const hint = 'add serviceDiscovery: {dns: {hostname: …}}'
	return [{ ...errorAt(['spec', 'listeners'], 'SL0214', message, hint), at: 'key' }]
}
