import { limits } from '#base/limits.ts'
import { armsOfFour } from './arms.ts'
import { logEvidence } from './error-test.ts'
import type { CanaryKey, Counts, GuardState, Metric, MetricState } from './look.ts'
import { unpackLogs } from './packed-logs.ts'

// Everything that is compared, measure by measure, as people are shown it.

/** One measure of one canary: one test. All of a rollout's tests together hold one α. */
export type Test = {
	readonly target: CanaryKey
	readonly metric: Metric
	/** Of latency: requests that took longer count as errors. */
	readonly edgeMs: number | null
	readonly state: MetricState
}

export function testsOf({ canaries, edgesMs }: GuardState): Test[] {
	return Object.entries(canaries).flatMap(([target, { final, attempts, latency }]): Test[] => [
		{ target, metric: 'final', edgeMs: null, state: final },
		{ target, metric: 'attempts', edgeMs: null, state: attempts },
		...latency.map((state, index) => ({ target, metric: 'latency' as const, edgeMs: edgesMs[index] ?? null, state })),
	])
}

export type Measure = Omit<Test, 'state'> & {
	readonly canary: Rate
	readonly baseline: Rate
	/** Of this measure alone; the rollout goes back by the mean of all. */
	readonly evidence: number
	/** It is proven not to be worse. */
	readonly proven: boolean
}

/** Since the rollout began. `low` and `high`: where the share lies with 95 % confidence, were errors independent. */
export type Rate = Counts & { readonly share: number | null; readonly low: number; readonly high: number }

export function measuresOf(state: GuardState): Measure[] {
	return testsOf(state).map(({ target, metric, edgeMs, state: test }) => ({
		target,
		metric,
		edgeMs,
		canary: rateOf(armsOfFour(test.counts).canary),
		baseline: rateOf(armsOfFour(test.counts).baseline),
		evidence: Math.exp(logEvidence([unpackLogs(test.evidence)])),
		proven: isProvenTest(test),
	}))
}

export function isProvenTest({ proofs }: MetricState): boolean {
	return proofs === ''
}

const confidence = 1.959964

/** Wilson's interval (Wilson 1927): sound for few requests and for no errors. Of no requests it is everything. */
export function rateOf({ requests, errors }: Counts): Rate {
	if (requests === 0) return { requests, errors, share: null, low: 0, high: 1 }
	const share = errors / requests
	const square = confidence ** 2
	const middle = (share + square / (2 * requests)) / (1 + square / requests)
	const spread = Math.sqrt((share * (1 - share)) / requests + square / (4 * requests ** 2))
	const half = (confidence * spread) / (1 + square / requests)
	return {
		requests,
		errors,
		share,
		low: errors === 0 ? 0 : Math.max(0, middle - half),
		high: errors === requests ? 1 : Math.min(1, middle + half),
	}
}

/** At the rate of the last looks; null where no request comes. */
export function proofWaitMs({ requestsPerLook }: GuardState, missingRequests: number): number | null {
	return requestsPerLook <= 0 ? null : Math.ceil(missingRequests / requestsPerLook) * limits.lookIntervalMs
}
