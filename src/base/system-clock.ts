import type { Clock } from './clock.ts'

/** The machine's own clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
	monotonicMs: () => performance.now(),
	wallMs: () => Date.now(),
	setTimer(delayMs, fire) {
		const timeout = setTimeout(fire, delayMs)
		timeout.unref()
		return { cancel: () => clearTimeout(timeout) }
	},
}
