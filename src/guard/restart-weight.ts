// With which stake the error test begins anew at each look, so that a version that was good for an hour and then turns
// bad need not pay back its good hour first. All stakes of a rollout together are at most 1, however long it runs: a
// quarter on step starts, a quarter on the first hour of looks, a half on a tail that never ends.

const uniformLooks = 720

/**
 * At least Σ 1/(j ln²(j+1)) over all j ≥ 1, which is 3.38774: the terms beyond N sum to at most (1 + 1/(N+1)) / ln(N+1),
 * as 1/j ≤ (1 + 1/(N+1)) / (j+1) there and Σ 1/(k ln² k) over k ≥ N+2 is at most ∫ dx/(x ln² x) from N+1 on.
 */
export const tailMass = 3.3878

/** What the restart weight of a look depends on: its number among the judged looks, from 1, and whether a step starts. */
export type RestartMoment = { readonly look: number; readonly stepStart: boolean; readonly steps: number }

/** γ. The caller grants at most `steps` step starts. */
export function restartWeight({ look, stepStart, steps }: RestartMoment): number {
	const onStepStart = stepStart ? 0.25 / Math.max(1, steps) : 0
	const uniform = look <= uniformLooks ? 0.25 / uniformLooks : 0
	return onStepStart + uniform + (0.5 * tailTerm(look)) / tailMass
}

export function tailTerm(look: number): number {
	return 1 / (look * Math.log(look + 1) ** 2)
}
