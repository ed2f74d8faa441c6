import { logEvidence } from '#guard/error-test.ts'
import { closeLook, createFold, foldEndpoint, foldSample } from '#guard/fold.ts'
import { judge, startGuard, startStep } from '#guard/judge.ts'
import type { ArmIncrement, Counts, GuardParameters, GuardState, Sample, Verdict } from '#guard/look.ts'
import { unpackLogs } from '#guard/packed-logs.ts'
import type { Ladder } from './ladder.ts'
import type { Decision, Rule } from './rule.ts'
import type { PlaceFlush } from './traffic.ts'

// The guard itself as a rule: the functions that the daemon calls, in the order in which it calls them.

export type GuardSetting = {
	readonly parameters: GuardParameters
	readonly ladder: Ladder
	readonly warmUpSeconds: number
	/** `clock`: as in the tables. `proof`: as a rollout does, which has its minimum duration and the guard's leave. */
	readonly advance: 'clock' | 'proof'
	/**
	 * `whole`: with the hard limit, as in a daemon. `errorTest`: the error test of final failures alone. Both are done when
	 * the ladder is. `proof`: nothing goes back, and it is done when a step may be taken.
	 */
	readonly watches: 'whole' | 'errorTest' | 'proof'
}

/** As a policy has them when nothing is said, but for φ: traffic that is made of independent requests has 1. */
export const defaultParameters: GuardParameters = {
	alpha: 0.01,
	toleranceRatio: 1.25,
	tolerancePpm: 500,
	absoluteLimitPpm: 50_000,
	hardLimitPpm: 500_000,
	phi: { value: 1, source: 'endpoints' },
	steps: 5,
}

/** Whatever is worse at all is bad. */
export const strictParameters: GuardParameters = { ...defaultParameters, toleranceRatio: 1, tolerancePpm: 0 }

/** Where no measurement of φ is at hand. */
export const shippedParameters: GuardParameters = { ...defaultParameters, phi: { value: 3, source: 'default' } }

const lookSeconds = 5
const flushSeconds = 1
const canaryKey = 'mesh/apps/virtualNode/serviceBv2:80'

export function guardRule({ parameters, ladder, warmUpSeconds, advance, watches }: GuardSetting): Rule {
	return { start: () => startRule() }

	function startRule(): ReturnType<Rule['start']> {
		const fold = createFold({ canaries: [canaryKey], hardLimitPpm: parameters.hardLimitPpm })
		let state = startGuard({ canaries: [canaryKey], parameters })
		let passed = 0
		let step = 0
		let stepBegan = 0
		let lookBegan = 0
		let sequence = 0
		let mayAdvance = false
		let expected: readonly string[] = []

		/** As the daemon times them: a warm-up ends with a look of its own, one flush after its time. */
		function lookIsDue(): boolean {
			return passed - lookBegan >= lookSeconds || (lookBegan < warmAt() && passed >= warmAt())
		}

		function warmAt(): number {
			return stepBegan + (warmUpSeconds === 0 ? 0 : warmUpSeconds + flushSeconds)
		}

		function nextStep(): number {
			if (watches === 'proof' || passed - stepBegan < ladder.stepSeconds) return step
			return advance === 'clock' || mayAdvance ? step + 1 : step
		}

		function look(): Verdict {
			sequence += 1
			const stepStart = lookBegan === stepBegan
			const warmingUp = lookBegan < warmAt()
			const closing = { sequence, stepStart, warmingUp, expected, silent: [], parameters }
			const judged = judge(state, closeLook(fold, closing), parameters, { baselineHasTraffic: true })
			state = judged.state
			lookBegan = passed
			mayAdvance = judged.verdict.kind === 'advance'
			return judged.verdict
		}

		function decide(verdict: Verdict): Decision {
			switch (watches) {
				case 'whole':
					return verdict.kind === 'rollBack' ? 'back' : 'goOn'
				case 'errorTest':
					return errorTestFound(state, parameters) ? 'back' : 'goOn'
				case 'proof':
					return verdict.kind === 'advance' ? 'done' : 'goOn'
			}
		}

		return {
			share: () => ladder.shares[step] ?? 0,
			take(flushes, seconds) {
				if (passed === 0) expected = flushes.map(({ place }) => place.proxy)
				passed += seconds
				for (const flush of flushes) {
					for (const [index, counts] of flush.endpoints.entries())
						foldEndpoint(fold, { endpoint: `endpoint-${index}`, canary: canaryKey, ...counts })
					const alarm = foldSample(fold, sampleOf(flush, step))
					if (alarm !== null && watches === 'whole') return 'back'
				}
				const decision = lookIsDue() ? decide(look()) : 'goOn'
				if (decision !== 'goOn') return decision
				const next = nextStep()
				if (next === step) return 'goOn'
				if (next === ladder.shares.length) return 'done'
				step = next
				stepBegan = passed
				lookBegan = passed
				mayAdvance = false
				state = startStep(state)
				return 'goOn'
			},
		}
	}
}

function errorTestFound(state: GuardState, { alpha }: GuardParameters): boolean {
	const logs = unpackLogs(state.canaries[canaryKey]?.final.evidence ?? '')
	return logEvidence([logs]) >= -Math.log(alpha)
}

function sampleOf({ place, canary, baseline }: PlaceFlush, step: number): Sample {
	return {
		proxy: place.proxy,
		zone: place.zone,
		shares: place.shares === 'inForce' ? `step ${step}` : 'none',
		canaries: { [canaryKey]: increment(canary) },
		baseline: increment(baseline),
		unrouted: 0,
	}
}

function increment({ requests, errors }: Counts): ArmIncrement {
	return { completed: requests, errors, retries: 0, started: requests, active: 0 }
}
