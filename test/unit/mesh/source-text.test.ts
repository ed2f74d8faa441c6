import { expect, test } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { decodeText, frameAround, placeAt, sourceText } from '../../../src/mesh/source-text.ts'

test.for<[string, number[], boolean]>([
	['plain text', [0x61, 0x0a], true],
	['a byte order mark', [0xef, 0xbb, 0xbf, 0x61], true],
	['nothing', [], true],
	['UTF-16, little end first', [0xff, 0xfe, 0x61, 0x00], false],
	['UTF-16, big end first', [0xfe, 0xff, 0x00, 0x61], false],
	['a NUL', [0x61, 0x00], false],
	['a lone continuation byte', [0x61, 0x80], false],
	['an overlong form', [0xc0, 0xaf], false],
	['a surrogate', [0xed, 0xa0, 0x80], false],
])('%s', ([, bytes, isText]) => {
	expect('text' in decodeText(Uint8Array.from(bytes))).toBe(isText)
})

test('the byte order mark is no part of the text', () => {
	expect(decodeText(Uint8Array.from([0xef, 0xbb, 0xbf, 0x61]))).toEqual({ text: 'a', lineStarts: [0] })
})

test.for([
	[0, 1, 1],
	[1, 1, 2],
	[3, 2, 1],
	[5, 3, 1],
	[6, 3, 2],
	[99, 3, 95],
] as const)('offset %i is %i:%i', ([offset, line, column]) => {
	expect(placeAt(sourceText('ab\nc\nd'), offset)).toEqual({ line, column })
})

test('a frame is the line and its neighbours, without line ends', () => {
	const source = sourceText('one\r\ntwo\r\n\r\nfour')
	expect(frameAround(source, 1).map(({ text }) => text)).toEqual(['one', 'two'])
	expect(frameAround(source, 2).map(({ line }) => line)).toEqual([1, 2])
	expect(frameAround(source, 4)).toEqual([{ line: 4, text: 'four' }])
})

test('long lines are cut', () => {
	const [shown] = frameAround(sourceText('x'.repeat(100_000)), 1)
	expect(shown?.text.length).toBe(limits.frameChars + 1)
})

test('users and passwords of URLs are not shown, and what follows stays in its column', () => {
	const line = "  repo: {a: 'https://me:pa.ss@x.example/', b: 'http://t@y/', c: me@z, d: 'https://x/@y'}"
	const [shown] = frameAround(sourceText(line), 1)
	expect(shown?.text).toBe(line.replace('me:pa.ss@', '********@').replace('//t@', '//*@'))
})
