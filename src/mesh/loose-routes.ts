import { compareText } from '#base/diagnostic.ts'
import { canonicalJson } from '#base/hash.ts'
import { type LinkFinding, lastName, type Resources } from './link-finding.ts'
import type { GatewayRoute, Route } from './mesh.ts'
import { canSpeak } from './speak.ts'

/** Routes that no request reaches, and targets that are spoken to in another way than written. */
export function findLooseRoutes(routes: readonly Route[], resources: Resources): readonly LinkFinding[] {
	return [
		...routes.flatMap((route) => findStrainedTargets(route, resources)),
		...findShadowed(routes, ({ spec: { virtualRouter, match } }) => `${virtualRouter} ${canonicalJson(match)}`),
	]
}

function findStrainedTargets(route: Route, resources: Resources): readonly LinkFinding[] {
	const { targets, protocol } = route.spec
	return targets.flatMap(({ virtualNode, port }, index): LinkFinding[] => {
		const node = resources[virtualNode]
		const listener = node?.kind === 'VirtualNode' ? node.spec.listeners.find((other) => other.port === port) : undefined
		if (listener === undefined || canSpeak(protocol, listener.protocol) !== 'strained') return []
		const how = protocol === 'tcp' ? 'bytes are passed on as they come' : 'it is spoken to in HTTP/1.1'
		const message = `the route is ${protocol}, and "${lastName(virtualNode)}" speaks ${listener.protocol} on port ${port}: ${how}`
		return [{ code: 'SL0314', resource: route.id, place: { kind: 'target', index }, message, missing: null }]
	})
}

type Ranked = Route | GatewayRoute

/** Those that have the same key as one that is tried before them: by priority, then by name. */
export function findShadowed<Each extends Ranked>(
	routes: readonly Each[],
	keyOf: (route: Each) => string,
): readonly LinkFinding[] {
	return [...Map.groupBy(routes, keyOf).values()].flatMap((alike) => {
		const [first, ...others] = alike.sort(
			(left, right) => left.spec.priority - right.spec.priority || compareText(left.name, right.name),
		)
		return others.map((route): LinkFinding => {
			const message = `"${first?.name}" matches the same and is tried first: the route "${route.name}" takes nothing`
			return { code: 'SL0324', resource: route.id, place: { kind: 'routeType' }, message, missing: null }
		})
	})
}
