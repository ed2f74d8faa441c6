// Whether resources link: every name that one of them uses stands for another one of them, and they can work together.
// It needs no files, so that a mix of applied and desired resources can be asked too. What App Mesh accepts although it
// leads nowhere is no broken link; loose-links.ts warns of it.

import { unreachable } from '#base/assert.ts'
import { compareText } from '#base/diagnostic.ts'
import { findBrokenEgressPorts } from './link-egress-ports.ts'
import { type LinkFinding, lastName, missingLink, type Resources } from './link-finding.ts'
import { findBrokenLinksOfGatewayRoute } from './link-gateway-route.ts'
import { findBrokenPrometheusPort } from './link-prometheus-port.ts'
import { findBrokenLinksOfRoute } from './link-route.ts'
import { type Resource, type ResourceId, resourceId, type VirtualService } from './mesh.ts'

export type BrokenLink = LinkFinding

/** Everything that does not link, sorted by resource; empty when the resources can be served together. */
export function findBrokenLinks(resources: Resources): readonly BrokenLink[] {
	const sorted = Object.values(resources).sort((left, right) => compareText(left.id, right.id))
	return [
		...findMissingMeshes(sorted, resources),
		...sorted.flatMap((resource) => findBrokenLinksOf(resource, resources)),
		...findNameClashes(sorted),
	].sort((left, right) => compareText(left.resource, right.resource))
}

/**
 * The same, of resources that all link but for what these changes have brought. Nothing refers to a route: where another
 * stands in the place of one that was there, whether it links is all there is to ask.
 * @param before what linked, with the changed ones as they were
 */
export function findLinksBrokenBy(
	changed: readonly ResourceId[],
	before: Resources,
	resources: Resources,
): readonly BrokenLink[] {
	const routes = changed.flatMap((id) => {
		const resource = resources[id]
		return resource?.kind === 'Route' && before[id]?.kind === 'Route' ? [resource] : []
	})
	if (routes.length < changed.length) return findBrokenLinks(resources)
	return routes
		.sort((left, right) => compareText(left.id, right.id))
		.flatMap((route) => findBrokenLinksOfRoute(route, resources))
}

/** One finding for each mesh that is missing, at the first resource that names it. */
function findMissingMeshes(sorted: readonly Resource[], resources: Resources): readonly BrokenLink[] {
	const users = Map.groupBy(
		sorted.filter((resource) => resources[resourceId.mesh(resource.mesh)] === undefined),
		(resource) => resource.mesh,
	)
	return [...users].flatMap(([mesh, [first, ...others]]): BrokenLink[] => {
		if (first === undefined) return []
		const link = missingLink(first, { kind: 'mesh' }, resourceId.mesh(mesh), `the mesh "${mesh}"`)
		return [others.length === 0 ? link : { ...link, message: `${link.message} (named ${others.length + 1} times)` }]
	})
}

function findBrokenLinksOf(resource: Resource, resources: Resources): readonly BrokenLink[] {
	switch (resource.kind) {
		case 'Route':
			return findBrokenLinksOfRoute(resource, resources)
		case 'GatewayRoute':
			return findBrokenLinksOfGatewayRoute(resource, resources)
		case 'VirtualService':
			return findMissingProvider(resource, resources)
		case 'VirtualNode':
			return [...findBrokenEgressPorts(resource), ...findBrokenPrometheusPort(resource, resources)]
		case 'VirtualGateway':
			return findBrokenPrometheusPort(resource, resources)
		// A backend that is no virtual service (yet) is accepted by App Mesh; a policy names routes by pattern.
		case 'Mesh':
		case 'VirtualRouter':
		case 'RolloutPolicy':
			return []
		default:
			return unreachable(resource)
	}
}

function findMissingProvider(service: VirtualService, resources: Resources): readonly BrokenLink[] {
	const { provider } = service.spec
	if (provider === null || resources[provider.id] !== undefined) return []
	const what = provider.kind === 'virtualNode' ? 'virtual node' : 'virtual router'
	return [missingLink(service, { kind: 'provider' }, provider.id, `the ${what} "${lastName(provider.id)}"`)]
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
