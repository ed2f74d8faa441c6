import { type Arms, addArms, noArms } from '#guard/arms.ts'
import type { Rule } from '../../test/statistics/rule.ts'
import { armsOf, successShare } from './counted.ts'

export type FlaggerSetting = {
	readonly shares: readonly number[]
	readonly intervalSeconds: number
	readonly threshold: number
	readonly leastSuccess: number
}

/**
 * Flagger's analysis as its scheduler does it: one check an interval, of the canary's success rate over that interval. A
 * check that fails, or finds no requests, is counted for good and the weight stays; the tick after the threshold takes
 * the canary back.
 */
export function flaggerRule({ shares, intervalSeconds, threshold, leastSuccess }: FlaggerSetting): Rule {
	return {
		start() {
			let passed = 0
			let step = 0
			let failedChecks = 0
			let window: Arms = noArms
			return {
				share: () => shares[step] ?? 0,
				take(flushes, seconds) {
					passed += seconds
					window = addArms(window, armsOf(flushes))
					if (passed % intervalSeconds !== 0) return 'goOn'
					if (failedChecks >= threshold) return 'back'
					if (successShare(window) >= leastSuccess) step += 1
					else failedChecks += 1
					window = noArms
					return step === shares.length ? 'done' : 'goOn'
				},
			}
		},
	}
}
