import { create } from '@bufbuild/protobuf'
import { type Duration, DurationSchema } from '@bufbuild/protobuf/wkt'

/** Milliseconds → Envoy's duration. `ms` is a whole number ≥ 0; 0 switches a timeout off. */
export function msToDuration(ms: number): Duration {
	return create(DurationSchema, { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 })
}
