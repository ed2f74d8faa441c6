import type { Resource, ResourceId } from '#mesh/mesh.ts'
import type { Explained } from './explained.ts'

/** A request for a virtual service of the mesh that its caller does not have as a backend: says so, else null. */
export function missingBackend(
	{ proxy, request, outcome }: Explained,
	resources: Readonly<Record<ResourceId, Resource>>,
): string | null {
	if (outcome.kind !== 'unknownHost' && outcome.kind !== 'closed') return null
	const node = resources[proxy as ResourceId]
	if (node?.kind !== 'VirtualNode') return null
	const host = hostOf(request.authority)
	const service = Object.values(resources).find(
		({ kind, mesh, name }) => kind === 'VirtualService' && mesh === node.mesh && name.toLowerCase() === host,
	)
	if (service === undefined) return null
	if (!node.spec.backends.some(({ virtualService }) => virtualService === service.id)) {
		return `${node.name} has no backend ${service.name}: add it to its spec.backends`
	}
	return service.kind === 'VirtualService' && service.spec.provider === null
		? `${service.name} has no provider: nothing answers for it`
		: null
}

function hostOf(authority: string): string {
	return authority.replace(/:\d+$/, '').toLowerCase()
}
