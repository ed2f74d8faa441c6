// A call of a hook, for the tests of this room.
import type { HookCall } from '#hooks/hook-call.ts'
import type { HookSpec } from '#mesh/hook-spec.ts'

export function hookCall(change: Partial<HookSpec> = {}, rest: Partial<HookCall> = {}): HookCall {
	return {
		rollout: 'B/B#1',
		id: 'id-1',
		step: 0,
		about: { rollout: { id: 'B/B#1' } },
		...rest,
		hook: {
			name: 'gate',
			point: 'step',
			url: 'http://127.0.0.1:1/',
			secret: 'tickets',
			timeoutMs: 10_000,
			intervalMs: 10_000,
			...change,
		},
	}
}
