import { describe, expect, test } from 'vitest'
import { createWatch, type WatchedFlush, watchFlush } from '#guard/hard-limit.ts'

const limitPpm = 500_000

type Shown = { canary?: [requests: number, errors: number]; baseline?: [requests: number, errors: number] }

function flush({ canary = [0, 0], baseline = [0, 0] }: Shown): WatchedFlush {
	return {
		canary: {
			counts: { requests: canary[0], errors: canary[1] },
			answered: canary[0],
			started: canary[0],
			active: 0,
		},
		baseline: { counts: { requests: baseline[0], errors: baseline[1] }, active: 0 },
	}
}

/** The flushes, numbered from 1, that raise an alarm. */
function alarmsOf(flushes: readonly WatchedFlush[], hardLimitPpm = limitPpm): number[] {
	const watch = createWatch()
	return flushes.flatMap((shown, index) => (watchFlush(watch, shown, hardLimitPpm) === null ? [] : [index + 1]))
}

const bad = flush({ canary: [20, 10], baseline: [200, 2] })
const good = flush({ canary: [20, 9], baseline: [200, 2] })

describe('errors', () => {
	test('the second flush that shows them raises the alarm, and so does each after it', () => {
		expect(alarmsOf([good, bad, bad, bad])).toEqual([3, 4])
	})

	test('one bad flush is none, nor are two with a good one between', () => {
		expect(alarmsOf([bad, good, bad, good, bad])).toEqual([])
	})

	test('the limit is asked of both together', () => {
		const half = (errors: number) => flush({ canary: [20, errors], baseline: [200, 2] })
		expect(alarmsOf([half(8), half(12)])).toEqual([2])
		expect(alarmsOf([half(8), half(11)])).toEqual([])
		expect(alarmsOf([half(12), half(9), half(11)])).toEqual([2, 3])
	})

	test('a window below half the limit ends the row, however bad the one beside it', () => {
		const worst = flush({ canary: [20, 20], baseline: [200, 2] })
		const below = flush({ canary: [20, 4], baseline: [200, 2] })
		expect(alarmsOf([worst, below, worst, below])).toEqual([])
	})

	test('the alarm shows both windows', () => {
		const watch = createWatch()
		watchFlush(watch, bad, limitPpm)
		const alarm = watchFlush(watch, flush({ canary: [40, 40], baseline: [100, 0] }), limitPpm)
		expect(alarm).toEqual({
			kind: 'errors',
			counts: { canary: { requests: 60, errors: 50 }, baseline: { requests: 300, errors: 2 } },
		})
	})

	test('a baseline that fails too raises none: below a quarter it is well', () => {
		const withBaseline = (errors: number) => flush({ canary: [20, 20], baseline: [200, errors] })
		expect(alarmsOf([withBaseline(50), withBaseline(50)])).toEqual([])
		expect(alarmsOf([withBaseline(49), withBaseline(49)])).toEqual([2])
	})

	test('without a baseline the canary stands for itself', () => {
		expect(alarmsOf([flush({ canary: [20, 10] }), flush({ canary: [20, 10] })])).toEqual([2])
	})

	test('under a low limit the baseline must be below half of it', () => {
		const shown = flush({ canary: [100, 15], baseline: [200, 12] })
		expect(alarmsOf([shown, shown], 100_000)).toEqual([])
		const better = flush({ canary: [100, 15], baseline: [200, 9] })
		expect(alarmsOf([better, better], 100_000)).toEqual([2])
	})

	test('thin traffic is gathered until a window has 20 requests', () => {
		const thin = flush({ canary: [7, 7], baseline: [100, 0] })
		expect(alarmsOf([thin, thin, thin, thin, thin, thin, thin])).toEqual([6])
	})

	test('what thin flushes gathered does not delay two full ones', () => {
		const thinAndWell = flush({ canary: [19, 0], baseline: [100, 0] })
		expect(alarmsOf([thinAndWell, bad, bad])).toEqual([3])
	})

	test('flushes without canary requests change nothing', () => {
		const idle = flush({ baseline: [100, 0] })
		expect(alarmsOf([idle, bad, idle, idle, bad])).toEqual([5])
	})
})

describe('a stall', () => {
	type Piling = { answered?: number; started?: number; active: number; baseline?: { requests: number; active: number } }

	function piling({
		answered = 0,
		started = 10,
		active,
		baseline = { requests: 100, active: 3 },
	}: Piling): WatchedFlush {
		return {
			canary: { counts: { requests: answered, errors: 0 }, answered, started, active },
			baseline: { counts: { requests: baseline.requests, errors: 0 }, active: baseline.active },
		}
	}

	test('the third flush in which requests pile up and none is answered raises the alarm', () => {
		expect(alarmsOf([10, 20, 30, 40, 50].map((active) => piling({ active })))).toEqual([4, 5])
		const watch = createWatch()
		for (const active of [0, 7, 14]) watchFlush(watch, piling({ active, started: 7 }), limitPpm)
		expect(watchFlush(watch, piling({ active: 21, started: 7 }), limitPpm)).toEqual({
			kind: 'stall',
			counts: { canary: { requests: 21, errors: 0 }, baseline: { requests: 300, errors: 0 } },
		})
	})

	test('one answer ends the row, and so does a flush in which nothing more piles up', () => {
		expect(
			alarmsOf([0, 10, 20].map((active) => piling({ active })).concat(piling({ active: 30, answered: 1 }))),
		).toEqual([])
		expect(alarmsOf([0, 10, 20, 20, 30, 40].map((active) => piling({ active })))).toEqual([])
	})

	test('fewer than 20 requests begun are not enough', () => {
		expect(alarmsOf([0, 6, 12, 18].map((active) => piling({ active, started: 6 })))).toEqual([])
		expect(alarmsOf([0, 6, 12, 18, 24].map((active) => piling({ active, started: 6 })))).toEqual([5])
	})

	test('a baseline that stalls too raises none', () => {
		const both = (active: number) => piling({ active, baseline: { requests: 0, active: active * 9 } })
		expect(alarmsOf([0, 10, 20, 30, 40].map(both))).toEqual([])
	})

	test('without baseline traffic the canary stands for itself', () => {
		const alone = (active: number) => piling({ active, baseline: { requests: 0, active: 0 } })
		expect(alarmsOf([0, 10, 20, 30].map(alone))).toEqual([4])
	})

	test('where the baseline takes longer than three flushes itself, a new canary that answered nothing yet is well', () => {
		const slow = (active: number) => piling({ active, baseline: { requests: 100, active: 450 } })
		expect(alarmsOf([0, 10, 20, 30].map(slow))).toEqual([])
	})
})
