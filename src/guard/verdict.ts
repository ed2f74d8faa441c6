import { armsOfFour } from './arms.ts'
import { logMeanExp } from './bet.ts'
import { logEvidence } from './error-test.ts'
import { estimateMissingRequests } from './estimate.ts'
import {
	describeBlamed,
	describeEvidence,
	describeIncident,
	describeShare,
	formatAbout,
	formatWait,
} from './evidence-text.ts'
import { timesForEdges } from './latency.ts'
import { neededWithoutWorst } from './leave-one-out.ts'
import type {
	ArmCounts,
	CanaryLook,
	EvidenceNumbers,
	GuardParameters,
	GuardState,
	Look,
	Metric,
	ShareFinding,
	Verdict,
} from './look.ts'
import { isProvenTest, proofWaitMs, type Test, testsOf } from './measures.ts'
import { unpackLogs } from './packed-logs.ts'
import { yardstickOf } from './yardstick.ts'

// What the guard's state allows, with its reasons in words. Evidence to go back comes first; then everything must be
// there for a step forward; what is missing is named, the nearest cause first.

export type Situation = {
	readonly look: Look
	readonly parameters: GuardParameters
	readonly baselineHasTraffic: boolean
}

export function decideVerdict(state: GuardState, situation: Situation): Verdict {
	const numbers = evidenceNumbers(state, situation)
	const blamed = state.canaries[numbers.target]?.blamed ?? null
	const left = evidenceWithoutWorst(state, situation)
	if (isAlarm(numbers) && (blamed === null || left >= neededWithoutWorst)) {
		return { kind: 'rollBack', reason: `${numbers.target}: ${describeEvidence(numbers)}`, numbers }
	}
	const missingRequests = countMissing(state, situation)
	if (blamed !== null && (isAlarm(numbers) || state.endpointHold > 0)) {
		const reason = `${numbers.target}: ${describeEvidence(numbers)}, ${describeBlamed(blamed, left)}`
		return { kind: 'hold', code: 'BAD_ENDPOINT', blamed, reason, missingRequests, numbers }
	}
	if (state.incident.kind === 'shared') {
		const shown = armsOfFour(state.incident.shown)
		const what = { code: 'SHARED_INCIDENT', incident: shown } as const
		return { kind: 'hold', ...what, reason: describeIncident(shown), missingRequests, numbers }
	}
	const share = findShare(state, situation)
	if (share !== null) {
		const what = { code: 'WEIGHTS_NOT_APPLIED', share } as const
		return { kind: 'hold', ...what, reason: describeShare(share), missingRequests, numbers }
	}
	const untimed = state.fresh ? describeUntimed(state, situation) : null
	if (untimed !== null) return { kind: 'hold', code: 'NO_EVIDENCE', reason: untimed, missingRequests, numbers }
	const reason = holdReason(state, situation, missingRequests)
	return reason === null
		? { kind: 'advance', numbers }
		: { kind: 'hold', code: 'MORE_REQUESTS', reason, missingRequests, numbers }
}

/** The first canary whose requests do not lie as the weights say. */
function findShare(state: GuardState, { look, parameters }: Situation): ShareFinding | null {
	for (const [target, { share }] of Object.entries(state.canaries)) {
		const expected = look.canaries[target]?.share?.expected
		if (expected === undefined || logMeanExp(unpackLogs(share.evidence)) < -Math.log(parameters.alpha)) continue
		const [canary, baseline] = share.counts
		return { target, expected, canary, baseline }
	}
	return null
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
	const numbers = evidenceNumbers(state, situation)
	return { kind: 'hold', code: 'MORE_REQUESTS', reason, missingRequests: countMissing(state, situation), numbers }
}

function holdReason(state: GuardState, situation: Situation, missingRequests: number): string | null {
	const { look } = situation
	if (!state.fresh) return describeSilence(state, look)
	const idle = Object.keys(state.canaries).filter((key) => (look.canaries[key]?.final.canary.requests ?? 0) === 0)
	const missing = describeMissing(state, missingRequests)
	if (idle.length > 0) {
		const nothing = `no request reached ${idle.join(', ')} in the last look`
		return missingRequests > 0 ? `${nothing}; ${missing}` : nothing
	}
	return describeUnknownEdges(state, situation) ?? (missingRequests > 0 ? missing : null)
}

/** More than anybody will ever send: what has failed so far weighs more than requests that do not. */
const beyondReach = 1_000_000_000

function describeMissing(state: GuardState, missingRequests: number): string {
	if (missingRequests > beyondReach) return 'after these failures no number of canary requests would be proof enough'
	return `about ${formatAbout(missingRequests)} more canary requests needed${describeWait(state, missingRequests)}`
}

/** How long that takes at the rate of the last looks; nothing where there is none. */
function describeWait(state: GuardState, missingRequests: number): string {
	const waitMs = proofWaitMs(state, missingRequests)
	return waitMs === null ? '' : `, ${formatWait(waitMs)} at the present rate`
}

/** Of requests that came it was not told how long they took. More of them would not help. */
function describeUntimed(state: GuardState, situation: Situation): string | null {
	const { look } = situation
	if (!judgesTimes(situation)) return null
	if (state.edgesMs.length === 0) {
		const untimed = Object.values(state.canaries).some(({ final }) => {
			return armsOfFour(final.counts).baseline.requests >= timesForEdges + timedSoFar(look)
		})
		return untimed ? describeTimed(look) : null
	}
	const untimed = Object.entries(look.canaries).find(([, { latency }]) =>
		latency.some(({ canary, incomplete }) => canary.requests === 0 && incomplete > 0),
	)
	return untimed === undefined ? null : `request times of ${untimed[0]} are incomplete`
}

function describeUnknownEdges({ edgesMs }: GuardState, situation: Situation): string | null {
	return judgesTimes(situation) && edgesMs.length === 0 ? describeTimed(situation.look) : null
}

function describeTimed(look: Look): string {
	return `how long the baseline's requests take is not known yet: ${timedSoFar(look)} of ${timesForEdges} were timed`
}

const timedSoFar = ({ baselineTimes }: Look) => baselineTimes?.samples ?? 0

function judgesTimes({ parameters, baselineHasTraffic }: Situation): boolean {
	return (parameters.latency ?? null) !== null && baselineHasTraffic
}

function describeSilence({ silent }: GuardState, { proxies }: Look): string {
	const count = proxies.expected - proxies.fresh
	const others = count > silent.length ? ', …' : ''
	return `no counters from ${count} of ${proxies.expected} proxies: ${silent.join(', ')}${others}`
}

/** All tests together hold one α: their evidence is the mean. Shown are the counts of the one that has most. */
function evidenceNumbers(state: GuardState, { look, parameters }: Situation): EvidenceNumbers {
	const { alpha, phi, absoluteLimitPpm, drawn } = parameters
	const tests = testsThatTakeBack(state, parameters).map((test) => ({ ...test, logs: unpackLogs(test.state.evidence) }))
	const strength = (logs: readonly number[]) => logEvidence([logs])
	const worst = tests.reduce((best, test) => (strength(test.logs) > strength(best.logs) ? test : best))
	return {
		target: worst.target,
		metric: worst.metric,
		edgeMs: worst.edgeMs,
		...armsOfFour(worst.state.counts),
		...(drawn === 'users' ? { limitPpm: absoluteLimitPpm } : {}),
		evidence: Math.exp(logEvidence(tests.map((test) => test.logs))),
		needed: 1 / alpha,
		phi,
		endpoints: look.canaries[worst.target]?.withoutWorst?.worst.endpoints ?? 0,
	}
}

export function isAlarm({ evidence, needed }: EvidenceNumbers): boolean {
	return evidence >= needed
}

/** Where users are drawn, what is compared takes nothing back: its stakes are no part of the mean. */
function testsThatTakeBack(state: GuardState, { drawn }: GuardParameters): Test[] {
	return testsOf(state).filter(({ metric }) => drawn !== 'users' || metric === 'final')
}

/** That of all tests together, had there not been the worst endpoint in any look. */
function evidenceWithoutWorst(state: GuardState, { parameters }: Situation): number {
	const tests = testsThatTakeBack(state, parameters)
	const logs = tests.map(({ state: test }) => unpackLogs(test.without === '' ? test.evidence : test.without))
	return Math.exp(logEvidence(logs))
}

/** Canary requests until the slowest proof; 0 when all are there. */
function countMissing(state: GuardState, situation: Situation): number {
	const needed = testsOf(state).filter((test) => situation.baselineHasTraffic || test.metric === 'final')
	return Math.max(0, ...needed.map((test) => missingForTest(test, situation)))
}

function missingForTest(
	{ target, metric, edgeMs, state }: Test,
	{ look, parameters, baselineHasTraffic }: Situation,
): number {
	if (isProvenTest(state)) return 0
	const { baseline } = armsOfFour(state.counts)
	const baselineErrorShare = baseline.requests === 0 ? 0 : baseline.errors / baseline.requests
	const yardstick = yardstickOf(parameters, { baselineHasTraffic })
	const isCompared = yardstick === 'baseline' || (yardstick === 'users' && metric !== 'final')
	const canaryPerBaseline = isCompared
		? ratioOf(lookAt(look.canaries[target], metric, edgeMs) ?? armsOfFour(state.counts))
		: Infinity
	const { absoluteLimitPpm } = parameters
	const outlook = { baselineErrorShare, canaryPerBaseline, absoluteLimitPpm }
	return Math.max(1, estimateMissingRequests(unpackLogs(state.proofs), outlook))
}

function lookAt(canary: CanaryLook | undefined, metric: Metric, edgeMs: number | null): ArmCounts | undefined {
	return metric === 'latency' ? canary?.latency.find((at) => at.edgeMs === edgeMs) : canary?.[metric]
}

/** Where one arm had no request, the arms are taken as equal: it is an estimate. */
function ratioOf({ canary, baseline }: ArmCounts): number {
	return canary.requests === 0 || baseline.requests === 0 ? 1 : canary.requests / baseline.requests
}
