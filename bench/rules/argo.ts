import { type Arms, addArms, noArms } from '#guard/arms.ts'
import { type Ladder, secondsOf, stepAt } from '../../test/statistics/ladder.ts'
import type { Rule } from '../../test/statistics/rule.ts'
import { armsOf, successShare } from './counted.ts'

export type ArgoSetting = {
	readonly ladder: Ladder
	readonly intervalSeconds: number
	/** What a measurement looks back on. */
	readonly windowSeconds: number
	readonly failureLimit: number
	readonly leastSuccess: number
}

/**
 * A background analysis of Argo Rollouts beside steps that are pauses: a measurement each interval, failed when the
 * canary's success rate is below the condition or is no number; one more failed than the limit aborts, however far apart.
 */
export function argoRule(setting: ArgoSetting): Rule {
	const { ladder, intervalSeconds, windowSeconds, failureLimit, leastSuccess } = setting
	return {
		start() {
			let passed = 0
			let failed = 0
			let window: Arms = noArms
			return {
				share: () => ladder.shares[stepAt(ladder, passed)] ?? 0,
				take(flushes, seconds) {
					if (passed % intervalSeconds >= intervalSeconds - windowSeconds) window = addArms(window, armsOf(flushes))
					passed += seconds
					if (passed % intervalSeconds === 0) {
						if (!(successShare(window) >= leastSuccess)) failed += 1
						window = noArms
						if (failed > failureLimit) return 'back'
					}
					return passed >= secondsOf(ladder) ? 'done' : 'goOn'
				},
			}
		},
	}
}
