import { type Arms, addArms, addCounts, armsOfFour, fourOfArms, noCounts, noFour } from './arms.ts'
import type { CanaryLook, Counts, IncidentState } from './look.ts'

// Both arms over the absolute limit at once: what fails is not the canary's alone, so it is no reason to take the canary
// back, and none to give it more. It may yet be the canary's doing, by way of something that both need.
// This is no statistics: windows of so many requests, and two in a row that say the same, in the manner of the hard limit.
// Whoever is much worse than a failing baseline is still found by the comparison.

/** Requests that each arm must have in a window, and windows in a row that change the finding. */
const windowRequests = 20
const windowsInRow = 2

export const noIncident: IncidentState = { kind: 'none', windows: 0, window: noFour, shown: noFour }

export type IncidentLimits = { readonly absoluteLimitPpm: number; readonly baselineHasTraffic: boolean }

/**
 * The finding after one more look, of the warm-up or not. It begins with both arms over the limit, the canaries taken
 * together, and ends with the baseline at or below it, whatever traffic the canaries still have.
 */
export function watchIncident(
	state: IncidentState,
	canaries: readonly CanaryLook[],
	{ absoluteLimitPpm, baselineHasTraffic }: IncidentLimits,
): IncidentState {
	if (!baselineHasTraffic) return noIncident
	const arms = addArms(armsOfFour(state.window), armsOf(canaries))
	const window = fourOfArms(arms)
	const isFull = arms.baseline.requests >= windowRequests
	const hasCanary = arms.canary.requests >= windowRequests
	const isOver = (counts: Counts) => counts.errors * 1_000_000 > absoluteLimitPpm * counts.requests
	switch (state.kind) {
		case 'none':
			if (!isFull || !hasCanary) return { ...state, window }
			if (!isOver(arms.canary) || !isOver(arms.baseline)) return noIncident
			return nextWindow(state, arms)
		case 'shared':
			if (!isFull) return { ...state, window }
			if (isOver(arms.baseline)) return { ...state, windows: 0, window: noFour, shown: window }
			return nextWindow(state, arms)
	}
}

/** The canaries together; each of them was held against the same baseline. */
function armsOf(canaries: readonly CanaryLook[]): Arms {
	return {
		canary: canaries.reduce((sum, { final }) => addCounts(sum, final.canary), noCounts),
		baseline: canaries[0]?.final.baseline ?? noCounts,
	}
}

/** One more window that speaks for the other finding; the last of the row makes it. */
function nextWindow(state: IncidentState, window: Arms): IncidentState {
	const windows = state.windows + 1
	switch (state.kind) {
		case 'none': {
			const shown = fourOfArms(addArms(armsOfFour(state.shown), window))
			if (windows < windowsInRow) return { ...state, windows, window: noFour, shown }
			return { kind: 'shared', windows: 0, window: noFour, shown }
		}
		case 'shared':
			return windows < windowsInRow ? { ...state, windows, window: noFour } : noIncident
	}
}
