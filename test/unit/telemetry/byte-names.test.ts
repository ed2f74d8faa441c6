import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { bytesOf, createByteNames, isAt } from '#telemetry/byte-names.ts'
import { createNameMemory } from '#telemetry/name-memory.ts'

describe('createByteNames', () => {
	test('finds a name wherever it lies, and no other', () => {
		const names = createByteNames<number>()
		for (const [index, name] of ['web', 'we', '', 'webs'].entries()) names.add(bytesOf(name), index)
		const bytes = bytesOf('a web, webs and more')
		expect([names.find(bytes, 2, 5), names.find(bytes, 7, 11), names.find(bytes, 7, 9)]).toEqual([0, 3, 1])
		expect([names.find(bytes, 0, 0), names.find(bytes, 0, 1)]).toEqual([2, undefined])
	})

	test('of names that look alike some are refused, so that no lookup is long', () => {
		const names = createByteNames<number>()
		// FNV-1a of these four bytes is 0, and zeros leave it there.
		const alike = Array.from({ length: 20 }, (_, zeros) =>
			Uint8Array.of(0xcc, 0x24, 0x31, 0xc4, ...Array(zeros).fill(0)),
		)
		expect(alike.map((name, index) => names.add(name, index)).filter((isAdded) => isAdded)).toHaveLength(8)
		expect(names.size()).toBe(8)
		expect(alike.map((name) => names.find(name, 0, name.length)).slice(6, 9)).toEqual([6, 7, undefined])
		expect(names.add(bytesOf('web'), 1)).toBe(true)
	})
})

test.for<[string, number, number, boolean]>([
	['just this', 1, 4, true],
	['shorter', 1, 3, false],
	['longer', 1, 5, false],
	['elsewhere', 0, 3, false],
	['before the beginning', -2, 1, false],
])('isAt: %s', ([, from, to, expected]) => {
	expect(isAt(bytesOf('awebs'), from, to, bytesOf('web'))).toBe(expected)
})

describe('createNameMemory', () => {
	test('gives the text of the bytes, once made and each time', () => {
		const memory = createNameMemory()
		for (const text of ['web', 'wéb', '\ufeffweb', '€'.repeat(limits.clusterNameChars)]) {
			const bytes = bytesOf(`-${text}-`)
			for (let round = 0; round < 2; round += 1) expect(memory.textAt(bytes, 1, bytes.length - 1)).toBe(text)
		}
		expect(memory.textAt(Uint8Array.of(0x61, 0xff), 0, 2)).toBe('a\ufffd')
		const long = bytesOf('x'.repeat(limits.clusterNameChars + 1))
		expect(memory.textAt(long, 0, long.length)).toBeNull()
	})

	test('keeps nothing of the bytes that it was shown', () => {
		const memory = createNameMemory()
		const bytes = Buffer.from('web')
		memory.textAt(bytes, 0, 3)
		bytes.write('bed')
		expect(memory.textAt(bytes, 0, 3)).toBe('bed')
		expect(memory.textAt(Buffer.from('web'), 0, 3)).toBe('web')
	})

	test('begins anew with more names than anybody has', () => {
		const memory = createNameMemory()
		for (let index = 0; index < 2 * limits.metricNames + 10; index += 1) {
			const bytes = bytesOf(`name-${index}`)
			expect(memory.textAt(bytes, 0, bytes.length)).toBe(`name-${index}`)
		}
		expect(memory.size()).toBeLessThanOrEqual(limits.metricNames)
	})
})
