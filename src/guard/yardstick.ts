import type { GuardParameters } from './look.ts'

/**
 * What the failures of a canary are held against.
 * `baseline`: each measure is compared · `limit`: there is no baseline, so final failures are held against the absolute
 * limit and nothing else is judged · `users`: likewise, and what is compared may hold a step and takes nothing back.
 *
 * Where users are drawn and not requests, one account that is broken, or one client that sends half of the traffic, is in
 * one arm for as long as the rollout lasts. The arms differ by their users then, all the time and in one direction: no
 * over-dispersion of single looks covers that, and the comparison has no error probability any more. That the canary's
 * requests fail more often than the limit allows stays true whoever sends them.
 */
export type Yardstick = 'baseline' | 'limit' | 'users'

export function yardstickOf(
	{ drawn = 'requests' }: Pick<GuardParameters, 'drawn'>,
	{ baselineHasTraffic }: { readonly baselineHasTraffic: boolean },
): Yardstick {
	if (!baselineHasTraffic) return 'limit'
	return drawn === 'users' ? 'users' : 'baseline'
}
