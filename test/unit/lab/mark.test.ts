import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { markAtMonotonic, markAtWall, markNow } from '#lab/mark.ts'

test('marks of two processes are in order', () => {
	const before = markNow()
	const program = 'process.stdout.write(String(Number(process.hrtime.bigint()) / 1e6))'
	const there = Number(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' }))
	const after = markNow()
	expect(there).toBeGreaterThan(before.monotonicMs)
	expect(there).toBeLessThan(after.monotonicMs)
})

test('a past moment by either of its times', () => {
	const now = markNow()
	expect(markAtWall(now.wallMs - 5000).monotonicMs).toBeCloseTo(now.monotonicMs - 5000, -2)
	expect(markAtMonotonic(now.monotonicMs - 5000).wallMs).toBeCloseTo(now.wallMs - 5000, -2)
})
