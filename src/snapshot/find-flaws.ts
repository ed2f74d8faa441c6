import { fromBinary } from '@bufbuild/protobuf'
import { typeUrls } from '#compile/compiled.ts'
import type { VirtualHost } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { type RouteConfiguration, RouteConfigurationSchema } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import type { EncodedResource } from './snapshot.ts'

/** Bytes do not change, and most resources of a snapshot were in the one before. */
const flawsOfBytes = new WeakMap<Uint8Array, readonly string[]>()

/**
 * What is wrong with a resource by itself, in words: what Envoy would refuse, or take although traffic is lost by it.
 * Read from the bytes, so that it speaks of what is really sent, whether compiled just now or kept from before.
 */
export function findFlaws(resource: EncodedResource): readonly string[] {
	if (resource.typeUrl !== typeUrls.route) return []
	const flaws = flawsOfBytes.get(resource.bytes) ?? flawsOfRoutes(fromBinary(RouteConfigurationSchema, resource.bytes))
	flawsOfBytes.set(resource.bytes, flaws)
	return flaws
}

function flawsOfRoutes(routes: RouteConfiguration): string[] {
	return [...repeatedDomains(routes), ...repeatedNames(routes), ...routes.virtualHosts.flatMap(flawsOfHost)]
}

/** Envoy compares domains without regard to case. */
function repeatedDomains({ virtualHosts }: RouteConfiguration): string[] {
	const domains = virtualHosts.flatMap((host) => host.domains.map((domain) => domain.toLowerCase()))
	return repeated(domains).map((domain) => `the domain ${domain} is in two virtual hosts`)
}

function repeatedNames({ virtualHosts }: RouteConfiguration): string[] {
	return repeated(virtualHosts.map(({ name }) => name)).map((name) => `two virtual hosts have the name ${name}`)
}

function flawsOfHost({ name, domains, routes }: VirtualHost): string[] {
	const flaws = domains.length === 0 ? [`the virtual host ${name} has no domain`] : []
	for (const { name: route, action } of routes) {
		if (action.case !== 'route' || action.value.clusterSpecifier.case !== 'weightedClusters') continue
		const { clusters } = action.value.clusterSpecifier.value
		const sum = clusters.reduce((total, { weight = 0 }) => total + weight, 0)
		if (sum === 0) flaws.push(`all weights of the route ${route} of ${name} are 0`)
		for (const cluster of repeated(clusters.map((member) => member.name))) {
			flaws.push(`the route ${route} of ${name} names the cluster ${cluster} twice`)
		}
	}
	return flaws
}

function repeated(values: readonly string[]): string[] {
	const seen = new Set<string>()
	const again = new Set<string>()
	for (const value of values) {
		if (seen.has(value)) again.add(value)
		seen.add(value)
	}
	return [...again].sort()
}
