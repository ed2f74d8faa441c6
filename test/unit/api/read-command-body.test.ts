import { expect, test } from 'vitest'
import { readCommandBody } from '#api/read-command-body.ts'
import { limits } from '#base/limits.ts'

test('a name and a reason, without the space around them', () => {
	expect(readCommandBody('{"actor": " ada ", "reason": "INC-311 ", "more": 1}')).toEqual({
		ok: true,
		value: { actor: 'ada', reason: 'INC-311' },
	})
})

test.for([
	['', 'the body is JSON'],
	['nothing', 'the body is JSON'],
	['[]', 'the body is JSON'],
	['null', 'the body is JSON'],
	['{}', 'actor is required'],
	['{"actor": "ada"}', 'reason is required'],
	['{"actor": "ada", "reason": "  "}', 'reason is required'],
	['{"actor": 7, "reason": "x"}', 'actor is required'],
	['{"actor": "ada\\u001b[2J", "reason": "x"}', 'without control characters'],
	['{"actor": "ada", "reason": "x\\u202ey"}', 'without control characters'],
	['{"actor": "Sluice", "reason": "x"}', 'sluice itself never does'],
	[JSON.stringify({ actor: 'ada', reason: 'x'.repeat(limits.apiReasonChars + 1) }), 'has at most'],
] as const)('%s', ([text, words]) => {
	const read = readCommandBody(text)
	expect(read.ok ? null : read.error).toContain(words)
})
