import { limits } from '#base/limits.ts'
import type { RequestTimes } from '#base/request-times.ts'
import { enter, leave, readDouble, readTag, readUint64, skipField, type WireScan } from './wire-scan.ts'

/**
 * A nested `Histogram` of io/prometheus/client/metrics.proto. Buckets count from 0 up to their bound; more of them than
 * anybody writes are no histogram.
 */
export function readHistogram(scan: WireScan): RequestTimes | null {
	let samples = 0
	const buckets: Buckets = { edgesMs: [], atMost: [] }
	const end = enter(scan)
	while (scan.at < scan.end) {
		const tag = readTag(scan)
		if (tag >>> 3 === 1) samples = readUint64(scan)
		else if (tag >>> 3 === 3) {
			readBucket(scan, buckets)
			if (buckets.edgesMs.length > limits.histogramBuckets) break
		} else skipField(scan, tag)
	}
	leave(scan, end)
	return buckets.edgesMs.length > limits.histogramBuckets ? null : { samples, ...buckets }
}

type Buckets = { readonly edgesMs: number[]; readonly atMost: number[] }

/** Adds the bucket, but for the one without a bound, in which all are. */
function readBucket(scan: WireScan, { edgesMs, atMost }: Buckets): void {
	let count = 0
	let bound = 0
	const end = enter(scan)
	while (scan.at < scan.end) {
		const tag = readTag(scan)
		if (tag >>> 3 === 1) count = readUint64(scan)
		else if (tag >>> 3 === 2) bound = readDouble(scan)
		else skipField(scan, tag)
	}
	leave(scan, end)
	if (!Number.isFinite(bound)) return
	atMost.push(count)
	edgesMs.push(bound)
}
