import { compareText } from '#base/diagnostic.ts'
import type { GatewayRoute } from '#mesh/mesh.ts'
import type { HostnameMatch } from '#mesh/route-spec.ts'
import { compareMatches } from './order.ts'

/**
 * The order in which a gateway's routes are tried, over all host names: by priority, then an exact host name before a
 * suffix, a longer one before a shorter, any before none, then as a router's routes are.
 */
export function inGatewayOrder(left: GatewayRoute, right: GatewayRoute): number {
	const [leftMatch, rightMatch] = [left.spec.match, right.spec.match]
	return (
		left.spec.priority - right.spec.priority ||
		compareHostnames(leftMatch.hostname, rightMatch.hostname) ||
		compareMatches(leftMatch, rightMatch) ||
		compareText(left.name, right.name)
	)
}

function compareHostnames(left: HostnameMatch | null, right: HostnameMatch | null): number {
	return rankOf(left) - rankOf(right) || (right?.value.length ?? 0) - (left?.value.length ?? 0)
}

function rankOf(hostname: HostnameMatch | null): number {
	if (hostname === null) return 2
	return hostname.kind === 'exact' ? 0 : 1
}
