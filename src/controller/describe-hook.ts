import { unreachable } from '#base/assert.ts'
import type { HookSpec } from '#mesh/hook-spec.ts'
import type { HookState } from '#rollout/hook-state.ts'

/** Where a hook of a rollout stands, for people. */
export function describeHook({ point }: HookSpec, state: HookState | undefined): string {
	switch (point) {
		case 'event':
			return 'hears of each decision'
		case 'ended':
			if (state === undefined) return 'hears of the end'
			return state.kind === 'closed' ? `not told of the end: ${state.text}` : 'told of the end'
		case 'start':
		case 'step':
		case 'promotion':
		case 'watch':
			return describeAsked(state)
		default:
			return unreachable(point)
	}
}

function describeAsked(state: HookState | undefined): string {
	switch (state?.kind) {
		case undefined:
			return 'not asked yet'
		case 'asked':
			return 'asked, no answer yet'
		case 'allowed':
			return 'allows it'
		case 'closed':
			return state.text
		default:
			return unreachable(state)
	}
}
