import { unreachable } from '#base/assert.ts'
import { compareText } from '#base/diagnostic.ts'
import type { ServiceDiscovery } from '#mesh/proxy-spec.ts'

/**
 * What a service's hosts are known by, where nothing else is written: the name in their certificate, one of these. App
 * Mesh's discovery name; addresses that are written down are their own names.
 */
export function discoveryNames(discovery: ServiceDiscovery): readonly string[] {
	switch (discovery.kind) {
		case 'dns':
			return [discovery.hostname]
		case 'awsCloudMap':
			return [`${discovery.serviceName}.${discovery.namespaceName}`]
		case 'static':
			return [...new Set(discovery.endpoints.map(({ address }) => address))].sort(compareText)
		default:
			return unreachable(discovery)
	}
}
