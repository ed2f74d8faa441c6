import type { Mesh, Resource } from '#mesh/mesh.ts'
import {
	type ChangedPart,
	changedPartsOfGateway,
	changedPartsOfGatewayRoute,
	changedPartsOfMesh,
	changedPartsOfNode,
	changedPartsOfRouter,
	describeParts,
} from './changed-parts.ts'
import type { Replace } from './plan.ts'
import type { Reach } from './reach.ts'

/** A mesh, and who reaches what in it. */
export type Side = { readonly mesh: Mesh; readonly reach: Reach }

/** What live traffic feels of a change: nothing, or what the reason says. */
export type Felt =
	| { readonly kind: 'prepare'; readonly reason: string | null }
	| ({ readonly kind: 'replace' } & Pick<Replace, 'when' | 'reason'>)

const unfelt: Felt = { kind: 'prepare', reason: null }

/** What live traffic feels of a resource that is specified otherwise; routes are another matter, since they have shares. */
export function feltOf(applied: Resource, desired: Resource, { mesh, reach }: Side): Felt {
	if (applied.kind === 'VirtualNode' && desired.kind === 'VirtualNode') {
		const parts = changedPartsOfNode(applied.spec, desired.spec)
		if (reach.nodes.has(applied.id)) return feltOfParts(parts, 'a live virtual node', ['proxy', 'callers'])
		// Its own proxies may run already, though no route leads to it.
		return feltOfParts(parts, 'its own proxies', ['proxy'])
	}
	// Its proxies may run already, whether or not it has routes.
	if (applied.kind === 'VirtualGateway' && desired.kind === 'VirtualGateway')
		return feltOfParts(changedPartsOfGateway(applied.spec, desired.spec), 'a live virtual gateway', ['proxy'])
	if (applied.kind === 'Mesh' && desired.kind === 'Mesh') {
		const parts = changedPartsOfMesh(applied.spec, desired.spec)
		return hasProxies(mesh, applied) ? feltOfParts(parts, 'every proxy of the mesh', ['proxy']) : unfelt
	}
	if (applied.kind === 'GatewayRoute' && desired.kind === 'GatewayRoute') {
		const parts = changedPartsOfGatewayRoute(applied.spec, desired.spec)
		return feltOfParts(parts, 'a live gateway route', ['proxy'])
	}
	if (applied.kind === 'VirtualRouter' && desired.kind === 'VirtualRouter') {
		if (!reach.routers.has(applied.id)) return unfelt
		return feltOfParts(changedPartsOfRouter(applied.spec, desired.spec), 'a live virtual router', ['proxy'])
	}
	if (applied.kind === 'VirtualService') {
		if (applied.spec.provider === null || !reach.services.has(applied.id)) return unfelt
		return { kind: 'replace', when: 'atOnce', reason: 'a live virtual service gets another provider' }
	}
	return unfelt
}

function feltOfParts(parts: readonly ChangedPart[], owner: string, feltBy: readonly ChangedPart['feltBy'][]): Felt {
	const bootstrap = parts.filter((part) => part.feltBy === 'bootstrap').map(({ part }) => part)
	const later = bootstrap.map((part) => `${part} with the next bootstrap`)
	const felt = parts.filter((part) => feltBy.includes(part.feltBy))
	if (felt.length > 0) {
		const when = felt.some(({ ends }) => ends === 'both') ? 'confirmed' : 'atOnce'
		return { kind: 'replace', when, reason: [describeParts(felt, owner), ...later].join('; ') }
	}
	return { kind: 'prepare', reason: later.length === 0 ? null : later.join('; ') }
}

function hasProxies(mesh: Mesh, { mesh: name }: Resource): boolean {
	return Object.values(mesh.resources).some(
		(resource) => resource.mesh === name && (resource.kind === 'VirtualNode' || resource.kind === 'VirtualGateway'),
	)
}
