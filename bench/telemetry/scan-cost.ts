import { createMetricsReader } from '#telemetry/read-metrics.ts'
import { decodeMetrics } from '../../test/fixtures/decode-metrics.ts'
import { ownCpuMs } from '../own-cpu-ms.ts'

export type ScanCost = { readonly scanUs: number; readonly decodeUs: number }

const warmUps = 2_000
const flushes = 10_000

/** CPU time that one flush takes to be scanned where it lies, as the daemon does, and to be decoded by protobuf-es. */
export function measureScan(flush: Uint8Array): ScanCost {
	return {
		scanUs: cpuUs(createMetricsReader({ wantsTimes: () => false }), flush),
		decodeUs: cpuUs(decodeMetrics, flush),
	}
}

function cpuUs(read: (bytes: Uint8Array) => unknown, flush: Uint8Array): number {
	for (let index = 0; index < warmUps; index += 1) read(flush)
	const before = ownCpuMs()
	for (let index = 0; index < flushes; index += 1) read(flush)
	return ((ownCpuMs() - before) * 1_000) / flushes
}
