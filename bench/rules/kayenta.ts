import { type Arms, addArms, noArms } from '#guard/arms.ts'
import { type Ladder, secondsOf, stepAt } from '../../test/statistics/ladder.ts'
import type { Rule } from '../../test/statistics/rule.ts'
import { armsOf } from './counted.ts'

/** 98 % confidence: 1 % on either side. */
const critical = 2.326
/** Of the estimated difference. */
const tolerance = 0.25

/**
 * The judgement of Kayenta's default judge on one metric, once a step: a Mann–Whitney interval for the difference
 * between the two series of error shares. High, hence failed, when the interval lies above a quarter of the
 * Hodges–Lehmann estimate. How many requests are behind a point makes no difference.
 */
export function kayentaRule({ ladder, pointSeconds }: { ladder: Ladder; pointSeconds: number }): Rule {
	return {
		start() {
			let passed = 0
			let point: Arms = noArms
			let canary: number[] = []
			let baseline: number[] = []
			return {
				share: () => ladder.shares[stepAt(ladder, passed)] ?? 0,
				take(flushes, seconds) {
					passed += seconds
					point = addArms(point, armsOf(flushes))
					if (passed % pointSeconds === 0) {
						if (point.canary.requests > 0) canary.push(point.canary.errors / point.canary.requests)
						if (point.baseline.requests > 0) baseline.push(point.baseline.errors / point.baseline.requests)
						point = noArms
					}
					if (passed % ladder.stepSeconds === 0) {
						if (isHigh(canary, baseline)) return 'back'
						canary = []
						baseline = []
					}
					return passed >= secondsOf(ladder) ? 'done' : 'goOn'
				},
			}
		},
	}
}

function isHigh(canary: readonly number[], baseline: readonly number[]): boolean {
	const differences = canary.flatMap((one) => baseline.map((other) => one - other)).sort((left, right) => left - right)
	const pairs = differences.length
	if (pairs === 0) return false
	const deviation = Math.sqrt((pairs * (canary.length + baseline.length + 1)) / 12)
	const lowerConfidence = differences[Math.max(0, Math.floor(pairs / 2 - critical * deviation))] ?? 0
	const estimate = (at(differences, (pairs - 1) / 2) + at(differences, pairs / 2)) / 2
	return lowerConfidence > tolerance * Math.abs(estimate)
}

function at(sorted: readonly number[], index: number): number {
	return sorted[Math.floor(index)] ?? 0
}
