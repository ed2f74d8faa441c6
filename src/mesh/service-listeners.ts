import type { DeclaredListener } from './declared.ts'
import type { Resources } from './link-finding.ts'
import type { Resource, VirtualService } from './mesh.ts'
import type { VirtualNodeListener } from './proxy-spec.ts'

/** The ports on which a virtual service is called: its provider's; none while that is not there. */
export function serviceListeners(
	{ spec: { provider } }: VirtualService,
	resources: Resources,
): readonly DeclaredListener[] {
	const resource = provider === null ? undefined : resources[provider.id]
	return resource?.kind === 'VirtualNode' || resource?.kind === 'VirtualRouter' ? resource.spec.listeners : []
}

/** A listener that answers for a virtual service in the end, and the name of its node. */
export type Answering = {
	readonly node: string
	readonly listener: VirtualNodeListener
	/** The port of the service that leads there; null: each of them. */
	readonly servicePort: number | null
}

/** `targets`: what each route of a virtual router sends its requests to. */
export function answeringListeners(
	{ spec: { provider } }: VirtualService,
	resources: Resources,
	targets: TargetsByRouter,
): readonly Answering[] {
	if (provider === null) return []
	const node = resources[provider.id]
	if (node?.kind === 'VirtualNode') {
		return node.spec.listeners.map((listener) => ({ node: node.name, listener, servicePort: listener.port }))
	}
	return targets.get(provider.id) ?? []
}

export type TargetsByRouter = ReadonlyMap<string, readonly Answering[]>

/** `sorted`: all resources, by id. */
export function targetsByRouter(sorted: readonly Resource[], resources: Resources): TargetsByRouter {
	const targets = new Map<string, Answering[]>()
	for (const route of sorted) {
		if (route.kind !== 'Route') continue
		const known = targets.get(route.spec.virtualRouter) ?? []
		targets.set(route.spec.virtualRouter, known)
		for (const { virtualNode, port } of route.spec.targets) {
			const node = resources[virtualNode]
			if (node?.kind !== 'VirtualNode') continue
			const listener = node.spec.listeners.find((candidate) => candidate.port === port)
			if (listener !== undefined) known.push({ node: node.name, listener, servicePort: route.spec.match.port })
		}
	}
	return targets
}
