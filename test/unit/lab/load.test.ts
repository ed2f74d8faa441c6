import { expect, test } from 'vitest'
import { startApp } from '#lab/app.ts'
import { startFaultyProxy } from '#lab/faulty-proxy.ts'
import { type Load, startLoad } from '#lab/load.ts'
import type { LoadWindow } from '#lab/load-log.ts'
import { markNow } from '#lab/mark.ts'
import { freePorts } from '#lab/ports.ts'

const address = '127.0.0.1'
const authority = 'serviceb.apps.local'

/** Looks again whenever the event loop has turned; the test's own deadline ends it. */
async function whenSeen(load: Load, isSeen: (window: LoadWindow) => boolean): Promise<LoadWindow> {
	for (;;) {
		const window = load.soFar()
		if (isSeen(window)) return window
		await new Promise((resolve) => setImmediate(resolve))
	}
}

test('nothing is sent before its time, and a stop ends it', async () => {
	await using app = await startApp({ name: 'v1', address })
	const load = startLoad({ address, port: app.port, authority, ratePerSecond: 0.001 })
	const total = await load.stop()
	expect(total).toMatchObject({ requests: 1, answered: 1 })
	expect(await load.stop()).toEqual(total)
})

test('sends at its rate, and counts what the app counts', async () => {
	await using app = await startApp({ name: 'v1', address })
	const from = markNow()
	const load = startLoad({ address, port: app.port, authority, ratePerSecond: 500 })
	await whenSeen(load, ({ requests }) => requests >= 300)
	const total = await load.stop()
	const elapsedMs = markNow().monotonicMs - from.monotonicMs
	const counts = app.counts()
	expect(total).toMatchObject({ failed: 0, pending: 0, notSent: 0, failures: {}, firstFailure: null })
	expect(total.requests).toBe(counts.requests)
	expect(total.byApp).toEqual({ v1: counts.requests })
	// Never faster than asked, and not much slower.
	expect(total.requests).toBeLessThanOrEqual(elapsedMs / 2 + 1)
	expect(total.requests).toBeGreaterThanOrEqual(300)
})

test('windows add up to the whole, failures have their times', async () => {
	await using app = await startApp({ name: 'v2', address })
	const begin = markNow()
	await using load = startLoad({ address, port: app.port, authority, ratePerSecond: 400 })
	await whenSeen(load, ({ answered }) => answered >= 50)
	const bad = markNow()
	const { pending } = load.soFar()
	app.setFailure({ sharePpm: 1_000_000, how: { kind: 'answer', status: 503, delayMs: 0 } })
	await whenSeen(load, ({ failed }) => failed >= 50)
	app.heal()
	const good = markNow()
	await whenSeen(load, ({ requests }) => requests >= 200)
	const end = markNow()
	const [first, second, third] = [
		await load.between(begin, bad),
		await load.between(bad, good),
		await load.between(good, end),
	]
	const whole = await load.between(begin, end)
	expect(first.requests + second.requests + third.requests).toBe(whole.requests)
	expect(second.failures).toEqual({ 503: second.failed })
	// Those in flight at the mark may have met the failing app; they belong to the window in which they started.
	expect(first.failed).toBeLessThanOrEqual(pending)
	expect(first.failed + second.failed).toBeGreaterThanOrEqual(50)
	expect(third.failed).toBe(0)
	expect(whole.firstFailure?.monotonicMs).toBeGreaterThanOrEqual(bad.monotonicMs)
	expect(whole.firstFailure?.wallMs).toBeGreaterThanOrEqual(bad.wallMs - 2)
	expect(whole.lastFailure?.monotonicMs).toBeGreaterThanOrEqual(whole.firstFailure?.monotonicMs ?? Infinity)
	expect(whole.byApp).toEqual({ v2: whole.requests })
})

test('a window waits for requests in flight', async () => {
	await using app = await startApp({ name: 'v1', address })
	app.setFailure({ sharePpm: 1_000_000, how: { kind: 'answer', status: 200, delayMs: 150 } })
	const begin = markNow()
	await using load = startLoad({ address, port: app.port, authority, ratePerSecond: 200 })
	await whenSeen(load, ({ pending }) => pending >= 10)
	const window = await load.between(begin, markNow())
	expect(window.requests).toBeGreaterThanOrEqual(10)
	expect(window).toMatchObject({ answered: window.requests, pending: 0 })
})

test('resets and refused connections are failures, and it recovers by itself', async () => {
	await using app = await startApp({ name: 'v1', address })
	await using proxy = await startFaultyProxy(app)
	await using load = startLoad({ address, port: proxy.port, authority, ratePerSecond: 300 })
	await whenSeen(load, ({ answered }) => answered >= 20)
	app.setFailure({ sharePpm: 1_000_000, how: { kind: 'reset' } })
	await whenSeen(load, ({ failures }) => (failures.reset ?? 0) >= 20)
	app.heal()
	await proxy.setFault({ kind: 'refuse' })
	proxy.cut()
	await whenSeen(load, ({ failures }) => (failures.noConnection ?? 0) >= 20)
	await proxy.setFault({ kind: 'none' })
	const { answered } = load.soFar()
	await whenSeen(load, (window) => window.answered >= answered + 20)
	const total = await load.stop()
	expect(total.requests).toBe(total.answered + total.failed)
	expect(Object.keys(total.failures).sort()).toEqual(['noConnection', 'reset'])
})

test('nobody listening: every request is accounted for', async () => {
	const [port = 0] = await freePorts(address, 1)
	const load = startLoad({ address, port, authority, ratePerSecond: 200 })
	await whenSeen(load, ({ failed }) => failed >= 20)
	const total = await load.stop()
	expect(total).toMatchObject({ answered: 0, failed: total.requests, failures: { noConnection: total.requests } })
})

test('says so when it cannot keep the rate', async () => {
	await using app = await startApp({ name: 'v1', address })
	app.setFailure({ sharePpm: 1_000_000, how: { kind: 'hang' } })
	const load = startLoad({ address, port: app.port, authority, ratePerSecond: 20_000 })
	const { pending } = await whenSeen(load, ({ notSent }) => notSent > 0)
	expect(pending).toBe(2_000)
	await app.close()
	const total = await load.stop()
	expect(total.notSent).toBeGreaterThan(0)
	expect(total.failed).toBe(total.requests)
})
