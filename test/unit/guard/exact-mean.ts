import { type Bet, payoff } from '#guard/bet.ts'

// The mean of what a bet wins, by summing over every outcome of both arms: no simulation, no approximation.

export type Arm = { readonly requests: number; readonly errorShare: number }

export function meanWinnings(bet: Bet, canary: Arm, baseline: Arm): number {
	let mean = 0
	const ofCanary = logChances(canary)
	const ofBaseline = logChances(baseline)
	for (const [canaryErrors, canaryChance] of ofCanary.entries()) {
		for (const [baselineErrors, baselineChance] of ofBaseline.entries()) {
			const won = payoff(bet, {
				canary: { requests: canary.requests, errors: canaryErrors },
				baseline: { requests: baseline.requests, errors: baselineErrors },
			})
			mean += Math.exp(canaryChance + baselineChance + won)
		}
	}
	return mean
}

/** ln of the chance of 0, 1, 2, … errors. */
function logChances({ requests, errorShare }: Arm): number[] {
	let logChoices = 0
	return Array.from({ length: requests + 1 }, (_, errors) => {
		if (errors > 0) logChoices += Math.log((requests - errors + 1) / errors)
		if (errorShare === 0) return errors === 0 ? 0 : -Infinity
		if (errorShare === 1) return errors === requests ? 0 : -Infinity
		return logChoices + errors * Math.log(errorShare) + (requests - errors) * Math.log1p(-errorShare)
	})
}

/** Rounding of the sum. */
export const fair = 1 + 1e-9
