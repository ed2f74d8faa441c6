// What somebody does who can reach the port: each attack is a connection of its own, and a step of it some messages more.

import { gzipSync } from 'node:zlib'
import { limits } from '#base/limits.ts'
import type { Random } from '#base/random.ts'
import { discoveryMethods } from '#xds/services.ts'
import {
	callHeaders,
	flags,
	frame,
	frameTypes,
	grpcMessage,
	headerBlock,
	largestWindow,
	opening,
	openStream,
	preface,
	settingInitialWindow,
	settings,
	uint32,
} from '../fixtures/http2-frames.ts'
import { metricsMethod } from '../fixtures/xds-client.ts'
import { drawBelow, drawBytes, drawOne, drawWeighted, type Weighted } from './draw.ts'
import { drawMetrics, drawRequest, type Scene } from './hostile-message.ts'
import { othersNodes, ownNodes } from './hostile-nodes.ts'
import { connectHttp2, type Http2Peer } from './http2-peer.ts'
import { lightlyRead } from './lightly-read.ts'
import { servedNames } from './served-mesh.ts'

export type Attack = {
	readonly name: string
	/** Sends some more. Gives how many messages that was; 0 when there is nothing more to do. */
	step(): number
	end(): void
}

type Step = (peer: Http2Peer, random: Random) => number
type Begin = (port: number, random: Random) => Attack

/** The connection begins as it should, and every step is this. */
function stepwise(name: string, step: Step, window = largestWindow): [string, Begin] {
	return [
		name,
		(port, random) => {
			const peer = connectHttp2(port, opening(window))
			let left = mostSteps
			return {
				name,
				step() {
					left -= 1
					return peer.isClosed || left < 0 ? 0 : step(peer, random)
				},
				end: peer.destroy,
			}
		},
	]
}

const methods: readonly string[] = [metricsMethod, ...discoveryMethods.map(({ path }) => path)]
const burst = 50
/** Of an attack that says nothing: what is said is to be most of it. */
const mostSteps = 4

const attacks: Weighted<[string, Begin]> = [
	[12, ['messages', (port, random) => talk(port, random, { name: 'messages', window: largestWindow })]],
	[1, ['messages, reading nothing', (port, random) => talk(port, random, { name: 'reading nothing', window: 0 })]],
	[
		1,
		['messages, reading a byte at a time', (port, random) => talk(port, random, { name: 'tiny windows', window: 1 })],
	],
	[
		1,
		[
			'messages, hanging',
			(port, random) => talk(port, random, { name: 'hanging', window: largestWindow, hangs: true }),
		],
	],
	[2, stepwise('frames of gRPC', abuseFraming)],
	[1, stepwise('resets right after opening', resetRapidly)],
	[1, stepwise('headers', floodHeaders)],
	[
		1,
		stepwise('pings', (peer, random) => flood(peer, () => frame(frameTypes.ping, { payload: drawBytes(random, 8) }))),
	],
	[
		1,
		stepwise('settings', (peer, random) =>
			flood(peer, () => settings({ [settingInitialWindow]: drawBelow(random, 9) })),
		),
	],
	[1, stepwise('windows', abuseWindows)],
	[1, stepwise('frames of any kind', anyFrames)],
	[1, ['bytes', bytesOnly]],
]

export function drawAttack(port: number, random: Random): Attack {
	const [, begin] = drawWeighted(random, attacks)
	return begin(port, random)
}

function flood(peer: Http2Peer, make: () => Uint8Array): number {
	peer.write(Buffer.concat(Array.from({ length: burst }, make)))
	return burst
}

type Manner = { readonly name: string; readonly window: number; readonly hangs?: boolean }

/** Hostile messages on calls that are otherwise as they should be, cut and joined in any way. */
function talk(port: number, random: Random, { name, window, hangs = false }: Manner): Attack {
	const peer = connectHttp2(port, opening(window))
	const node = drawOne(random, ownNodes)
	const calls: { readonly stream: number; readonly path: string; scene: Scene }[] = []
	if (hangs) peer.pause()

	function open(): (typeof calls)[number] {
		const method = random() < 0.2 ? null : drawOne(random, discoveryMethods)
		const variant = method?.variant ?? 'delta'
		const path = method?.path ?? metricsMethod
		const stream = peer.open(path, (message) => {
			const { scene } = call
			call.scene = { ...scene, heard: [lightlyRead(variant, message), ...scene.heard.slice(0, 7)] }
		})
		const scene = { variant, names: servedNames, heard: [], isFirst: true, node, others: othersNodes }
		const call = { stream, path, scene: scene as Scene }
		calls.push(call)
		return call
	}

	return {
		name,
		step() {
			if (peer.isClosed || peer.unwritten > limits.xdsMessageBytes) return 0
			if (calls.length > 5 * limits.xdsStreamsPerConnection) calls.length = 0
			const call = calls.length === 0 || random() < 0.3 ? open() : drawOne(random, calls)
			const count = 1 + drawBelow(random, 5)
			const messages = Array.from({ length: count }, () => {
				const message = call.path === metricsMethod ? drawMetrics(random, call.scene) : drawRequest(random, call.scene)
				call.scene = { ...call.scene, isFirst: false }
				return grpcMessage(message)
			})
			peer.write(inFrames(Buffer.concat(messages), call.stream, random))
			if (window === 1) peer.write(frame(frameTypes.windowUpdate, { payload: uint32(1), stream: call.stream }))
			const ending = random()
			if (ending < 0.1) peer.write(frame(frameTypes.reset, { payload: uint32(8), stream: call.stream }))
			else if (ending < 0.2) peer.write(frame(frameTypes.data, { flag: flags.endStream, stream: call.stream }))
			return count
		},
		end: peer.destroy,
	}
}

/** Bytes of a stream in DATA frames of any size, at times of one byte each. */
function inFrames(bytes: Buffer, stream: number, random: Random): Buffer {
	const most = bytes.length < 2_000 && random() < 0.1 ? 1 : drawOne(random, [100, 5_000, 16_384])
	const parts = Array.from({ length: Math.ceil(bytes.length / most) }, (_, index) =>
		frame(frameTypes.data, { payload: bytes.subarray(index * most, (index + 1) * most), stream }),
	)
	return Buffer.concat(parts)
}

const bomb = gzipSync(Buffer.alloc(50_000_000))

function abuseFraming(peer: Http2Peer, random: Random): number {
	const encoding = drawOne(random, [[], [['grpc-encoding', 'gzip']], [['grpc-encoding', 'nothing']]] as const)
	const stream = peer.open(drawOne(random, methods), undefined, encoding)
	const bytes = drawBytes(random, drawBelow(random, 50))
	const made = drawOne(random, [
		() => grpcMessage(bytes, { compressed: 1 }),
		() => grpcMessage(bytes, { compressed: drawBelow(random, 256) }),
		() => grpcMessage(bomb, { compressed: 1 }),
		() => grpcMessage(bytes, { length: limits.xdsMessageBytes + 1 }),
		() => grpcMessage(bytes, { length: 2 ** 32 - 1 }),
		() => grpcMessage(bytes, { length: limits.xdsMessageBytes }),
		() => Buffer.of(0, 0, 0),
		() => Buffer.concat(Array.from({ length: 1_000 }, () => grpcMessage(new Uint8Array()))),
	])()
	peer.write(inFrames(made, stream, random))
	if (random() < 0.3) peer.write(frame(frameTypes.data, { flag: flags.endStream, stream }))
	if (random() < 0.2) peer.write(frame(frameTypes.data, { payload: bytes, stream }))
	return 1
}

function resetRapidly(peer: Http2Peer, random: Random): number {
	for (let left = burst; left > 0; left -= 1) {
		const stream = peer.open(drawOne(random, methods))
		peer.write(frame(frameTypes.reset, { payload: uint32(8), stream }))
	}
	return burst
}

function floodHeaders(peer: Http2Peer, random: Random): number {
	const many = Array.from({ length: 500 }, (_, index) => [`x-${index}`, 'x'.repeat(20)] as const)
	const long = [['x-long', 'x'.repeat(15_000)]] as const
	const odd = [
		[':path', '/x'],
		['Upper', 'x'],
		['connection', 'close'],
		['content-length', '-1'],
		['grpc-timeout', '1n'],
		['x-bin', '****'],
	] as const
	const stream = 1 + 2 * drawBelow(random, 1_000)
	const path = drawOne(random, [...methods, '/nothing', '', '/'.repeat(5_000)])
	const head = callHeaders(path, drawOne(random, [many, long, odd, []]))
	const endless = frame(frameTypes.headers, { payload: callHeaders(path), stream })
	const more = () => frame(frameTypes.continuation, { payload: headerBlock(many), stream })
	peer.write(
		drawOne(random, [
			() => openStream(stream, head),
			() => openStream(stream, headerBlock([[':method', 'GET']])),
			() => openStream(stream, drawBytes(random, 100)),
			() => Buffer.concat([endless, ...Array.from({ length: burst }, more)]),
			() => frame(frameTypes.headers, { flag: flags.endHeaders | flags.padded, payload: head, stream }),
		])(),
	)
	return 1
}

function abuseWindows(peer: Http2Peer, random: Random): number {
	const stream = peer.open(drawOne(random, methods))
	return flood(peer, () =>
		drawOne(random, [
			frame(frameTypes.windowUpdate, { payload: uint32(drawOne(random, [0, 1, largestWindow])), stream }),
			settings({ [settingInitialWindow]: drawOne(random, [0, 1, largestWindow, 2 ** 32 - 1]) }),
			frame(frameTypes.windowUpdate, { payload: uint32(1), stream: 0 }),
		]),
	)
}

function anyFrames(peer: Http2Peer, random: Random): number {
	peer.open(drawOne(random, methods))
	const payload = drawBytes(random, drawBelow(random, 40))
	peer.write(frame(drawBelow(random, 16), { flag: drawBelow(random, 256), payload, stream: drawBelow(random, 6) }))
	return 1
}

/** No HTTP/2 at all, or the beginning of one, and then nothing. */
function bytesOnly(port: number, random: Random): Attack {
	const peer = connectHttp2(
		port,
		drawOne(random, [
			new Uint8Array(),
			preface.subarray(0, drawBelow(random, preface.length)),
			Buffer.concat([preface, drawBytes(random, 100)]),
			Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'),
			Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00),
		]),
	)
	return {
		name: 'bytes',
		step() {
			if (peer.isClosed) return 0
			peer.write(drawBytes(random, drawBelow(random, 100)))
			return 1
		},
		end: peer.destroy,
	}
}
