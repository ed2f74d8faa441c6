import type { MessageInitShape } from '@bufbuild/protobuf'
import type { OutlierDetection } from '#mesh/proxy-spec.ts'
import type { OutlierDetectionSchema } from '#proto/gen/envoy/config/cluster/v3/outlier_detection_pb.ts'
import { msToDuration } from '../proto/duration.ts'

/**
 * Consecutive 5xx answers eject a host, and nothing else does: Envoy's comparison of success rates, which is on by
 * itself, was no part of App Mesh. One host may be ejected whatever the percentage. A duration of 0 is Envoy's default;
 * the longest ejection is too, five minutes or the base where that is longer.
 */
export function outlierDetectionOf(detection: OutlierDetection): MessageInitShape<typeof OutlierDetectionSchema> {
	const { maxServerErrors, intervalMs, baseEjectionDurationMs, maxEjectionPercent } = detection
	return {
		consecutive5xx: maxServerErrors,
		enforcingSuccessRate: 0,
		...(intervalMs === 0 ? {} : { interval: msToDuration(intervalMs) }),
		...(baseEjectionDurationMs === 0 ? {} : { baseEjectionTime: msToDuration(baseEjectionDurationMs) }),
		maxEjectionPercent,
		alwaysEjectOneHost: true,
	}
}
