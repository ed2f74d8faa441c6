import { assert } from '#base/assert.ts'
import { limits } from '#base/limits.ts'
import { addCounts, noCounts } from './arms.ts'
import { fromStored, toStored } from './bet.ts'
import { addLook, noEvidence } from './error-test.ts'
import type {
	CanaryKey,
	CanaryLook,
	CanaryState,
	GuardParameters,
	GuardState,
	Look,
	Metric,
	MetricLook,
	MetricState,
	Verdict,
} from './look.ts'
import { addProofs, isProven, noProofs } from './non-inferiority.ts'
import { restartWeight } from './restart-weight.ts'
import { decideVerdict, repeatedVerdict, warmUpVerdict } from './verdict.ts'

// The sequential tests of one rollout: state and look in, state and verdict out. The hard limit is not here: it acts on
// each flush, in fold.ts.

/** The guard before its first look. The state takes about 0.65 KB for each canary. */
export function startGuard(options: {
	readonly canaries: readonly CanaryKey[]
	readonly parameters: GuardParameters
}): GuardState {
	assert(options.canaries.length > 0, 'a rollout has a canary')
	return {
		looks: 0,
		lastSequence: 0,
		stepStarts: 0,
		stepStartDue: true,
		stepRequests: 0,
		fresh: false,
		silent: [],
		canaries: Object.fromEntries(options.canaries.toSorted().map((key) => [key, newCanary])),
	}
}

const newMetric: MetricState = {
	logEvidence: noEvidence.map(toStored),
	logProofs: noProofs,
	proven: false,
	canary: noCounts,
	baseline: noCounts,
}
const newCanary: CanaryState = { final: newMetric, attempts: newMetric, stepRequests: 0 }

/** The shares changed: requests are counted anew, evidence and proofs stay. */
export function startStep(state: GuardState): GuardState {
	const canaries = mapCanaries(state, (canary) => ({ ...canary, stepRequests: 0 }))
	return { ...state, canaries, stepRequests: 0, stepStartDue: true }
}

/**
 * Takes in one look. Looks of the warm-up add to the shown counts alone; a sequence that is not above the last one adds
 * nothing. `baselineHasTraffic` follows from the shares in force: where they leave the baseline none, the canary's final
 * failures are judged by the absolute limit, and only their proof is asked for.
 */
export function judge(
	state: GuardState,
	look: Look,
	parameters: GuardParameters,
	{ baselineHasTraffic }: { readonly baselineHasTraffic: boolean },
): { readonly state: GuardState; readonly verdict: Verdict } {
	const situation = { look, parameters, baselineHasTraffic }
	if (look.sequence <= state.lastSequence) return { state, verdict: repeatedVerdict(state, situation) }
	const counted = countLook(state, look)
	if (look.warmingUp) return { state: counted, verdict: warmUpVerdict(counted, situation) }
	const judged = addEvidence(counted, look, parameters, baselineHasTraffic)
	return { state: judged, verdict: decideVerdict(judged, situation) }
}

function countLook(state: GuardState, { sequence, stepStart, canaries, proxies }: Look): GuardState {
	return {
		...state,
		lastSequence: sequence,
		stepStartDue: state.stepStartDue || stepStart,
		fresh: proxies.fresh >= proxies.expected && proxies.silent.length === 0,
		silent: proxies.silent.slice(0, limits.guardNamedProxies),
		canaries: mapCanaries(state, (canary, key) => {
			const seen = canaries[key]
			if (seen === undefined) return canary
			return {
				...canary,
				final: addShownCounts(canary.final, seen.final),
				attempts: addShownCounts(canary.attempts, seen.attempts),
			}
		}),
	}
}

function addShownCounts(metric: MetricState, { canary, baseline }: MetricLook): MetricState {
	return { ...metric, canary: addCounts(metric.canary, canary), baseline: addCounts(metric.baseline, baseline) }
}

function addEvidence(
	state: GuardState,
	look: Look,
	{ alpha, phi, steps }: GuardParameters,
	baselineHasTraffic: boolean,
): GuardState {
	const looks = state.looks + 1
	const stepStart = state.stepStartDue && state.stepStarts < Math.max(1, steps)
	const wager = { alpha, phi, restart: restartWeight({ look: looks, stepStart, steps }) }
	const canaries = mapCanaries(state, (canary, key) => {
		const seen = look.canaries[key]
		const add = (metric: Metric) => {
			const { logFactors, proofs } = factorsOf(metric, seen, baselineHasTraffic)
			return addToProofs(addToEvidence(canary[metric], logFactors, wager), proofs)
		}
		const requests = seen?.final.canary.requests ?? 0
		return { final: add('final'), attempts: add('attempts'), stepRequests: canary.stepRequests + requests }
	})
	return {
		...state,
		looks,
		stepStarts: state.stepStarts + (stepStart ? 1 : 0),
		stepStartDue: false,
		stepRequests: Math.min(...Object.values(canaries).map((canary) => canary.stepRequests)),
		canaries,
	}
}

type Factors = { readonly logFactors: readonly number[]; readonly proofs: readonly (number | null)[] }

/** A canary that the look does not know, and attempts where there is nothing to compare with, change no evidence. */
function factorsOf(metric: Metric, seen: CanaryLook | undefined, baselineHasTraffic: boolean): Factors {
	if (seen === undefined) return noFactors
	if (baselineHasTraffic) return seen[metric]
	return metric === 'final' ? seen.absolute : noFactors
}

const noFactors: Factors = { logFactors: noEvidence.map(() => 0), proofs: noProofs }

function addToEvidence(metric: MetricState, logFactors: readonly number[], wager: Parameters<typeof addLook>[2]) {
	const logEvidence = addLook(metric.logEvidence.map(fromStored), logFactors, wager)
	return { ...metric, logEvidence: logEvidence.map(roundDown) }
}

function addToProofs(metric: MetricState, factors: readonly (number | null)[]): MetricState {
	if (metric.proven) return metric
	const proofs = addProofs(metric.logProofs.map(fromStored), factors)
	return isProven(proofs) ? { ...metric, proven: true, logProofs: [] } : { ...metric, logProofs: proofs.map(roundDown) }
}

/** Six digits are kept, rounded down, so that what is dropped is never evidence. */
function roundDown(log: number): number | null {
	return log === -Infinity ? null : Math.floor(log * 1e6) / 1e6
}

function mapCanaries(
	state: GuardState,
	change: (canary: CanaryState, key: CanaryKey) => CanaryState,
): GuardState['canaries'] {
	return Object.fromEntries(Object.entries(state.canaries).map(([key, canary]) => [key, change(canary, key)]))
}
