import { compareText } from '#base/diagnostic.ts'
import { appMeshDurationToMs } from '../duration.ts'
import { findRepeatedPorts } from '../find-repeated-ports.ts'
import { errorAt, type Finding, warningAt } from '../finding.ts'
import type { VirtualNodeListener as ListenerManifest, VirtualNodeManifest } from '../manifest.generated.ts'
import { type ResourceId, resourceId } from '../mesh.ts'
import type { ServiceDiscovery, VirtualNodeListener, VirtualNodeSpec } from '../proxy-spec.ts'
import type { Timeout } from '../route-spec.ts'

/** Listeners come out sorted by port and backends by name, each once: their order says nothing. */
export function readVirtualNodeSpec(manifest: VirtualNodeManifest): VirtualNodeSpec {
	const { listeners = [], backends = [] } = manifest.spec
	const names = new Set(backends.map((backend) => backend.virtualService.virtualServiceName))
	const services: ResourceId[] = [...names].map((name) => resourceId.virtualService(manifest.metadata.mesh, name))
	return {
		listeners: listeners.map(readListener).sort((left, right) => left.port - right.port),
		backends: services
			.sort(compareText)
			.map((virtualService) => ({ virtualService, clientTls: null, egressPort: null })),
		serviceDiscovery: readServiceDiscovery(manifest),
		accessLog: null,
		tracing: null,
		stats: null,
	}
}

function readListener({ portMapping, timeout }: ListenerManifest): VirtualNodeListener {
	return {
		port: portMapping.port,
		protocol: portMapping.protocol,
		timeout: readHttpTimeout(timeout?.http2 ?? timeout?.http),
		healthCheck: null,
		outlierDetection: null,
		connectionPool: null,
		tls: null,
	}
}

type TimeoutManifest = NonNullable<NonNullable<ListenerManifest['timeout']>['http']>

/** `null` where nothing is written; 0 where a limit is switched off. */
export function readHttpTimeout(timeout: TimeoutManifest | undefined): Timeout {
	return {
		perRequestMs: timeout?.perRequest === undefined ? null : appMeshDurationToMs(timeout.perRequest),
		idleMs: timeout?.idle === undefined ? null : appMeshDurationToMs(timeout.idle),
	}
}

/** A trailing dot is dropped: host names are always whole ones. */
function readServiceDiscovery(manifest: VirtualNodeManifest): ServiceDiscovery | null {
	const dns = manifest.spec.serviceDiscovery?.dns
	if (dns === undefined) return null
	const { hostname, responseType = 'LOADBALANCER', ipPreference = null } = dns
	return { kind: 'dns', hostname: hostname.replace(/\.$/, ''), responseType, ipPreference }
}

export function checkVirtualNode(manifest: VirtualNodeManifest): readonly Finding[] {
	const { listeners = [], serviceDiscovery } = manifest.spec
	const findings = [...findRepeatedPorts(listeners), ...listeners.flatMap(checkTimeout)]
	if (listeners.length === 0 || serviceDiscovery !== undefined) return findings
	const message = 'a virtual node with listeners must say how it is found: spec.serviceDiscovery is missing'
	const hint = 'add serviceDiscovery: {dns: {hostname: …}}'
	return [...findings, { ...errorAt(['spec', 'listeners'], 'SL0214', message, hint), at: 'key' }]
}

function checkTimeout(
	{ portMapping: { port, protocol }, timeout }: ListenerManifest,
	index: number,
): readonly Finding[] {
	const [written] = Object.keys(timeout ?? {})
	if (written === undefined || written === protocol) return []
	const message = `the timeout is written under ${written}, and port ${port} speaks ${protocol}; it is read as ${protocol}`
	const path = ['spec', 'listeners', index, 'timeout', written]
	return [{ ...warningAt(path, 'SL0216', message, `write it under ${protocol}`), at: 'key' }]
}
