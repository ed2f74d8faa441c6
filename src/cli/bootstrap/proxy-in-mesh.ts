import { compareText } from '#base/diagnostic.ts'
import { nearestName } from '#base/nearest-name.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { ProxyIdentity } from '#compile/compiled.ts'
import { type Mesh, resourceId, type VirtualGateway, type VirtualNode } from '#mesh/mesh.ts'
import type { StatsSettings } from '#mesh/proxy-spec.ts'

/** What the file that a proxy is started with has to know of its node or gateway. */
export type ProxyInMesh = {
	/** The proxy's own, else its mesh's. */
	readonly stats: StatsSettings | null
	/** Sorted. */
	readonly listenerPorts: readonly number[]
}

/** A failure says which name may have been meant. */
export function findProxyInMesh({ resources }: Mesh, identity: ProxyIdentity): Result<ProxyInMesh, string> {
	const id = resourceId[identity.kind](identity.mesh, identity.name)
	const found = resources[id]
	if (found?.kind !== 'VirtualNode' && found?.kind !== 'VirtualGateway') {
		const ids = Object.values(resources)
			.filter(isProxied)
			.map((resource) => resource.id)
		const nearest = nearestName(identity.name, ids.map(lastPart).sort(compareText))
		const meant = ids.find((known) => lastPart(known) === nearest)
		return fail(`the mesh has no ${id}${meant === undefined ? '' : `: did you mean ${meant}?`}`)
	}
	const mesh = resources[resourceId.mesh(identity.mesh)]
	const ofMesh = mesh?.kind === 'Mesh' ? mesh.spec.stats : null
	return succeed({ stats: found.spec.stats ?? ofMesh, listenerPorts: found.spec.listeners.map(({ port }) => port) })
}

function isProxied(resource: Mesh['resources'][keyof Mesh['resources']]): resource is VirtualNode | VirtualGateway {
	return resource.kind === 'VirtualNode' || resource.kind === 'VirtualGateway'
}

function lastPart(id: string): string {
	return id.slice(id.lastIndexOf('/') + 1)
}
