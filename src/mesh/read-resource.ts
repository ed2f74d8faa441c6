import { unreachable } from '#base/assert.ts'
import { hashValue } from '#base/hash.ts'
import type { Finding } from './finding.ts'
import { checkMesh, readMeshSpec } from './kind/mesh.ts'
import { checkRolloutPolicy, readRolloutPolicySpec } from './kind/rollout-policy.ts'
import { checkRoute, type Declared, readRouteSpec } from './kind/route.ts'
import { checkVirtualNode, readVirtualNodeSpec } from './kind/virtual-node.ts'
import { checkVirtualRouter, readVirtualRouterSpec } from './kind/virtual-router.ts'
import { readVirtualServiceSpec } from './kind/virtual-service.ts'
import type { Manifest } from './manifest.generated.ts'
import { type Resource, type ResourceId, resourceId } from './mesh.ts'

/** The id of the resource that a document declares. */
export function idOfManifest(manifest: Manifest): ResourceId {
	switch (manifest.kind) {
		case 'Mesh':
			return resourceId.mesh(manifest.metadata.name)
		case 'VirtualNode':
			return resourceId.virtualNode(manifest.metadata.mesh, manifest.metadata.name)
		case 'VirtualService':
			return resourceId.virtualService(manifest.metadata.mesh, manifest.metadata.name)
		case 'VirtualRouter':
			return resourceId.virtualRouter(manifest.metadata.mesh, manifest.metadata.name)
		case 'Route':
			return resourceId.route(manifest.metadata.mesh, manifest.metadata.virtualRouter, manifest.metadata.name)
		case 'RolloutPolicy':
			return resourceId.rolloutPolicy(manifest.metadata.mesh, manifest.metadata.name)
		default:
			return unreachable(manifest)
	}
}

/** The resource that a document declares, with defaults filled in. `declared` need only hold nodes and routers, for routes. */
export function readResource(manifest: Manifest, declared: Declared): Resource {
	const id = idOfManifest(manifest)
	const { name, tags } = manifest.metadata
	const common = { id, name, tags: sortTags(tags ?? {}) }
	const mesh = manifest.kind === 'Mesh' ? name : manifest.metadata.mesh
	const { kind } = manifest
	const withHash = <Spec>(spec: Spec) => ({ ...common, mesh, spec, hash: hashValue({ kind, id, spec }) })
	switch (manifest.kind) {
		case 'Mesh':
			return { kind: 'Mesh', ...withHash(readMeshSpec(manifest)) }
		case 'VirtualNode':
			return { kind: 'VirtualNode', ...withHash(readVirtualNodeSpec(manifest)) }
		case 'VirtualService':
			return { kind: 'VirtualService', ...withHash(readVirtualServiceSpec(manifest)) }
		case 'VirtualRouter':
			return { kind: 'VirtualRouter', ...withHash(readVirtualRouterSpec(manifest)) }
		case 'Route':
			return { kind: 'Route', ...withHash(readRouteSpec(manifest, declared)) }
		case 'RolloutPolicy':
			return { kind: 'RolloutPolicy', ...withHash(readRolloutPolicySpec(manifest)) }
		default:
			return unreachable(manifest)
	}
}

/** What is wrong in one document that its schema cannot say. */
export function checkResource(manifest: Manifest, declared: Declared): readonly Finding[] {
	switch (manifest.kind) {
		case 'Mesh':
			return checkMesh(manifest)
		case 'VirtualService':
			return []
		case 'VirtualNode':
			return checkVirtualNode(manifest)
		case 'VirtualRouter':
			return checkVirtualRouter(manifest)
		case 'Route':
			return checkRoute(manifest, declared)
		case 'RolloutPolicy':
			return checkRolloutPolicy(manifest)
		default:
			return unreachable(manifest)
	}
}

function sortTags(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
	return Object.fromEntries(Object.entries(tags).sort(([left], [right]) => (left < right ? -1 : 1)))
}
