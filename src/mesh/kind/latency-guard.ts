import { latencyEdgesMs } from '#base/request-times.ts'
import { durationToMs } from '../duration.ts'
import { errorAt, type Finding, type Path, pathToText } from '../finding.ts'
import type { RolloutPolicyLatencyGuard } from '../manifest.generated.ts'
import type { LatencyGuard } from '../mesh.ts'
import { percentToPpm } from '../percent-to-ppm.ts'
import { defaultLatencyGuard } from '../rollout-policy.ts'
import { msToText } from '../write-amounts.ts'

/** What is not written is as in `defaultLatencyGuard`. */
export function readLatencyGuard({ threshold, toleranceRatio, tolerance }: RolloutPolicyLatencyGuard): LatencyGuard {
	const defaults = defaultLatencyGuard
	return {
		kind: 'latency',
		thresholdMs: threshold === undefined ? defaults.thresholdMs : durationToMs(threshold),
		toleranceRatio: toleranceRatio ?? defaults.toleranceRatio,
		tolerancePpm: tolerance === undefined ? defaults.tolerancePpm : percentToPpm(tolerance),
	}
}

/** Envoy tells how many requests took at most so long for its edges alone. `path` leads to the guard. */
export function checkLatencyGuard({ threshold }: RolloutPolicyLatencyGuard, path: Path): readonly Finding[] {
	if (threshold === undefined) return []
	const edges: readonly number[] = latencyEdgesMs
	const wanted = durationToMs(threshold)
	if (edges.includes(wanted)) return []
	const near = [edges.findLast((edge) => edge < wanted), edges.find((edge) => edge > wanted)]
	const expected = near.filter((edge) => edge !== undefined).map(msToText)
	const field = [...path, 'threshold']
	const message = `${pathToText(field)} is "${threshold}", which Envoy does not count at; expected ${expected.join(' or ')}`
	return [errorAt(field, 'SL0208', message)]
}
