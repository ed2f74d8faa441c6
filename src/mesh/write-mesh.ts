// The way back: a mesh as the documents that declare it. Reading them again gives the same mesh, whoever wrote the first
// ones and however. What is not needed for that is not written.
import { unreachable } from '#base/assert.ts'
import { lastName } from './link-finding.ts'
import type { Mesh, MeshSpec, Resource, VirtualRouterSpec, VirtualServiceSpec } from './mesh.ts'
import type { Backend, ServiceDiscovery, VirtualGatewaySpec, VirtualNodeSpec } from './proxy-spec.ts'
import { writeGatewayRouteSpec } from './write-gateway-route.ts'
import { writeGatewayListener, writeNodeListener } from './write-listener.ts'
import { type Written, writeList, writeMembers, writeUnlessEmpty } from './write-members.ts'
import { writeProxySettings } from './write-proxy-settings.ts'
import { writeRolloutPolicySpec } from './write-rollout-policy.ts'
import { writeRouteSpec } from './write-route.ts'
import { writeClientTls } from './write-tls.ts'

/** A document as plain data, with its members in the usual order. */
export type WrittenDocument = {
	readonly apiVersion: 'sluice/v1'
	readonly kind: Resource['kind']
	readonly metadata: Written
	readonly spec: Written
}

/** One document for each resource, sorted by id. */
export function writeMesh(mesh: Mesh): readonly WrittenDocument[] {
	return Object.values(mesh.resources).map(writeResource)
}

export function writeResource(resource: Resource): WrittenDocument {
	return {
		apiVersion: 'sluice/v1',
		kind: resource.kind,
		metadata: writeMetadata(resource),
		spec: writeMembers(writeSpec(resource)),
	}
}

function writeMetadata(resource: Resource): Written {
	return writeMembers({
		mesh: resource.kind === 'Mesh' ? null : resource.mesh,
		virtualRouter: resource.kind === 'Route' ? lastName(resource.spec.virtualRouter) : null,
		virtualGateway: resource.kind === 'GatewayRoute' ? lastName(resource.spec.virtualGateway) : null,
		name: resource.name,
		tags: writeUnlessEmpty(resource.tags),
	})
}

function writeSpec(resource: Resource): Written {
	switch (resource.kind) {
		case 'Mesh':
			return writeMeshSpec(resource.spec)
		case 'VirtualNode':
			return writeVirtualNodeSpec(resource.spec)
		case 'VirtualService':
			return writeVirtualServiceSpec(resource.spec)
		case 'VirtualRouter':
			return writeVirtualRouterSpec(resource.spec)
		case 'Route':
			return writeRouteSpec(resource.spec)
		case 'VirtualGateway':
			return writeVirtualGatewaySpec(resource.spec)
		case 'GatewayRoute':
			return writeGatewayRouteSpec(resource.spec)
		case 'RolloutPolicy':
			return writeRolloutPolicySpec(resource.spec)
		default:
			return unreachable(resource)
	}
}

function writeMeshSpec(spec: MeshSpec): Written {
	return {
		egressFilter: { type: spec.egressFilter },
		serviceDiscovery: writeUnlessEmpty({ ipPreference: spec.ipPreference }),
		...writeProxySettings(spec),
	}
}

function writeVirtualNodeSpec(spec: VirtualNodeSpec): Written {
	return {
		listeners: writeList(spec.listeners.map(writeNodeListener)),
		backends: writeList(spec.backends.map(writeBackend)),
		serviceDiscovery: spec.serviceDiscovery === null ? null : writeServiceDiscovery(spec.serviceDiscovery),
		...writeProxySettings(spec),
	}
}

/** Each with its own policy: what came from the backend defaults is said here. */
function writeBackend({ virtualService, clientTls, egressPort }: Backend): Written {
	return {
		virtualService: writeMembers({
			virtualServiceName: lastName(virtualService),
			clientPolicy: clientTls === null ? null : writeClientTls(clientTls),
			egressPort,
		}),
	}
}

function writeServiceDiscovery(discovery: ServiceDiscovery): Written {
	switch (discovery.kind) {
		case 'dns': {
			const { hostname, responseType, ipPreference } = discovery
			return { dns: writeMembers({ hostname, responseType, ipPreference }) }
		}
		case 'awsCloudMap': {
			const { namespaceName, serviceName, attributes, ipPreference } = discovery
			const written = writeList(attributes.map(({ key, value }) => ({ key, value })))
			return { awsCloudMap: writeMembers({ namespaceName, serviceName, attributes: written, ipPreference }) }
		}
		case 'static':
			return { static: { endpoints: discovery.endpoints.map(({ address, port }) => writeMembers({ address, port })) } }
		default:
			return unreachable(discovery)
	}
}

function writeVirtualServiceSpec({ provider }: VirtualServiceSpec): Written {
	if (provider === null) return {}
	const name = lastName(provider.id)
	return {
		provider:
			provider.kind === 'virtualNode'
				? { virtualNode: { virtualNodeName: name } }
				: { virtualRouter: { virtualRouterName: name } },
	}
}

function writeVirtualRouterSpec({ listeners }: VirtualRouterSpec): Written {
	return { listeners: writeList(listeners.map(({ port, protocol }) => ({ portMapping: { port, protocol } }))) }
}

function writeVirtualGatewaySpec(spec: VirtualGatewaySpec): Written {
	return {
		listeners: spec.listeners.map(writeGatewayListener),
		backendDefaults: spec.clientTls === null ? null : { clientPolicy: writeClientTls(spec.clientTls) },
		...writeProxySettings(spec),
	}
}
