import { isUnsettled } from '#rollout/rollout.ts'
import type { ControllerView } from './controller-view.ts'
import { isWaiting } from './settle.ts'
import { hasEnd } from './state.ts'

/**
 * Time alone can move something: rollouts under way, clusters of their own that are being left, what ends by itself,
 * removals that wait, a store that failed.
 */
export function isBusy({
	state,
	settlement,
	durable,
}: Pick<ControllerView, 'state' | 'settlement' | 'durable'>): boolean {
	return !durable || hasEnd(state) || state.rollouts.some(isUnsettled) || isWaiting(settlement)
}
