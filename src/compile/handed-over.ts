import type { Resource, ResourceId, VirtualGateway, VirtualService } from '#mesh/mesh.ts'
import type { EgressHost } from './egress-table.ts'
import { meshIndex } from './mesh-index.ts'

type Resources = Readonly<Record<ResourceId, Resource>>

/**
 * How a gateway's way in tells its way out which virtual service a request is for, when the request keeps the host that
 * the outside dialled: by App Mesh's header. No client can choose it: the way in overwrites or removes what a client sent.
 */
export const handOverHeader = 'x-app-mesh-virtual-service'

/** What the header says, and the host that is meant. */
export type HandedOver = { readonly value: string; readonly host: EgressHost }

/** One for each target of the gateway's routes that leave the host as it is, sorted by what the header says. */
export function handedOver(
	resources: Resources,
	gateway: VirtualGateway,
	hosts: readonly EgressHost[],
): readonly HandedOver[] {
	const found = new Map<string, HandedOver>()
	for (const { spec } of meshIndex(resources).gatewayRoutes.get(gateway.id) ?? []) {
		const service = resources[spec.target.virtualService]
		if (spec.hostRewrite !== 'none' || service?.kind !== 'VirtualService') continue
		const value = serviceAuthority(service, spec.target.port)
		const host = hosts.find(({ domains }) => domains.includes(value))
		if (host !== undefined) found.set(value, { value, host })
	}
	return [...found.values()].sort((left, right) => (left.value < right.value ? -1 : 1))
}

/** How the way out knows a virtual service: its name, with the port where one is written. */
export function serviceAuthority({ name }: VirtualService, port: number | null): string {
	return port === null ? name : `${name}:${port}`
}
