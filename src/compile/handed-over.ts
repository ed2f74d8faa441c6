import type { Resource, ResourceId, VirtualGateway, VirtualService } from '#mesh/mesh.ts'
import type { HostnameMatch } from '#mesh/route-spec.ts'
import type { EgressHost } from './egress-table.ts'
import { meshIndex } from './mesh-index.ts'

type Resources = Readonly<Record<ResourceId, Resource>>

/**
 * How a gateway's way in tells its way out which virtual service a request is for, when the request keeps the host that
 * the outside dialled: by App Mesh's header. No client can choose it: the way in overwrites or removes what a client sent.
 */
export const handOverHeader = 'x-app-mesh-virtual-service'

export type HandedOver = {
	/** What the header says. */
	readonly value: string
	/** The host that is meant. */
	readonly host: EgressHost
	/** Names of other hosts under which it comes too, sorted: what the outside dials may be a virtual service's name. */
	readonly alsoAt: readonly string[]
}

/**
 * One for each target of the gateway's routes that leave the host as it is, sorted by what the header says. Of virtual
 * services only those are taken to be dialled from outside that some gateway route has for a host name.
 */
export function handedOver(
	resources: Resources,
	gateway: VirtualGateway,
	hosts: readonly EgressHost[],
): readonly HandedOver[] {
	const routes = meshIndex(resources).gatewayRoutes.get(gateway.id) ?? []
	const hostnames = routes.map(({ spec }) => spec.match.hostname).filter((hostname) => hostname !== null)
	const dialled = hosts.filter(({ service }) => hostnames.some((hostname) => isOf(hostname, service)))
	const found = new Map<string, HandedOver>()
	for (const { spec } of routes) {
		const service = resources[spec.target.virtualService]
		if (spec.hostRewrite !== 'none' || service?.kind !== 'VirtualService') continue
		const value = serviceAuthority(service, spec.target.port)
		const host = hosts.find(({ domains }) => domains.includes(value))
		if (host === undefined) continue
		const { hostname } = spec.match
		const others = dialled.filter((other) => other !== host && (hostname === null || isOf(hostname, other.service)))
		const names = [...(found.get(value)?.alsoAt ?? []), ...others.map(({ name }) => name)]
		found.set(value, { value, host, alsoAt: [...new Set(names)].sort() })
	}
	return [...found.values()].sort((left, right) => (left.value < right.value ? -1 : 1))
}

function isOf({ kind, value }: HostnameMatch, { name }: VirtualService): boolean {
	const host = name.toLowerCase()
	return kind === 'exact' ? host === value : host.endsWith(value)
}

/** How the way out knows a virtual service: its name, with the port where one is written. */
export function serviceAuthority({ name }: VirtualService, port: number | null): string {
	return port === null ? name : `${name}:${port}`
}
