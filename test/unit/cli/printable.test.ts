import { expect, test } from 'vitest'
import { toPrintable, toPrintableJson } from '#cli/printable.ts'

/** What a terminal obeys, and what turns the direction of writing. */
const steering = [
	'\u001b[2J',
	'\u009b31m',
	'\u0007',
	'\r',
	'\n',
	'\u202e',
	'\u2066',
	'\u200b',
	'\u2028',
	'\u{e0001}',
	'\u007f',
]

test.for(steering)('%j is made visible', (text) => {
	expect(toPrintable(`a${text}b`)).not.toContain(text[0])
	expect(toPrintable(`a${text}b`)).toContain('\ufffd')
})

test('what people write stays', () => {
	expect(toPrintable('Zoë · 75 % → 25 % 测试\tend')).toBe('Zoë · 75 % → 25 % 测试 end')
})

test.for(steering)('JSON with %j is plain, and means the same', (text) => {
	const json = toPrintableJson({ text: `a${text}b`, list: [1] })
	expect(json).not.toMatch(/[^\P{C}\n]/u)
	expect(JSON.parse(json)).toEqual({ text: `a${text}b`, list: [1] })
})
