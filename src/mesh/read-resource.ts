import { unreachable } from '#base/assert.ts'
import { hashValue } from '#base/hash.ts'
import type { Declared } from './declared.ts'
import type { Finding } from './finding.ts'
import { checkGatewayRoute, readGatewayRouteSpec } from './kind/gateway-route.ts'
import { checkMesh, readMeshSpec } from './kind/mesh.ts'
import { checkRolloutPolicy, readRolloutPolicySpec } from './kind/rollout-policy.ts'
import { checkRoute, readRouteSpec } from './kind/route.ts'
import { checkVirtualGateway, readVirtualGatewaySpec } from './kind/virtual-gateway.ts'
import { checkVirtualNode, readVirtualNodeSpec } from './kind/virtual-node.ts'
import { checkVirtualRouter, readVirtualRouterSpec } from './kind/virtual-router.ts'
import { readVirtualServiceSpec } from './kind/virtual-service.ts'
import type { ExpectationManifest, Manifest } from './manifest.generated.ts'
import { type Resource, type ResourceId, resourceId } from './mesh.ts'

/** A document that declares a resource of the mesh. */
export type ResourceManifest = Exclude<Manifest, ExpectationManifest>

/** The id of what a document declares. */
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
		case 'VirtualGateway':
			return resourceId.virtualGateway(manifest.metadata.mesh, manifest.metadata.name)
		case 'GatewayRoute': {
			const { mesh, virtualGateway, name } = manifest.metadata
			return resourceId.gatewayRoute(mesh, virtualGateway, name)
		}
		case 'Expectation':
			return resourceId.expectation(manifest.metadata.mesh, manifest.metadata.name)
		case 'RolloutPolicy':
			return resourceId.rolloutPolicy(manifest.metadata.mesh, manifest.metadata.name)
		default:
			return unreachable(manifest)
	}
}

/** The resource that a document declares, with defaults filled in. `declared` need only hold nodes, routers and gateways, for routes. */
export function readResource(manifest: ResourceManifest, declared: Declared): Resource {
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
		case 'VirtualGateway':
			return { kind: 'VirtualGateway', ...withHash(readVirtualGatewaySpec(manifest)) }
		case 'GatewayRoute':
			return { kind: 'GatewayRoute', ...withHash(readGatewayRouteSpec(manifest, declared)) }
		case 'RolloutPolicy':
			return { kind: 'RolloutPolicy', ...withHash(readRolloutPolicySpec(manifest)) }
		default:
			return unreachable(manifest)
	}
}

/** What is wrong in one document that its schema cannot say. */
export function checkResource(manifest: ResourceManifest, declared: Declared): readonly Finding[] {
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
		case 'VirtualGateway':
			return checkVirtualGateway(manifest)
		case 'GatewayRoute':
			return checkGatewayRoute(manifest, declared)
		case 'RolloutPolicy':
			return checkRolloutPolicy(manifest)
		default:
			return unreachable(manifest)
	}
}

function sortTags(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
	return Object.fromEntries(Object.entries(tags).sort(([left], [right]) => (left < right ? -1 : 1)))
}
