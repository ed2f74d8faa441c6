// `floor-child.ts FILE`: how little a push can cost on the transport that Sluice has: each message is made once, and
// written to all. Nothing is ordered, remembered or checked, and what proxies count is dropped, so it is no server to use.
import { readFileSync } from 'node:fs'
import { assert } from '#base/assert.ts'
import type { ServiceCall } from '#base/grpc-service.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { usualEngine } from '#base/xds-engine-name.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { EncodedResource } from '#snapshot/snapshot.ts'
import { readRequest } from '#xds/request.ts'
import { encodeDelta, encodeStateOfTheWorld } from '#xds/response.ts'
import { createTransport } from '#xds/transport.ts'
import type { Variant } from './load-stream.ts'
import { changing, obeyLines } from './obey-lines.ts'
import type { Dump, DumpedResource } from './resources.ts'

const dump: Dump = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const typesAsked = 4

type Stream = { readonly call: ServiceCall; readonly variant: Variant; readonly nodeId: string }
const streams = new Set<Stream>()
const known = new Map<string, Uint8Array>()
let round = 0
/** Messages of the proxies' counters. */
let reports = 0

const service = '/envoy.service.discovery.v3.AggregatedDiscoveryService'
const transport = createTransport({
	engine: usualEngine,
	services: [
		{ path: `${service}/DeltaAggregatedResources`, open: (call) => open('delta', call) },
		{ path: `${service}/StreamAggregatedResources`, open: (call) => open('stateOfTheWorld', call) },
		{ path: '/envoy.service.metrics.v3.MetricsService/StreamMetrics', open: takeReports },
	],
	certificate: null,
	clock: systemClock,
	log: silentLog,
	onDisconnect() {},
})

function open(variant: Variant, call: ServiceCall) {
	let stream: Stream | null = null
	const answered = new Set<string>()
	return {
		receive(message: Uint8Array) {
			// All that comes later is an ACK.
			if (answered.size === typesAsked) return
			const request = readRequest(variant, message)
			if (!request.ok) return
			const { node, typeUrl } = request.value
			if (node !== null) {
				stream = { call, variant, nodeId: node.id }
				streams.add(stream)
			}
			if (stream === null || answered.has(typeUrl)) return
			answered.add(typeUrl)
			call.send(wholeOf(stream, typeUrl as TypeUrl), () => {})
		},
		closed() {
			if (stream !== null) streams.delete(stream)
		},
	}
}

function takeReports() {
	return {
		receive() {
			reports += 1
		},
		closed() {},
	}
}

function wholeOf({ nodeId, variant }: Stream, typeUrl: TypeUrl): Uint8Array {
	const resources = () => (dump[nodeId]?.types[typeUrl] ?? []).map((one) => resourceOf(typeUrl, one))
	return once(`${nodeId} ${variant} ${typeUrl}`, () => encode(variant, typeUrl, resources()))
}

function changeOf({ nodeId, variant }: Stream): Uint8Array {
	return once(`${nodeId} ${variant} ${round}`, () => {
		const { changes = [] } = dump[nodeId] ?? {}
		const next = changes[(round - 1) % changes.length]
		return encode(variant, typeUrls.route, next === undefined ? [] : [resourceOf(typeUrls.route, next)])
	})
}

function encode(variant: Variant, typeUrl: TypeUrl, resources: readonly EncodedResource[]): Uint8Array {
	const content = { typeUrl, version: `v${round}`, nonce: `${typeUrl}-${round}`, resources }
	return variant === 'delta' ? encodeDelta({ ...content, removed: [] }) : encodeStateOfTheWorld(content)
}

function resourceOf(typeUrl: TypeUrl, { name, value }: DumpedResource): EncodedResource {
	const references = { clusters: [], routes: [], endpoints: [], secrets: [] }
	return { typeUrl, name, version: `v${round}`, bytes: Buffer.from(value, 'base64'), key: '', references, madeOf: [] }
}

function once(key: string, make: () => Uint8Array): Uint8Array {
	const made = known.get(key) ?? make()
	known.set(key, made)
	return made
}

const listening = await transport.listen('127.0.0.1:0')
assert(listening.ok, 'a free port of loopback can be listened at')
obeyLines(listening.value.port, {
	change: changing(() => {
		round += 1
		for (const stream of streams) stream.call.send(changeOf(stream), () => {})
	}),
	taken: () => ({ reports }),
})
