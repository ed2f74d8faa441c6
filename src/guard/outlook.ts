import { limits } from '#base/limits.ts'
import { absoluteErrorBets } from './absolute-test.ts'
import { payoff } from './bet.ts'
import { addLook, type Evidence, errorBets, logEvidence, noEvidence } from './error-test.ts'
import { expectedProofRequests } from './estimate.ts'
import { badWindows, hardLimitCeilingPpm, windowRequests } from './hard-limit.ts'
import type { GuardParameters } from './look.ts'
import { restartWeight } from './restart-weight.ts'
import { yardstickOf } from './yardstick.ts'

// What traffic of a given kind will let the guard see: how long each step of a ladder takes, and when a bad canary would
// be found on it. The guard's own tests are fed with the counts that are expected, in place of those that come: half of
// all rollouts are faster, half slower. It leaves out what is not known beforehand: ACKs, proxies, silence, and that
// traffic changes.

/** One step. Shares are of the route's traffic, 0 … 1; of several canaries the one with the least: 0 where none has one. */
export type ProspectStep = {
	readonly canaryShare: number
	readonly baselineShare: number
	readonly minDurationMs: number
	readonly minRequests: number
}

export type Prospect = {
	readonly steps: readonly ProspectStep[]
	readonly requestsPerSecond: number
	/** The share of requests that fail at the baseline. */
	readonly errorShare: number
	readonly warmUpMs: number
	readonly parameters: GuardParameters
}

export type StepOutlook = {
	/** Canary requests that must come after the warm-up; null: there is no proof to be had, however many come. */
	readonly canaryRequests: number | null
	/** How long the step lasts; null: for ever. */
	readonly durationMs: number | null
}

/**
 * Each step for a canary that fails `canaryErrorShare` of its requests. The proof is had at the first step with a share
 * and stays.
 * Where a step waits for it, the time is the median of simulated rollouts within a factor of 2, as a rule above it: half
 * of the canaries have fewer errors on their way than are expected.
 */
export function outlookOfSteps(prospect: Prospect, canaryErrorShare: number): StepOutlook[] {
	const first = prospect.steps.findIndex(({ canaryShare }) => canaryShare > 0)
	return prospect.steps.map((step, index) => {
		// How much is in front nobody knows: where that is all, the step is taken to last as long as it must.
		if (step.canaryShare === 0) return { canaryRequests: 0, durationMs: step.minDurationMs }
		const proof = index === first ? proofRequests(prospect, step, canaryErrorShare) : 1
		if (proof === null) return { canaryRequests: null, durationMs: null }
		const canaryRequests = Math.max(step.minRequests, proof)
		const perSecond = prospect.requestsPerSecond * step.canaryShare
		if (perSecond === 0) return { canaryRequests, durationMs: null }
		const looks = Math.ceil((canaryRequests * 1000) / perSecond / limits.lookIntervalMs)
		const evidenceMs = judgedFrom(prospect) + looks * limits.lookIntervalMs
		return { canaryRequests, durationMs: Math.max(step.minDurationMs, evidenceMs) }
	})
}

function proofRequests(prospect: Prospect, step: ProspectStep, canaryErrorShare: number): number | null {
	return expectedProofRequests({
		baselineErrorShare: prospect.errorShare,
		canaryErrorShare,
		canaryPerBaseline: step.baselineShare === 0 ? Infinity : step.canaryShare / step.baselineShare,
		absoluteLimitPpm: prospect.parameters.absoluteLimitPpm,
		drawn: prospect.parameters.drawn ?? 'requests',
	})
}

/** From when on the looks of a step count: a warm-up ends with a look of its own, one flush after its time. */
function judgedFrom({ warmUpMs }: Prospect): number {
	return warmUpMs === 0 ? 0 : warmUpMs + limits.flushIntervalMs
}

/** What becomes of a bad canary. Times are since the first step began; steps are indices. */
export type Fate =
	| { readonly kind: 'found'; readonly step: number; readonly afterMs: number }
	/** It stays at this step, neither found nor proven, as long as one looks ahead. */
	| { readonly kind: 'held'; readonly step: number }
	/** The rollout is done first. */
	| { readonly kind: 'letThrough' }

/**
 * What becomes of a canary that fails `canaryErrorShare` of its requests, within `horizonMs`. Where it is found in time
 * in most rollouts, `afterMs` is the median of simulated ones within a factor of 1.5.
 */
export function outlookOfFailure(
	prospect: Prospect,
	{ canaryErrorShare, horizonMs }: { readonly canaryErrorShare: number; readonly horizonMs: number },
): Fate {
	const { parameters } = prospect
	const needed = -Math.log(parameters.alpha)
	const outlook = outlookOfSteps(prospect, canaryErrorShare)
	let evidence: Evidence = noEvidence
	let looks = 0
	let beganMs = 0
	for (const [index, step] of prospect.steps.entries()) {
		const lastsMs = Math.min(outlook[index]?.durationMs ?? Infinity, horizonMs - beganMs)
		const hardMs = hardLimitMs(prospect, step, canaryErrorShare)
		const factors = expectedFactors(prospect, step, canaryErrorShare)
		for (let atMs = judgedFrom(prospect) + limits.lookIntervalMs; atMs <= lastsMs; atMs += limits.lookIntervalMs) {
			if (hardMs <= atMs) return { kind: 'found', step: index, afterMs: beganMs + hardMs }
			looks += 1
			const stepStart = atMs === judgedFrom(prospect) + limits.lookIntervalMs
			const restart = restartWeight({ look: looks, stepStart, steps: parameters.steps })
			evidence = addLook(evidence, factors, { ...parameters, restart })
			if (logEvidence([evidence]) >= needed) return { kind: 'found', step: index, afterMs: beganMs + atMs }
		}
		if (hardMs <= lastsMs) return { kind: 'found', step: index, afterMs: beganMs + hardMs }
		beganMs += lastsMs
		if (beganMs >= horizonMs) return { kind: 'held', step: index }
	}
	return { kind: 'letThrough' }
}

/** What one look is expected to add, by effect size, before φ and clip. */
function expectedFactors(prospect: Prospect, step: ProspectStep, canaryErrorShare: number): number[] {
	const { requestsPerSecond, errorShare, parameters } = prospect
	const requests = (requestsPerSecond * limits.lookIntervalMs) / 1000
	const canary = armOf(requests * step.canaryShare, canaryErrorShare)
	const baseline = armOf(requests * step.baselineShare, errorShare)
	const tolerance = { ratio: parameters.toleranceRatio, tolerance: parameters.tolerancePpm / 1_000_000 }
	const yardstick = yardstickOf(parameters, { baselineHasTraffic: step.baselineShare > 0 })
	const limit = parameters.absoluteLimitPpm / 1_000_000
	if (yardstick === 'users' && errorShare > limit) return noEvidence.map(() => 0)
	const bets =
		yardstick === 'baseline' ? errorBets(canary.requests, baseline.requests, tolerance) : absoluteErrorBets(limit)
	return bets.map((bet) => payoff(bet, { canary, baseline }))
}

function armOf(requests: number, errorShare: number) {
	return { requests, errors: requests * errorShare }
}

/** When the hard limit would act; Infinity when it would not. Flushes gather until they make a window. */
function hardLimitMs(prospect: Prospect, step: ProspectStep, canaryErrorShare: number): number {
	const { requestsPerSecond, errorShare, parameters } = prospect
	const perFlush = (requestsPerSecond * step.canaryShare * limits.flushIntervalMs) / 1000
	const isBad = canaryErrorShare * 1_000_000 >= parameters.hardLimitPpm
	const baselineIsWell =
		step.baselineShare === 0 || errorShare * 1_000_000 < hardLimitCeilingPpm(parameters.hardLimitPpm)
	if (!isBad || !baselineIsWell || perFlush === 0) return Infinity
	return badWindows * Math.max(1, Math.ceil(windowRequests / perFlush)) * limits.flushIntervalMs
}
