import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { seededRandom } from '#base/random.ts'
import { createLookLoop, pollDelayMs, retryDelayMs } from '#source/look-loop.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'

/** A loop whose looks wait to be ended one by one. */
function createHeldLoop() {
	const clock = createManualClock()
	const ends: (() => void)[] = []
	let begun = 0
	const loop = createLookLoop({
		clock,
		async look() {
			begun += 1
			await new Promise<void>((resolve) => ends.push(resolve))
			return 1000
		},
	})
	return { clock, loop, begun: () => begun, endOne: () => ends.shift()?.() }
}

test('calls while a look runs share one that begins afterwards', async () => {
	const { loop, begun, endOne } = createHeldLoop()
	const first = loop.poll()
	const second = loop.poll()
	const third = loop.poll()
	expect(third).toBe(second)
	expect(begun()).toBe(1)
	endOne()
	await first
	expect(begun()).toBe(2)
	endOne()
	await second
	expect(begun()).toBe(2)
})

test('a look on demand replaces the one that was due', async () => {
	const { clock, loop, begun, endOne } = createHeldLoop()
	const first = loop.poll()
	endOne()
	await first
	expect(clock.pendingMs()).toEqual([1000])
	const second = loop.poll()
	expect(clock.pendingMs()).toEqual([])
	endOne()
	await second
	clock.advance(1000)
	expect(begun()).toBe(3)
})

test('closing waits for the look that runs, and none follows', async () => {
	const { clock, loop, begun, endOne } = createHeldLoop()
	loop.start()
	const following = loop.poll()
	const closed = loop.close()
	endOne()
	await closed
	await following
	await loop.poll()
	expect(begun()).toBe(1)
	expect(clock.pendingMs()).toEqual([])
})

test('the wait after failures is drawn from a range that doubles up to its bound', () => {
	const longest = [1, 2, 3, 8, 9, 1000].map((failures) => retryDelayMs(failures, () => 1))
	expect(longest).toEqual([2000, 4000, 8000, 256_000, 300_000, 300_000])
	expect(retryDelayMs(9, () => 0)).toBe(limits.sourceRetryLeastMs)
	const random = seededRandom(1)
	const drawn = Array.from({ length: 1000 }, () => retryDelayMs(9, random))
	expect(Math.min(...drawn)).toBeLessThan(10_000)
	expect(Math.max(...drawn)).toBeGreaterThan(290_000)
})

test('polls are 10 % early or late at most', () => {
	expect([0, 0.5, 0.999_999].map((draw) => pollDelayMs(30_000, () => draw))).toEqual([27_000, 30_000, 33_000])
})
