// Whether resources link: every name that one of them uses stands for another one of them. It needs no files, so that a
// mix of applied and desired resources can be asked too. What App Mesh accepts although it leads nowhere is no broken
// link; loose-links.ts warns of it.

import { unreachable } from '#base/assert.ts'
import { compareText } from '#base/diagnostic.ts'
import type { DiagnosticCode } from '#base/diagnostic-codes.ts'
import { type Resource, type ResourceId, type Route, resourceId } from './mesh.ts'

/** Which of its values makes a resource not link. */
export type LinkPlace =
	| { readonly kind: 'mesh' | 'name' | 'virtualRouter' | 'provider' }
	| { readonly kind: 'target' | 'targetPort'; readonly index: number }

export type BrokenLink = {
	readonly code: DiagnosticCode
	/** The resource that cannot be served like this. */
	readonly resource: ResourceId
	readonly place: LinkPlace
	readonly message: string
	/** The resource that is missing; null when something else is wrong with it. */
	readonly missing: ResourceId | null
}

type Resources = Readonly<Record<ResourceId, Resource>>

/** Everything that does not link, sorted by resource; empty when the resources can be served together. */
export function findBrokenLinks(resources: Resources): readonly BrokenLink[] {
	const sorted = Object.values(resources).sort((left, right) => compareText(left.id, right.id))
	return [
		...findMissingMeshes(sorted, resources),
		...sorted.flatMap((resource) => findBrokenLinksOf(resource, resources)),
		...findNameClashes(sorted),
	].sort((left, right) => compareText(left.resource, right.resource))
}

/** One finding for each mesh that is missing, at the first resource that names it. */
function findMissingMeshes(sorted: readonly Resource[], resources: Resources): readonly BrokenLink[] {
	const users = Map.groupBy(
		sorted.filter((resource) => resources[resourceId.mesh(resource.mesh)] === undefined),
		(resource) => resource.mesh,
	)
	return [...users].flatMap(([mesh, [first, ...others]]): BrokenLink[] => {
		if (first === undefined) return []
		const link = missing(first, { kind: 'mesh' }, resourceId.mesh(mesh), `the mesh "${mesh}"`)
		return [others.length === 0 ? link : { ...link, message: `${link.message} (named ${others.length + 1} times)` }]
	})
}

function findBrokenLinksOf(resource: Resource, resources: Resources): readonly BrokenLink[] {
	switch (resource.kind) {
		case 'Route':
			return findBrokenLinksOfRoute(resource, resources)
		case 'VirtualService': {
			const { provider } = resource.spec
			if (provider === null || resources[provider.id] !== undefined) return []
			const what = provider.kind === 'virtualNode' ? 'virtual node' : 'virtual router'
			return [missing(resource, { kind: 'provider' }, provider.id, `the ${what} "${lastName(provider.id)}"`)]
		}
		// A backend that is no virtual service (yet) is accepted by App Mesh; a policy names routes by pattern.
		case 'Mesh':
		case 'VirtualNode':
		case 'VirtualRouter':
		case 'RolloutPolicy':
		case 'VirtualGateway':
		case 'GatewayRoute':
			return []
		default:
			return unreachable(resource)
	}
}

function findBrokenLinksOfRoute(route: Route, resources: Resources): readonly BrokenLink[] {
	const broken: BrokenLink[] = []
	const { virtualRouter, targets } = route.spec
	if (resources[virtualRouter] === undefined) {
		broken.push(
			missing(route, { kind: 'virtualRouter' }, virtualRouter, `the virtual router "${lastName(virtualRouter)}"`),
		)
	}
	for (const [index, { virtualNode, port }] of targets.entries()) {
		const node = resources[virtualNode]
		const name = lastName(virtualNode)
		if (node?.kind !== 'VirtualNode') {
			broken.push(missing(route, { kind: 'target', index }, virtualNode, `the virtual node "${name}"`))
			continue
		}
		const ports = node.spec.listeners.map((listener) => listener.port)
		if (ports.length === 0) {
			const message = `the virtual node "${name}" has no listener, so it cannot take traffic`
			broken.push({ code: 'SL0303', resource: route.id, place: { kind: 'target', index }, message, missing: null })
		} else if (!ports.includes(port)) {
			const message = `the virtual node "${name}" has no listener on port ${port}; it listens on ${ports.join(', ')}`
			broken.push({ code: 'SL0303', resource: route.id, place: { kind: 'targetPort', index }, message, missing: null })
		} else if (targets.findIndex((target) => target.virtualNode === virtualNode && target.port === port) < index) {
			const message = `the virtual node "${name}" is a target of this route already; add the weights together`
			broken.push({ code: 'SL0309', resource: route.id, place: { kind: 'target', index }, message, missing: null })
		}
	}
	return broken
}

/** Envoy compares host names without case, so two services of a mesh whose names differ in nothing else cannot be told apart. */
function findNameClashes(sorted: readonly Resource[]): readonly BrokenLink[] {
	const services = sorted.filter((resource) => resource.kind === 'VirtualService')
	const alike = Map.groupBy(services, (service) => `${service.mesh}/${service.name.toLowerCase()}`)
	return [...alike.values()].flatMap(([first, ...others]) =>
		others.map((service): BrokenLink => {
			const message = `the virtual services "${first?.name}" and "${service.name}" differ in case only: they are the same host`
			return { code: 'SL0305', resource: service.id, place: { kind: 'name' }, message, missing: null }
		}),
	)
}

function missing(resource: Resource, place: LinkPlace, id: ResourceId, what: string): BrokenLink {
	return { code: 'SL0301', resource: resource.id, place, message: `${what} is not declared`, missing: id }
}

/** The resource's own name: the last part of its id. */
export function lastName(id: ResourceId): string {
	return id.slice(id.lastIndexOf('/') + 1)
}
