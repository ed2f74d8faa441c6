import { type Arms, addArms, noArms } from '#guard/arms.ts'
import { type Ladder, secondsOf, stepAt } from '../../test/statistics/ladder.ts'
import type { Rule } from '../../test/statistics/rule.ts'
import { armsOf } from './counted.ts'

/** The one-sided 1 % point of a normal variable. */
const critical = 2.326
/** Below so many errors in all nobody would take the two shares for normal variables. */
const leastErrors = 10

/** A textbook comparison of two shares at the level 1 %, done again every few seconds over all that was counted so far. */
export function peekingRule({ ladder, lookSeconds }: { ladder: Ladder; lookSeconds: number }): Rule {
	return {
		start() {
			let passed = 0
			let counted: Arms = noArms
			return {
				share: () => ladder.shares[stepAt(ladder, passed)] ?? 0,
				take(flushes, seconds) {
					passed += seconds
					counted = addArms(counted, armsOf(flushes))
					if (passed % lookSeconds === 0 && isSignificant(counted)) return 'back'
					return passed >= secondsOf(ladder) ? 'done' : 'goOn'
				},
			}
		},
	}
}

function isSignificant({ canary, baseline }: Arms): boolean {
	const errors = canary.errors + baseline.errors
	if (canary.requests === 0 || baseline.requests === 0 || errors < leastErrors) return false
	const pooled = errors / (canary.requests + baseline.requests)
	const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / canary.requests + 1 / baseline.requests))
	return canary.errors / canary.requests - baseline.errors / baseline.requests > critical * deviation
}
