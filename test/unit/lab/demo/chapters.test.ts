import { expect, test } from 'vitest'
import { countFlushes } from '#lab/demo/chapters.ts'
import type { JournalTold } from '#lab/demo/daemon-api.ts'

function goingBack(numbers: JournalTold['numbers']): JournalTold {
	const rollout = 'serviceB/serviceB#2'
	const time = '2026-01-01T00:00:00.000Z'
	return { sequence: 9, time, event: 'rollout.rollingBack', rollout, actor: 'sluice', reason: '', numbers }
}

const alarm = (kind: string, requests: number) => ({
	alarm: { kind, counts: { canary: { requests, errors: requests } } },
})

test.for([
	{ requests: 503, flushes: 2 },
	{ requests: 448, flushes: 2 },
	{ requests: 255, flushes: 1 },
	{ requests: 760, flushes: 3 },
])('$requests failed requests at 250/s are $flushes flushes', ({ requests, flushes }) => {
	expect(countFlushes(goingBack(alarm('errors', requests)), 250)).toBe(flushes)
})

test('a way back from another cause has no flushes', () => {
	expect(countFlushes(goingBack(alarm('stall', 500)), 250)).toBeNull()
	expect(countFlushes(goingBack({ by: 'command' }), 250)).toBeNull()
})
