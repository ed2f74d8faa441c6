import { unreachable } from '#base/assert.ts'
import type { Guard, RolloutPolicySpec } from '#mesh/mesh.ts'

/** What the steps of a policy wait for, for people: `failed requests; failed-orders`. */
export function describeGuards({ guards, unguarded }: RolloutPolicySpec): string {
	if (unguarded !== null) return `nothing but time: ${unguarded}`
	return guards.map(describeGuard).join('; ')
}

function describeGuard(guard: Guard): string {
	switch (guard.kind) {
		case 'errors':
			return 'failed requests, as proxies count them'
		case 'latency':
			return guard.thresholdMs === null ? 'slow requests' : `requests slower than ${guard.thresholdMs} ms`
		case 'threshold':
			return `${guard.name}, asked of ${guard.source.kind}`
		default:
			return unreachable(guard)
	}
}
