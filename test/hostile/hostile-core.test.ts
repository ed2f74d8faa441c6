// Hostile peers at the serving core, without a transport, beside proxies that do all by the book: whatever the first say,
// nothing throws, no message costs much, the others are told each change once and nothing else, and what was kept for those
// who left is let go of. The seed of a failure makes the same messages again.

import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { seededRandom } from '#base/random.ts'
import { discoveryMethods } from '#xds/services.ts'
import { count, seed } from '../depth.ts'
import { metricsMethod } from '../fixtures/xds-client.ts'
import { drawBelow, drawOne, drawWeighted } from './draw.ts'
import { drawMetrics, drawRequest, type Scene } from './hostile-message.ts'
import { othersNodes, ownNodes } from './hostile-nodes.ts'
import { lightlyRead } from './lightly-read.ts'
import { connectInMemory, type MemoryCall, type MemoryPeers } from './memory-calls.ts'
import { servedNames } from './served-mesh.ts'
import { createServedWorld } from './served-world.ts'

const messages = count(3_000, 900_000)
const messagesBetweenChanges = 500
const peersAtOnce = 12
/**
 * CPU of the one thread for one message, whatever is in it. A large one of metrics takes as long as an honest one. Garbage
 * is collected while any of them is read: of so many messages one may take longer for that. What was costly by itself
 * would come more often.
 */
const mostCpuMs = 50
const messagesForOneSlow = 100_000
const mostCpuMsOfLarge = 300
const largeBytes = 500_000
/** What stays of any number of messages: instances that were here once, with what they refused; they are many, and bounded. */
const mostBytesLeft = 16_000_000
const random = seededRandom(seed())

type OwnScene = { -readonly [Key in keyof Scene]: Scene[Key] }

/** Somebody who means harm, with a connection and some calls on it. */
function createPeer(peers: MemoryPeers) {
	const node = drawOne(random, ownNodes)
	const connection = peers.connect()
	const reads = drawWeighted(random, [
		[6, 'at once'],
		[1, 'late'],
		[1, 'never'],
	] as const)
	const held: (() => void)[] = []
	const scenes = new Map<MemoryCall, OwnScene>()

	function open(): MemoryCall {
		const method = random() < 0.2 ? null : drawOne(random, discoveryMethods)
		const variant = method?.variant ?? 'delta'
		const scene: OwnScene = { variant, names: servedNames, heard: [], isFirst: true, node, others: othersNodes }
		const call = connection.open(method?.path ?? metricsMethod, {
			onMessage(message, flushed) {
				scene.heard = [lightlyRead(variant, message), ...scene.heard.slice(0, 7)]
				if (reads === 'at once') flushed()
				else if (reads === 'late') held.push(flushed)
			},
		})
		scenes.set(call, scene)
		return call
	}

	return {
		/** The next message, and the call that it is for. */
		next(): { call: MemoryCall; message: Uint8Array } {
			for (const call of [...scenes.keys()]) if (call.ended !== null) scenes.delete(call)
			const mayOpen = connection.calls.size < limits.xdsStreamsPerConnection
			const isNew = connection.calls.size === 0 || (mayOpen && random() < 0.05)
			const call = isNew ? open() : drawOne(random, [...connection.calls])
			const scene = scenes.get(call)
			if (scene === undefined) throw new Error('a call of nobody')
			const message = call.path === metricsMethod ? drawMetrics(random, scene) : drawRequest(random, scene)
			scene.isFirst = false
			return { call, message }
		},
		read: () => held.shift()?.(),
		hangUp: () => drawOne(random, [...connection.calls, null])?.close(drawOne(random, ['halfClosed', 'cancelled'])),
		leave: () => connection.close(),
	}
}

type Peer = ReturnType<typeof createPeer>

test('whatever hostile peers say, nothing throws, costs much, stays, or reaches the others', async () => {
	const world = createServedWorld()
	const { server, clock } = world
	const memory = connectInMemory(server.services, (connection) => world.admission.release(connection))
	const witnesses = world.meetWitnesses(() => {
		const connection = memory.connect()
		return (path, stream) => {
			const call = connection.open(path, {
				onMessage(message, flushed) {
					flushed()
					// It answers when what told it is done, as over a wire.
					queueMicrotask(() => stream.onMessage(message))
				},
				onEnd: ({ code, message }) => stream.onEnd(`${code}: ${message}`),
			})
			return (bytes) => call.send(bytes)
		}
	})
	await world.settle()
	for (const [, witness] of witnesses) witness.told()
	const peers: Peer[] = []
	const slow: string[] = []
	let slowestMs = 0
	let said = 0

	function say(peer: Peer): void {
		said += 1
		const { call, message } = peer.next()
		const before = process.threadCpuUsage()
		try {
			call.send(message)
			world.greet()
		} catch (error) {
			throw new Error(what(call, message), { cause: error })
		}
		const { user, system } = process.threadCpuUsage(before)
		const cpuMs = (user + system) / 1000
		const isLarge = message.length >= largeBytes
		if (cpuMs > (isLarge ? mostCpuMsOfLarge : mostCpuMs)) slow.push(`${cpuMs} ms: ${what(call, message)}`)
		if (!isLarge) slowestMs = Math.max(slowestMs, cpuMs)
	}

	/** Enough to look at; all of it is made again by the seed. */
	function what(call: MemoryCall, message: Uint8Array): string {
		const hex = Buffer.from(message.subarray(0, 500)).toString('hex')
		return `seed ${seed()}, message ${said} to ${call.path}, ${message.length} bytes: ${hex}`
	}

	async function round(): Promise<void> {
		while (peers.length < peersAtOnce) peers.push(createPeer(memory))
		for (let left = messagesBetweenChanges; left > 0; left -= 1) {
			say(drawOne(random, peers))
			if (random() < 0.02) drawOne(random, peers).hangUp()
			if (random() < 0.01) drawOne(random, peers).read()
			if (random() < 0.005) peers.splice(drawBelow(random, peers.length), 1, createPeer(memory))[0]?.leave()
			if (random() < 0.02) clock.advance(drawOne(random, [0, 10, 100, 100, limits.xdsSendMs]))
		}
		for (const [kind, witness] of witnesses) expect([kind, witness.told(), witness.ended()]).toEqual([kind, [], null])
		const change = world.change()
		await world.settle()
		for (const [{ variant }, witness] of witnesses) {
			const told = witness.told().map(({ type, resources, removed }) => ({ type, resources, removed }))
			expect(told).toEqual([change.told(variant)])
			expect(server.isCurrent(witness.key)).toBe(true)
		}
	}

	async function half(): Promise<number> {
		for (let left = messages / messagesBetweenChanges / 2; left > 0; left -= 1) await round()
		for (const peer of peers.splice(0)) peer.leave()
		await world.settle()
		return world.leftAlone()
	}

	const first = await half()
	const second = await half()
	console.log(
		`${said} messages; ${slowestMs} ms of CPU for the slowest that was not large;`,
		`in use after a half ${Math.round(first / 1e5) / 10} MB, after all ${Math.round(second / 1e5) / 10} MB`,
	)
	expect(slow.slice(1 + messages / messagesForOneSlow)).toEqual([])
	expect(second - first).toBeLessThan(mostBytesLeft)
})
