import type { ArmIncrement, GuardParameters, Sample } from '#guard/look.ts'

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
	rest: Partial<Pick<Sample, 'proxy' | 'zone' | 'shares' | 'lane' | 'unrouted'>> = {},
): Sample {
	const { canary = increment(0), baseline = increment(0) } = arms
	return { proxy: 'a', zone: 'z', shares: 's', unrouted: 0, ...rest, canaries: { [canaryKey]: canary }, baseline }
}
