import { unreachable } from '#base/assert.ts'
import type { Path } from './finding.ts'
import { httpRouteOf } from './kind/route.ts'
import type { LinkPlace } from './link.ts'
import type { LoosePlace } from './loose-links.ts'
import type { Manifest } from './manifest.generated.ts'

/** Where in its document a resource says what a (broken or loose) link is about. */
export function linkPath(manifest: Manifest, place: LinkPlace | LoosePlace): Path {
	switch (place.kind) {
		case 'mesh':
			return ['metadata', 'mesh']
		case 'name':
			return ['metadata', 'name']
		case 'virtualRouter':
			return ['metadata', 'virtualRouter']
		case 'match':
			return ['spec', 'match']
		case 'provider':
			return providerPath(manifest)
		case 'backend':
			return backendPath(manifest, place.service)
		case 'target':
		case 'targetPort':
			return targetPath(manifest, place)
		default:
			return unreachable(place)
	}
}

function providerPath(manifest: Manifest): Path {
	const node = manifest.kind === 'VirtualService' && manifest.spec.provider?.virtualNode !== undefined
	return ['spec', 'provider', ...(node ? ['virtualNode', 'virtualNodeName'] : ['virtualRouter', 'virtualRouterName'])]
}

function backendPath(manifest: Manifest, service: string): Path {
	if (manifest.kind !== 'VirtualNode') return ['spec']
	const index =
		manifest.spec.backends?.findIndex((backend) => backend.virtualService.virtualServiceName === service) ?? 0
	return ['spec', 'backends', index, 'virtualService', 'virtualServiceName']
}

function targetPath(manifest: Manifest, place: { kind: 'target' | 'targetPort'; index: number }): Path {
	if (manifest.kind !== 'Route') return ['spec']
	const { name, body } = httpRouteOf(manifest)
	const written = body.action.weightedTargets[place.index]?.port !== undefined
	const field = place.kind === 'targetPort' && written ? 'port' : 'virtualNode'
	return ['spec', name, 'action', 'weightedTargets', place.index, field]
}
