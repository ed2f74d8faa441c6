import { limits } from '#base/limits.ts'
import type { ThresholdGuard } from '#mesh/mesh.ts'
import type { Measurement, ThresholdState } from './look.ts'

// A figure that somebody else measures, held against fixed bounds. It is no statistics: it is for what Envoy cannot see.
// What is not a number says nothing: it is never within bounds and never out of them. A breach is spent again by the
// measurements in bounds that follow it; there is no budget that only goes down.

export const newThreshold: ThresholdState = {
	lastSequence: 0,
	recent: '',
	inBounds: 0,
	newest: null,
	sinceDataMs: 0,
}

/** A measurement as it arrives. `stepMs`: how long the step in force has lasted. */
export type Measured = {
	readonly sequence: number
	readonly measurement: Measurement
	readonly stepMs: number
}

/** Takes in one measurement. A breach counts whatever its window; `back` says why the rollout must go back, or is null. */
export function judgeThreshold(
	state: ThresholdState,
	guard: ThresholdGuard,
	{ sequence, measurement, stepMs }: Measured,
): { readonly state: ThresholdState; readonly back: string | null } {
	if (sequence <= state.lastSequence) return { state, back: null }
	if (measurement.kind === 'noData') return { state: withoutData(state, sequence, measurement.reason), back: null }
	const { value } = measurement
	if (!Number.isFinite(value)) return { state: withoutData(state, sequence, `the value is ${value}`), back: null }
	const isBreach = describeBreach(guard, value) !== null
	const recent = `${state.recent}${isBreach ? 'x' : '.'}`.slice(-guard.breaches.of)
	const counts = !isBreach && stepMs >= guard.windowMs + measurement.ageMs
	const next: ThresholdState = {
		lastSequence: sequence,
		recent,
		inBounds: state.inBounds + (counts ? 1 : 0),
		newest: measurement,
		sinceDataMs: 0,
	}
	const bad = countBreaches(recent)
	if (!isBreach || bad < guard.breaches.count) return { state: next, back: null }
	const times = `${bad} of the last ${recent.length} measurements`
	return { state: next, back: `${guard.name}: ${describeBreach(guard, value)}, ${times}` }
}

function withoutData(state: ThresholdState, lastSequence: number, reason: string): ThresholdState {
	return { ...state, lastSequence, newest: { kind: 'noData', reason: reason.slice(0, limits.measurementReasonChars) } }
}

/** The shares changed: what was in bounds before says nothing of them. Breaches are not forgiven by a step. */
export function startThresholdStep(state: ThresholdState): ThresholdState {
	return { ...state, inBounds: 0 }
}

/** Measurements are numbered anew by each boot, and nothing moves forward before it has one. */
export function bootThreshold(state: ThresholdState): ThresholdState {
	return { ...state, lastSequence: 0, newest: null, sinceDataMs: 0 }
}

export type ThresholdLack = { readonly kind: 'noData' | 'outOfBounds' | 'tooFew'; readonly text: string }

/** What keeps the next step from being taken, as far as this guard has a say; null when nothing does. */
export function lackOf(state: ThresholdState, guard: ThresholdGuard): ThresholdLack | null {
	const { newest } = state
	const { name } = guard
	if (newest === null) return { kind: 'noData', text: `${name}: no measurement yet` }
	if (newest.kind === 'noData') return { kind: 'noData', text: `${name} has no data: ${newest.reason}` }
	if (state.sinceDataMs > staleAfterMs(guard)) {
		return { kind: 'noData', text: `${name}: no measurement for ${Math.round(state.sinceDataMs / 1000)} s` }
	}
	const breach = describeBreach(guard, newest.value)
	if (breach !== null) {
		const bad = countBreaches(state.recent)
		const text = `${name}: ${breach}, ${bad} of the last ${state.recent.length} measurements`
		return { kind: 'outOfBounds', text }
	}
	if (state.inBounds >= guard.minMeasurements) return null
	return { kind: 'tooFew', text: `${name}: ${state.inBounds} of ${guard.minMeasurements} measurements of this step` }
}

/** The newest figure beside its bounds, or why there is none: for status. */
export function describeThreshold(state: ThresholdState, guard: ThresholdGuard): string {
	const { newest, inBounds } = state
	const { min, max, minMeasurements } = guard
	const wanted = [...(min === null ? [] : [`at least ${min}`]), ...(max === null ? [] : [`at most ${max}`])].join(', ')
	if (newest === null) return `not asked yet; ${wanted}`
	if (newest.kind === 'noData') return `no data: ${newest.reason}; ${wanted}`
	const breach = describeBreach(guard, newest.value)
	const shown = breach ?? `${formatValue(newest.value, null)}, ${wanted}`
	return `${shown}; ${inBounds} of ${minMeasurements} measurements in bounds at this step`
}

/** Silence that takes back a rollout whose policy wants that. */
export function isLostForLong(state: ThresholdState, guard: ThresholdGuard): boolean {
	return guard.onNoData === 'rollBack' && state.sinceDataMs > limits.noEvidenceMs + guard.intervalMs
}

/** `0.034 is above 0.02`; null when the value is within bounds. A bound itself is within. */
function describeBreach({ min, max }: ThresholdGuard, value: number): string | null {
	if (max !== null && value > max) return `${formatValue(value, max)} is above ${max}`
	if (min !== null && value < min) return `${formatValue(value, min)} is below ${min}`
	return null
}

/** Six digits are enough for people, unless the value then looks like its bound. */
function formatValue(value: number, bound: number | null): string {
	const short = Number(value.toPrecision(6))
	return String(short === bound ? value : short)
}

export function countBreaches(recent: string): number {
	return recent.length - recent.replaceAll('x', '').length
}

function staleAfterMs({ intervalMs }: ThresholdGuard): number {
	return intervalMs * limits.measurementsMissing + limits.measurementDeadlineMs
}
