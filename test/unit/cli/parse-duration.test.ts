import { expect, test } from 'vitest'
import { formatDuration, parseDuration } from '#cli/parse-duration.ts'

test.for([
	['500ms', 500],
	['30s', 30_000],
	['1m30s', 90_000],
	['2h', 7_200_000],
] as const)('%s', ([text, ms]) => {
	expect(parseDuration(text)).toEqual({ ok: true, value: ms })
})

test.for(['', '30', 's', '1.5s', '-1s', '30 s', '1d', '30S'])('%j is none', (text) => {
	expect(parseDuration(text).ok).toBe(false)
})

test.for([
	[0, '0ms'],
	[999, '999ms'],
	[1_000, '1s'],
	[90_000, '1m 30s'],
	[3_600_000, '1h'],
	[3_723_000, '1h 2m'],
] as const)('%i ms is shown as %s', ([ms, text]) => {
	expect(formatDuration(ms)).toBe(text)
})
