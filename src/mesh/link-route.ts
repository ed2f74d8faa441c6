import { onPort } from './declared.ts'
import { type LinkFinding, lastName, missingLink, type Resources } from './link-finding.ts'
import type { Route } from './mesh.ts'
import { settleProtocol } from './settle-protocol.ts'
import { canSpeak } from './speak.ts'

/** Why a route cannot be served: its router, or one of its targets. */
export function findBrokenLinksOfRoute(route: Route, resources: Resources): readonly LinkFinding[] {
	return [
		...findBrokenRouter(route, resources),
		...route.spec.targets.flatMap((_, index) => findBrokenTarget(route, index, resources)),
	]
}

function findBrokenRouter(route: Route, resources: Resources): readonly LinkFinding[] {
	const { virtualRouter, protocol, match } = route.spec
	const router = resources[virtualRouter]
	const name = lastName(virtualRouter)
	if (router?.kind !== 'VirtualRouter') {
		return [missingLink(route, { kind: 'virtualRouter' }, virtualRouter, `the virtual router "${name}"`)]
	}
	const settled = settleProtocol(protocol, onPort(router.spec.listeners, match.port))
	if (settled.kind !== 'impossible') return []
	const message = `the virtual router "${name}" speaks ${settled.spoken.join(' and ')}, and that carries no ${protocol} route`
	return [{ code: 'SL0313', resource: route.id, place: { kind: 'routeType' }, message, missing: null }]
}

function findBrokenTarget(route: Route, index: number, resources: Resources): readonly LinkFinding[] {
	const { targets, protocol } = route.spec
	const target = targets[index]
	if (target === undefined) return []
	const { virtualNode, port } = target
	const node = resources[virtualNode]
	const name = lastName(virtualNode)
	const place = { kind: 'target', index } as const
	const broken = (code: LinkFinding['code'], at: LinkFinding['place'], message: string): LinkFinding[] => [
		{ code, resource: route.id, place: at, message, missing: null },
	]
	if (node?.kind !== 'VirtualNode') return [missingLink(route, place, virtualNode, `the virtual node "${name}"`)]
	const ports = node.spec.listeners.map((listener) => listener.port)
	if (ports.length === 0) {
		return broken('SL0303', place, `the virtual node "${name}" has no listener, so it cannot take traffic`)
	}
	const listener = node.spec.listeners.find((candidate) => candidate.port === port)
	if (listener === undefined) {
		const message = `the virtual node "${name}" has no listener on port ${port}; it listens on ${ports.join(', ')}`
		return broken('SL0303', { kind: 'targetPort', index }, message)
	}
	if (targets.findIndex((other) => other.virtualNode === virtualNode && other.port === port) < index) {
		const message = `the virtual node "${name}" is a target of this route already; add the weights together`
		return broken('SL0309', place, message)
	}
	if (canSpeak(protocol, listener.protocol) !== 'no') return []
	const message = `the virtual node "${name}" speaks ${listener.protocol} on port ${port}, and gRPC needs HTTP/2`
	return broken('SL0315', place, message)
}
