import { assert } from '#base/assert.ts'
import { limits } from '#base/limits.ts'
import { addArms, armsOfFour, fourOfArms, noFour } from './arms.ts'
import { addLook, noEvidence } from './error-test.ts'
import { type Factors, factorsOfLook } from './factors.ts'
import { chooseEdges, latencyPhi, timesForEdges } from './latency.ts'
import { blameAfter, quietLooks } from './leave-one-out.ts'
import type {
	CanaryKey,
	CanaryLook,
	CanaryState,
	GuardParameters,
	GuardState,
	LatencyLook,
	Look,
	MetricLook,
	MetricState,
	ShareLook,
	ShareState,
	Verdict,
} from './look.ts'
import { isProvenTest } from './measures.ts'
import { addProofs, isProven, noProofs } from './non-inferiority.ts'
import { type PackedLogs, packLogs, unpackLogs } from './packed-logs.ts'
import { restartWeight } from './restart-weight.ts'
import { noShareEvidence } from './share-test.ts'
import { type IncidentLimits, noIncident, watchIncident } from './shared-incident.ts'
import { decideVerdict, isAlarm, repeatedVerdict, warmUpVerdict } from './verdict.ts'
import { yardstickOf } from './yardstick.ts'

// The sequential tests of one rollout: state and look in, state and verdict out. The hard limit is not here: it acts on
// each flush, in fold.ts.

/** The guard before its first look. The state takes about 0.25 KB for each canary and measure. */
export function startGuard(options: {
	readonly canaries: readonly CanaryKey[]
	readonly parameters: GuardParameters
}): GuardState {
	assert(options.canaries.length > 0, 'a rollout has a canary')
	const edgeMs = options.parameters.latency?.edgeMs ?? null
	const edgesMs = edgeMs === null ? [] : [edgeMs]
	return {
		looks: 0,
		lastSequence: 0,
		stepStarts: 0,
		stepStartDue: true,
		stepRequests: 0,
		requestsPerLook: 0,
		beside: [0, 0],
		fresh: false,
		silent: [],
		incident: noIncident,
		endpointHold: 0,
		edgesMs,
		canaries: Object.fromEntries(options.canaries.toSorted().map((key) => [key, newCanary(edgesMs)])),
	}
}

const newMetric: MetricState = {
	evidence: packLogs(noEvidence),
	without: '',
	proofs: packLogs(noProofs),
	counts: noFour,
}

function newCanary(edgesMs: readonly number[]): CanaryState {
	const latency = edgesMs.map(() => newMetric)
	return { final: newMetric, attempts: newMetric, latency, share: newShare, blamed: null, stepRequests: 0 }
}

const newShare: ShareState = { evidence: packLogs(noShareEvidence), counts: [0, 0] }

/** The shares changed: requests are counted anew, and how they lie; evidence and proofs stay. */
export function startStep(state: GuardState): GuardState {
	const canaries = mapCanaries(state, (canary) => ({ ...canary, share: newShare, stepRequests: 0 }))
	return { ...state, canaries, stepRequests: 0, requestsPerLook: 0, stepStartDue: true }
}

/**
 * Takes in one look. Looks of the warm-up add to the shown counts alone; a sequence that is not above the last one adds
 * nothing. `baselineHasTraffic` follows from the shares in force: where they leave the baseline none, the canary's final
 * failures are judged by the absolute limit, and only their proof is asked for. Where users are drawn, see `Yardstick`.
 */
export function judge(
	state: GuardState,
	look: Look,
	parameters: GuardParameters,
	{ baselineHasTraffic }: { readonly baselineHasTraffic: boolean },
): { readonly state: GuardState; readonly verdict: Verdict } {
	const situation = { look, parameters, baselineHasTraffic }
	if (look.sequence <= state.lastSequence) return { state, verdict: repeatedVerdict(state, situation) }
	const seen = countLook(state, look, { absoluteLimitPpm: parameters.absoluteLimitPpm, baselineHasTraffic })
	const counted = withEdges(seen, look)
	if (look.warmingUp) return { state: counted, verdict: warmUpVerdict(counted, situation) }
	const judged = addEvidence(counted, look, parameters, baselineHasTraffic)
	const verdict = decideVerdict(judged, situation)
	const isBlamed = verdict.kind === 'hold' && verdict.code === 'BAD_ENDPOINT' && isAlarm(verdict.numbers)
	return { state: isBlamed ? setAside(judged) : judged, verdict }
}

function countLook(state: GuardState, look: Look, limitsOfIncident: IncidentLimits): GuardState {
	const { sequence, stepStart, canaries, proxies, beside } = look
	return {
		...state,
		lastSequence: sequence,
		stepStartDue: state.stepStartDue || stepStart,
		beside: [state.beside[0] + beside.requests, state.beside[1] + beside.errors],
		fresh: proxies.fresh >= proxies.expected && proxies.silent.length === 0,
		silent: proxies.silent.slice(0, limits.guardNamedProxies),
		incident: watchIncident(state.incident, Object.values(canaries), limitsOfIncident),
		canaries: mapCanaries(state, (canary, key) => {
			const seen = canaries[key]
			if (seen === undefined) return canary
			return {
				...canary,
				final: addShownCounts(canary.final, seen.final),
				attempts: addShownCounts(canary.attempts, seen.attempts),
				latency: mapEdges(state, canary, seen, (metric, at) => (at === null ? metric : addShownCounts(metric, at))),
			}
		}),
	}
}

/**
 * Edges are chosen once, by what the baseline did before the first look that is judged at them: a choice that does not
 * know what it will be used on keeps the test fair.
 */
function withEdges(state: GuardState, { baselineTimes }: Look): GuardState {
	if (state.edgesMs.length > 0 || baselineTimes === null || baselineTimes.samples < timesForEdges) return state
	const edgesMs = chooseEdges(baselineTimes)
	const latency = edgesMs.map(() => newMetric)
	return { ...state, edgesMs, canaries: mapCanaries(state, (canary) => ({ ...canary, latency })) }
}

/**
 * What one endpoint has done is no evidence against the version, now and later: were it kept, the steps would wait for
 * ever on an endpoint that was long mended. They wait until it has been quiet for a while.
 */
function setAside(state: GuardState): GuardState {
	const set = (metric: MetricState): MetricState => {
		return { ...metric, evidence: metric.without === '' ? metric.evidence : metric.without, without: '' }
	}
	const canaries = mapCanaries(state, ({ final, attempts, latency, ...rest }) => {
		return { ...rest, final: set(final), attempts: set(attempts), latency: latency.map(set) }
	})
	return { ...state, canaries, endpointHold: quietLooks }
}

function addShownCounts(metric: MetricState, { canary, baseline }: MetricLook): MetricState {
	return { ...metric, counts: fourOfArms(addArms(armsOfFour(metric.counts), { canary, baseline })) }
}

function addEvidence(
	state: GuardState,
	look: Look,
	parameters: GuardParameters,
	baselineHasTraffic: boolean,
): GuardState {
	const { alpha, phi, steps } = parameters
	const looks = state.looks + 1
	const stepStart = state.stepStartDue && state.stepStarts < Math.max(1, steps)
	const wager = { alpha, phi, restart: restartWeight({ look: looks, stepStart, steps }) }
	const yardstick = yardstickOf(parameters, { baselineHasTraffic })
	const add = (metric: MetricState, factors: Factors) =>
		addToProofs(addToEvidence(metric, factors, wager), factors.proofs)
	const addSlow = (metric: MetricState, factors: Factors) =>
		addToProofs(addToEvidence(metric, factors, { ...wager, phi: latencyPhi(phi) }), factors.proofs)
	const canaries = mapCanaries(state, (canary, key) => {
		const seen = look.canaries[key]
		const { final, attempts, slow } = factorsOfLook(seen, yardstick, parameters)
		const requests = seen?.final.canary.requests ?? 0
		return {
			final: add(canary.final, final),
			attempts: add(canary.attempts, attempts),
			latency: mapEdges(state, canary, seen, (metric, at) => addSlow(metric, slow(at))),
			share: addToShare(canary.share, seen?.share ?? null, wager),
			blamed: blameAfter(canary.blamed, seen?.withoutWorst?.worst ?? null),
			stepRequests: canary.stepRequests + requests,
		}
	})
	const stepRequests = Math.min(...Object.values(canaries).map((canary) => canary.stepRequests))
	return {
		...state,
		looks,
		stepStarts: state.stepStarts + (stepStart ? 1 : 0),
		stepStartDue: false,
		endpointHold: Math.max(0, state.endpointHold - 1),
		stepRequests,
		requestsPerLook: averageAfter(state, stepRequests - state.stepRequests),
		canaries,
	}
}

/** Each look counts a fifth of what is left; the first of a step in full. */
function averageAfter({ stepRequests, requestsPerLook }: GuardState, requests: number): number {
	const next = stepRequests === 0 ? requests : requestsPerLook + (requests - requestsPerLook) / 5
	return Math.round(next * 10) / 10
}

type Wager = Parameters<typeof addLook>[2]

/** Looks that tell no endpoints apart count in full on both sides. */
function addToEvidence(metric: MetricState, { logFactors, without }: Factors, wager: Wager): MetricState {
	const add = (logs: PackedLogs, factors: readonly number[]) => packLogs(addLook(unpackLogs(logs), factors, wager))
	const both = metric.without !== '' || without !== null
	const before = metric.without === '' ? metric.evidence : metric.without
	return {
		...metric,
		evidence: add(metric.evidence, logFactors),
		without: both ? add(before, without ?? logFactors) : '',
	}
}

/** The wager's stakes sum to 1 over the rollout, so the chance to hold a step for nothing is at most α too. */
function addToShare(state: ShareState, seen: ShareLook | null, wager: Wager): ShareState {
	if (seen === null) return state
	const exact = { ...wager, phi: { value: 1, source: 'default' } as const }
	return {
		evidence: packLogs(addLook(unpackLogs(state.evidence), seen.logFactors, exact)),
		counts: [state.counts[0] + seen.canary, state.counts[1] + seen.baseline],
	}
}

function addToProofs(metric: MetricState, factors: readonly (number | null)[]): MetricState {
	if (isProvenTest(metric)) return metric
	const proofs = addProofs(unpackLogs(metric.proofs), factors)
	return { ...metric, proofs: packLogs(isProven(proofs) ? [] : proofs) }
}

/** Each edge with what the look says at it, if anything. */
function mapEdges(
	{ edgesMs }: GuardState,
	{ latency }: CanaryState,
	seen: CanaryLook | undefined,
	change: (metric: MetricState, at: LatencyLook | null) => MetricState,
): MetricState[] {
	return latency.map((metric, index) => {
		const at = seen?.latency.find(({ edgeMs }) => edgeMs === edgesMs[index])
		return change(metric, at ?? null)
	})
}

function mapCanaries(
	state: GuardState,
	change: (canary: CanaryState, key: CanaryKey) => CanaryState,
): GuardState['canaries'] {
	return Object.fromEntries(Object.entries(state.canaries).map(([key, canary]) => [key, change(canary, key)]))
}
