// Hostile peers at the real server over real sockets, beside proxies that do all by the book: whatever comes over the port,
// the process lives, the others are told each change once and nothing else, and what was kept for those who left is let go
// of.

import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { seededRandom } from '#base/random.ts'
import { systemClock } from '#base/system-clock.ts'
import { until, withDeadline } from '#lab/until.ts'
import { count, seed } from '../depth.ts'
import { frame, frameTypes, grpcMessage, largestWindow, opening } from '../fixtures/http2-frames.ts'
import { xdsEngine } from '../fixtures/xds-engine.ts'
import { type Attack, drawAttack } from './attack.ts'
import { drawBelow } from './draw.ts'
import { connectHttp2 } from './http2-peer.ts'
import { createServedWorld } from './served-world.ts'

const messages = count(2_000, 100_000)
const messagesBetweenChanges = 500
const attacksAtOnce = 8
/** A connection lasts about an hour, and the witnesses are to keep theirs. */
const roundsBetweenCuts = 5
const deadlineMs = 60_000
/** What stays of any number: instances that were here once, and what the two sides of a socket have ready for others. */
const mostBytesLeft = 16_000_000
const random = seededRandom(seed())

test('whatever hostile peers send, each change reaches the others, and nothing else does', async () => {
	const world = createServedWorld({ engine: xdsEngine })
	const { server, clock } = world
	const listening = await server.listen('127.0.0.1:0')
	if (!listening.ok) throw new Error(listening.error.message)
	const { port } = listening.value
	const connections: { destroy(): void }[] = []
	const witnesses = world.meetWitnesses(() => {
		let onEnd = (_why: string) => {}
		const peer = connectHttp2(port, opening(largestWindow), (why) => onEnd(why))
		connections.push(peer)
		return (path, told) => {
			onEnd = told.onEnd
			const stream = peer.open(path, told.onMessage)
			return (bytes) => peer.write(frame(frameTypes.data, { payload: grpcMessage(bytes), stream }))
		}
	})
	const attacks: Attack[] = []
	const names = new Map<string, number>()
	let said = 0
	let rounds = 0

	async function current(): Promise<void> {
		const what = `all witnesses are current, seed ${seed()}, message ${said}`
		await until({ clock: systemClock, deadlineMs, what }, async () => {
			await world.settle()
			return witnesses.every(([, { key }]) => server.isCurrent(key)) || null
		})
	}

	async function attack(): Promise<void> {
		while (attacks.length < attacksAtOnce) attacks.push(drawAttack(port, random))
		const at = drawBelow(random, attacks.length)
		const own = attacks[at]
		const sent = own?.step() ?? 0
		said += sent
		if (own !== undefined) names.set(own.name, (names.get(own.name) ?? 0) + sent)
		if (sent === 0 || random() < 0.02) {
			attacks.splice(at, 1)
			own?.end()
		}
		await new Promise((resolve) => setImmediate(resolve))
		world.greet()
	}

	async function round(): Promise<void> {
		for (const end = said + messagesBetweenChanges; said < end; ) await attack()
		await current()
		for (const [kind, witness] of witnesses) expect([kind, witness.told(), witness.ended()]).toEqual([kind, [], null])
		const change = world.change()
		for (const [{ variant }, witness] of witnesses) {
			const what = `${witness.key} is told, seed ${seed()}, message ${said}`
			const { type, resources, removed } = await withDeadline(witness.next(), { clock: systemClock, deadlineMs, what })
			expect({ type, resources, removed }).toEqual(change.told(variant))
		}
		await current()
		// Who has read nothing for so long is cut; the witnesses owe no answer.
		if (rounds % roundsBetweenCuts === 0) clock.advance(limits.xdsSendMs)
		rounds += 1
	}

	async function half(): Promise<number> {
		for (const end = said + messages / 2; said < end; ) await round()
		for (const own of attacks.splice(0)) own.end()
		await until({ clock: systemClock, deadlineMs, what: 'nobody else is here' }, async () => {
			await world.settle()
			const connected = [...server.fleet().values()].reduce((sum, view) => sum + view.connected, 0)
			return connected === witnesses.length || null
		})
		return world.leftAlone()
	}

	await current()
	for (const [, witness] of witnesses) witness.told()
	const first = await half()
	const second = await half()
	console.log(
		`${said} messages: ${[...names].map(([name, sent]) => `${sent} ${name}`).join(', ')};`,
		`in use after a half ${Math.round(first / 1e5) / 10} MB, after all ${Math.round(second / 1e5) / 10} MB`,
	)
	expect(second - first).toBeLessThan(mostBytesLeft)
	for (const connection of connections) connection.destroy()
	await server.close(100)
})
