import { unreachable } from '#base/assert.ts'
import type { Path } from './finding.ts'
import { writtenGatewayRoute } from './kind/gateway-route.ts'
import { writtenRoute } from './kind/route.ts'
import type { LinkPlace } from './link-finding.ts'
import type { Manifest } from './manifest.generated.ts'
import { virtualServiceName } from './virtual-service-name.ts'

/** Where in its document a resource says what a finding about its links is about. */
export function linkPath(manifest: Manifest, place: LinkPlace): Path {
	switch (place.kind) {
		case 'mesh':
		case 'name':
		case 'virtualRouter':
		case 'virtualGateway':
			return ['metadata', place.kind]
		case 'match':
		case 'front':
		case 'steps':
		case 'sticky':
			return ['spec', place.kind]
		case 'provider':
			return providerPath(manifest)
		case 'routeType':
			return ['spec', ...routeType(manifest)]
		case 'virtualService':
			return ['spec', ...routeType(manifest), 'action', 'target', 'virtualService', 'virtualServiceName']
		case 'virtualServicePort':
			return ['spec', ...routeType(manifest), 'action', 'target', 'port']
		case 'prometheusPort':
			return ['spec', 'stats', 'prometheus', 'port']
		case 'listenerPort':
			return listenerPath(manifest, place.port)
		case 'backend':
		case 'egressPort':
			return backendPath(manifest, place)
		case 'target':
		case 'targetPort':
			return targetPath(manifest, place)
		default:
			return unreachable(place)
	}
}

function routeType(manifest: Manifest): Path {
	if (manifest.kind === 'Route') return [writtenRoute(manifest).name]
	return manifest.kind === 'GatewayRoute' ? [writtenGatewayRoute(manifest).name] : []
}

function providerPath(manifest: Manifest): Path {
	const node = manifest.kind === 'VirtualService' && manifest.spec.provider?.virtualNode !== undefined
	return ['spec', 'provider', ...(node ? ['virtualNode', 'virtualNodeName'] : ['virtualRouter', 'virtualRouterName'])]
}

function listenerPath(manifest: Manifest, port: number): Path {
	if (manifest.kind !== 'VirtualNode' && manifest.kind !== 'VirtualGateway') return ['spec']
	const listeners: readonly { portMapping: { port: number } }[] = manifest.spec.listeners ?? []
	const index = listeners.findIndex(({ portMapping }) => portMapping.port === port)
	return ['spec', 'listeners', index, 'portMapping', 'port']
}

function backendPath(manifest: Manifest, place: { kind: 'backend' | 'egressPort'; service: string }): Path {
	if (manifest.kind !== 'VirtualNode') return ['spec']
	const names = (manifest.spec.backends ?? []).map(({ virtualService }) => virtualService.virtualServiceName)
	const index = names.findIndex((written) => virtualServiceName(written) === place.service)
	const field = place.kind === 'egressPort' ? 'egressPort' : 'virtualServiceName'
	return ['spec', 'backends', index, 'virtualService', field]
}

function targetPath(manifest: Manifest, place: { kind: 'target' | 'targetPort'; index: number }): Path {
	if (manifest.kind !== 'Route') return ['spec']
	const { name, body } = writtenRoute(manifest)
	const written = body.action.weightedTargets[place.index]?.port !== undefined
	const field = place.kind === 'targetPort' && written ? 'port' : 'virtualNode'
	return ['spec', name, 'action', 'weightedTargets', place.index, field]
}
