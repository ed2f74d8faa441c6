import { expect, test } from 'vitest'
import { createLoadLog } from '#lab/load-log.ts'

const answered = (status: number, app: string | null = 'v1') => ({ kind: 'answered', status, app }) as const

test('a request belongs to the window in which it started', () => {
	const log = createLoadLog(10)
	const first = log.start(100)
	const second = log.start(200)
	log.end(first, 250, answered(503))
	log.end(second, 260, answered(200))
	expect(log.window(100, 200)).toMatchObject({ requests: 1, answered: 0, failed: 1, byApp: { v1: 1 } })
	expect(log.window(200, 300)).toMatchObject({ requests: 1, answered: 1, failed: 0, firstFailure: null })
	expect(log.window(0, 100).requests).toBe(0)
})

test('every way to end is counted once', () => {
	const log = createLoadLog(10)
	const ends = [
		answered(200),
		answered(404, null),
		answered(500, 'v2'),
		{ kind: 'reset' },
		{ kind: 'timeout' },
		{ kind: 'noConnection' },
		{ kind: 'notSent' },
	] as const
	for (const [at, end] of ends.entries()) log.end(log.start(at), 10 + at, end)
	log.start(9)
	const expected = {
		requests: 7,
		answered: 2,
		failed: 4,
		pending: 1,
		notSent: 1,
		byApp: { v1: 1, v2: 1 },
		failures: { 500: 1, reset: 1, timeout: 1, noConnection: 1 },
		firstFailure: { monotonicMs: 12 },
		lastFailure: { monotonicMs: 15 },
	}
	expect(log.window(0, 10)).toMatchObject(expected)
	expect(log.total()).toMatchObject(expected)
})

test('what is forgotten is refused, never counted short; the total forgets nothing', () => {
	const log = createLoadLog(3)
	const slow = log.start(0)
	for (const at of [1, 2, 3, 4]) log.end(log.start(at), at, answered(200))
	log.end(slow, 5, answered(200))
	expect(() => log.window(1, 5)).toThrow('only the newest 3 requests')
	expect(log.window(2, 5).requests).toBe(3)
	expect(log.total()).toMatchObject({ requests: 5, answered: 5, pending: 0 })
})
