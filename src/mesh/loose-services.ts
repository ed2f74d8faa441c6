import { type LinkFinding, lastName, type Resources } from './link-finding.ts'
import type { Route, VirtualService } from './mesh.ts'

/** Virtual services that have a provider and are answered by nobody. One without a provider is meant so. */
export function findLooseServices(
	services: readonly VirtualService[],
	routes: readonly Route[],
	resources: Resources,
): readonly LinkFinding[] {
	const routed = new Set(routes.map(({ spec }) => spec.virtualRouter))
	return services.flatMap((service): LinkFinding[] => {
		const { provider } = service.spec
		if (provider === null) return []
		const resource = resources[provider.id]
		const name = lastName(provider.id)
		const loose = (code: LinkFinding['code'], message: string): LinkFinding[] => [
			{ code, resource: service.id, place: { kind: 'provider' }, message, missing: null },
		]
		if (resource?.kind !== 'VirtualNode' && resource?.kind !== 'VirtualRouter') return []
		const what = resource.kind === 'VirtualNode' ? 'virtual node' : 'virtual router'
		if (resource.spec.listeners.length === 0) {
			return loose('SL0322', `the ${what} "${name}" has no listener, so nobody can call "${service.name}"`)
		}
		if (resource.kind === 'VirtualNode' || routed.has(resource.id)) return []
		return loose('SL0323', `the ${what} "${name}" has no route: every call to "${service.name}" fails`)
	})
}
