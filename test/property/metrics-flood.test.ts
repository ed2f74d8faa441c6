import { expect, test } from 'vitest'
import type { CallHandler } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { createEvidence } from '#controller/evidence.ts'
import { createMetricsReceiver } from '#telemetry/metrics-receiver.ts'
import { createAdmission } from '#xds/admission.ts'
import { createManualClock } from '../fakes/manual-clock.ts'
import { bytesInUse } from '../fixtures/cost.ts'
import { metricsMessage } from '../fixtures/metrics-message.ts'

// A proxy that means harm, on all the way of a flush: every message as large as it may be, and no name twice.

const nameBytes = 8

/** A message that is full of clusters, whose names are those of a round. */
function flood() {
	const marked = 'x'.repeat(nameBytes)
	const labels = { 'envoy.cluster_name': marked }
	const one = metricsMessage({
		atMs: 1_000_000_000_001,
		metrics: [{ name: 'cluster.upstream_rq_completed', labels, value: 1e6 }],
	})
	const families = Math.floor(limits.xdsMessageBytes / one.length)
	const bytes = Buffer.concat(Array.from({ length: families }, () => one))
	const place = bytes.indexOf(marked)
	return {
		families,
		ofRound(round: number): Uint8Array {
			for (let index = 0; index < families; index += 1) {
				const name = (round * families + index).toString(36).padStart(nameBytes, '0')
				bytes.write(name, index * one.length + place, 'latin1')
			}
			return bytes
		},
	}
}

test('names without end are not kept', async () => {
	const clock = createManualClock()
	const admission = createAdmission()
	const evidence = createEvidence({ clock, emit() {} })
	let clusters = 0
	const receiver = createMetricsReceiver({
		clock,
		log: silentLog,
		wantsTimes: () => true,
		identify: (caller, node) => admission.identify(caller, node),
		emit(flush) {
			clusters += flush.clusters.size
			evidence.takeFlush(flush)
		},
	})
	const handler: CallHandler = receiver.service.open({
		connection: { id: 1, peer: 'p', certificateUris: null },
		authorization: null,
		send() {},
		end: ({ message }) => expect.fail(message),
	})
	handler.receive(metricsMessage({ atMs: 1, metrics: [], nodeId: 'mesh/apps/virtualNode/a', instance: 'host-1' }))
	const { families, ofRound } = flood()
	const flushRound = (round: number) => {
		handler.receive(ofRound(round))
		clock.advance(limits.flushIntervalMs)
	}
	// By then all that is kept of one proxy is full.
	for (let round = 0; round < 2; round += 1) flushRound(round)
	const before = await bytesInUse()
	for (let round = 2; round < 5; round += 1) flushRound(round)
	const grown = (await bytesInUse()) - before
	expect(families * 5).toBeGreaterThan(200_000)
	expect(clusters).toBe(5 * limits.flushClusters)
	// The spans of a minute's traffic, and little else.
	expect(grown).toBeLessThan(16_000_000)
	evidence.close()
})
