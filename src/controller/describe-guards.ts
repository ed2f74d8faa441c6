import { unreachable } from '#base/assert.ts'
import type { HookSpec } from '#mesh/hook-spec.ts'
import type { Guard, RolloutPolicySpec } from '#mesh/mesh.ts'

/** What the steps of a policy wait for, for people: `failed requests; failed-orders`. */
export function describeGuards({ guards, unguarded, hooks }: RolloutPolicySpec): string {
	const waits = unguarded === null ? guards.map(describeGuard) : [`nothing but time: ${unguarded}`]
	return [...waits, ...hooks.flatMap(describeHook)].join('; ')
}

/** Those that only hear of it hold nothing. */
function describeHook({ name, point }: HookSpec): string[] {
	switch (point) {
		case 'start':
			return [`the hook ${name} before the first step`]
		case 'step':
			return [`the hook ${name} before each step`]
		case 'promotion':
			return [`the hook ${name} before the last step`]
		case 'watch':
			return [`the hook ${name} all the while`]
		case 'ended':
		case 'event':
			return []
		default:
			return unreachable(point)
	}
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
