import { limits } from '#base/limits.ts'
import type { ControllerView } from './controller-view.ts'
import { isBusy } from './is-busy.ts'

/** What a supervisor asks: whether to restart the daemon, and whether to send proxies to it. Git plays no part. */
export type Health = {
	/** Null when alive; else why it is not. */
	readonly stuck: string | null
	/** Null when ready; else why it is not. */
	readonly notReady: string | null
}

export type HealthFacts = {
	readonly view: ControllerView
	/** Monotonic, like `beatMs`: the last time the heart beat, a timer in the main loop. */
	readonly nowMs: number
	readonly beatMs: number
	/** The last applied state is loaded, and xDS is served from it. */
	readonly serving: 'serving' | 'stopping'
}

export function healthOf({ view, nowMs, beatMs, serving }: HealthFacts): Health {
	return {
		stuck: findStall(view, { nowMs, beatMs }),
		notReady: serving === 'serving' ? null : 'the daemon is stopping',
	}
}

function findStall(view: ControllerView, { nowMs, beatMs }: { nowMs: number; beatMs: number }): string | null {
	const silentMs = nowMs - beatMs
	if (silentMs > limits.aliveMs) return `the main loop stood still for ${Math.round(silentMs / 1000)} s`
	// With nothing under way no turn is due.
	const sinceTurnMs = nowMs - view.lastTurnMs
	if (isBusy(view) && sinceTurnMs > limits.aliveMs)
		return `no turn for ${Math.round(sinceTurnMs / 1000)} s though one is due`
	return null
}
