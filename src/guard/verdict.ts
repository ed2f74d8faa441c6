import { fromStored } from './bet.ts'
import { logEvidence } from './error-test.ts'
import { estimateMissingRequests } from './estimate.ts'
import { describeEvidence, formatAbout } from './evidence-text.ts'
import type {
	CanaryKey,
	CanaryLook,
	CanaryState,
	EvidenceNumbers,
	GuardParameters,
	GuardState,
	Look,
	Metric,
	Verdict,
} from './look.ts'

// What the guard's state allows, with its reasons in words. Evidence to go back comes first; then everything must be
// there for a step forward; what is missing is named, the nearest cause first.

export type Situation = {
	readonly look: Look
	readonly parameters: GuardParameters
	readonly baselineHasTraffic: boolean
}

export function decideVerdict(state: GuardState, situation: Situation): Verdict {
	const numbers = evidenceNumbers(state, situation.parameters)
	if (numbers.evidence >= numbers.needed) {
		return { kind: 'rollBack', reason: `${numbers.target}: ${describeEvidence(numbers)}`, numbers }
	}
	const missingRequests = countMissing(state, situation)
	const reason = holdReason(state, situation.look, missingRequests)
	return reason === null ? { kind: 'advance', numbers } : { kind: 'hold', reason, missingRequests, numbers }
}

/** Nothing is judged in the warm-up; the hard limit, which is not here, still is. */
export function warmUpVerdict(state: GuardState, situation: Situation): Verdict {
	return hold('warming up after a change of shares', state, situation)
}

/** A look that was judged before is no fresh evidence, and none to go back on: that was answered when it was new. */
export function repeatedVerdict(state: GuardState, situation: Situation): Verdict {
	return hold(`look ${situation.look.sequence} was judged before`, state, situation)
}

function hold(reason: string, state: GuardState, situation: Situation): Verdict {
	const numbers = evidenceNumbers(state, situation.parameters)
	return { kind: 'hold', reason, missingRequests: countMissing(state, situation), numbers }
}

function holdReason(state: GuardState, look: Look, missingRequests: number): string | null {
	if (!state.fresh) return describeSilence(state, look)
	const idle = Object.keys(state.canaries).filter((key) => (look.canaries[key]?.final.canary.requests ?? 0) === 0)
	const missing = `about ${formatAbout(missingRequests)} more canary requests needed`
	if (idle.length > 0) {
		const nothing = `no request reached ${idle.join(', ')} in the last look`
		return missingRequests > 0 ? `${nothing}; ${missing}` : nothing
	}
	return missingRequests > 0 ? missing : null
}

function describeSilence({ silent }: GuardState, { proxies }: Look): string {
	const count = proxies.expected - proxies.fresh
	const others = count > silent.length ? ', …' : ''
	return `no counters from ${count} of ${proxies.expected} proxies: ${silent.join(', ')}${others}`
}

/** All tests together hold one α: their evidence is the mean. Shown are the counts of the one that has most. */
function evidenceNumbers(state: GuardState, { alpha, phi }: GuardParameters): EvidenceNumbers {
	const tests = testsOf(state).map((test) => ({ ...test, logs: test.state.logEvidence.map(fromStored) }))
	const strength = (logs: readonly number[]) => logEvidence([logs])
	const worst = tests.reduce((best, test) => (strength(test.logs) > strength(best.logs) ? test : best))
	return {
		target: worst.target,
		metric: worst.metric,
		canary: worst.state.canary,
		baseline: worst.state.baseline,
		evidence: Math.exp(logEvidence(tests.map((test) => test.logs))),
		needed: 1 / alpha,
		phi,
	}
}

type Test = { readonly target: CanaryKey; readonly metric: Metric; readonly state: CanaryState[Metric] }

function testsOf({ canaries }: GuardState): Test[] {
	return Object.entries(canaries).flatMap(([target, { final, attempts }]) => [
		{ target, metric: 'final' as const, state: final },
		{ target, metric: 'attempts' as const, state: attempts },
	])
}

/** Canary requests until the slowest proof; 0 when all are there. */
function countMissing(state: GuardState, situation: Situation): number {
	const needed = testsOf(state).filter((test) => situation.baselineHasTraffic || test.metric === 'final')
	return Math.max(0, ...needed.map((test) => missingForTest(test, situation)))
}

function missingForTest({ target, metric, state }: Test, { look, parameters, baselineHasTraffic }: Situation): number {
	if (state.proven) return 0
	const baselineErrorShare = state.baseline.requests === 0 ? 0 : state.baseline.errors / state.baseline.requests
	const canaryPerBaseline = baselineHasTraffic ? ratioOf(look.canaries[target]?.[metric] ?? state) : Infinity
	const { absoluteLimitPpm } = parameters
	const outlook = { baselineErrorShare, canaryPerBaseline, absoluteLimitPpm }
	return Math.max(1, estimateMissingRequests(state.logProofs, outlook))
}

/** Where one arm had no request, the arms are taken as equal: it is an estimate. */
function ratioOf({ canary, baseline }: Pick<CanaryLook[Metric], 'canary' | 'baseline'>): number {
	return canary.requests === 0 || baseline.requests === 0 ? 1 : canary.requests / baseline.requests
}
