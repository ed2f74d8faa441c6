import { type Random, seededRandom } from '#base/random.ts'
import { closeLook, createFold, foldSample } from '#guard/fold.ts'
import { judge, startGuard, startStep } from '#guard/judge.ts'
import type { ArmIncrement, GuardParameters, Sample, Verdict } from '#guard/look.ts'

export const parameters: GuardParameters = {
	alpha: 0.01,
	toleranceRatio: 1.25,
	tolerancePpm: 500,
	absoluteLimitPpm: 50_000,
	hardLimitPpm: 500_000,
	phi: { value: 3, source: 'default' },
	steps: 5,
}

export const canaryKey = 'mesh/apps/virtualNode/serviceBv2:80'

export function increment(completed: number, errors = 0, rest: Partial<ArmIncrement> = {}): ArmIncrement {
	return { completed, errors, retries: 0, started: completed, active: 0, ...rest }
}

/** A flush of proxy `a`, zone `z`, shares `s`. */
export function sample(
	arms: { canary?: ArmIncrement; baseline?: ArmIncrement },
	rest: Partial<Pick<Sample, 'proxy' | 'zone' | 'shares' | 'unrouted'>> = {},
): Sample {
	const { canary = increment(0), baseline = increment(0) } = arms
	return { proxy: 'a', zone: 'z', shares: 's', unrouted: 0, ...rest, canaries: { [canaryKey]: canary }, baseline }
}

/** How many of `trials` happen, each with `chance`: exact, by the gaps between them, so few draws for a small chance. */
export function binomial(random: Random, trials: number, chance: number): number {
	if (chance <= 0) return 0
	if (chance >= 1) return trials
	let hits = 0
	let at = 0
	for (;;) {
		at += 1 + Math.floor(Math.log(1 - random()) / Math.log(1 - chance))
		if (at > trials) return hits
		hits += 1
	}
}

export type Traffic = {
	readonly seed: number
	readonly requestsPerSecond: number
	readonly baselineErrors: number
	readonly canaryErrors: number
	/** Part of all traffic that each proxy has. */
	readonly proxies: readonly number[]
	readonly parameters: GuardParameters
}

/** Five steps of twelve looks of 5 s, as in the tables of the guard's measurements. */
const stepShares = [0.05, 0.1, 0.25, 0.5, 0.75]
const looksOfStep = 12

export type Outcome = {
	readonly rolledBackAt: number | null
	readonly advancedAt: number | null
	readonly last: Verdict
}

/** Whether and at which look the guard takes a rollout back, and at which it first allows a step. */
export function simulateRollout(traffic: Traffic): Outcome {
	const random = seededRandom(traffic.seed)
	const fold = createFold({ canaries: [canaryKey], hardLimitPpm: traffic.parameters.hardLimitPpm })
	const expected = traffic.proxies.map((_, index) => `proxy-${index}`)
	let state = startGuard({ canaries: [canaryKey], parameters: traffic.parameters })
	let advancedAt: number | null = null
	let verdict: Verdict | null = null
	for (let look = 1; look <= stepShares.length * looksOfStep; look += 1) {
		const share = stepShares[Math.floor((look - 1) / looksOfStep)] ?? 0
		const stepStart = (look - 1) % looksOfStep === 0
		if (stepStart && look > 1) state = startStep(state)
		traffic.proxies.forEach((part, index) => {
			const requests = Math.round(traffic.requestsPerSecond * 5 * part)
			const toCanary = binomial(random, requests, share)
			const canary = increment(toCanary, binomial(random, toCanary, traffic.canaryErrors))
			const toBaseline = requests - toCanary
			const baseline = increment(toBaseline, binomial(random, toBaseline, traffic.baselineErrors))
			foldSample(fold, sample({ canary, baseline }, { proxy: `proxy-${index}` }))
		})
		const closing = { sequence: look, stepStart, warmingUp: false, expected, silent: [] }
		const closed = closeLook(fold, { ...closing, parameters: traffic.parameters })
		;({ state, verdict } = judge(state, closed, traffic.parameters, { baselineHasTraffic: true }))
		if (verdict.kind === 'advance') advancedAt ??= look
		if (verdict.kind === 'rollBack') return { rolledBackAt: look, advancedAt, last: verdict }
	}
	if (verdict === null) throw new Error('a rollout has looks')
	return { rolledBackAt: null, advancedAt, last: verdict }
}
