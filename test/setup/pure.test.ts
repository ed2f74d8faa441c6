import { join } from 'node:path'
import { compileFunction } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { pureRooms } from '../../scripts/walls.ts'

const source = join(import.meta.dirname, '../../src')

/** A function whose code lies, for the stack, in a file of src/ that nobody wrote. */
function codeIn(file: string, body: string): () => unknown {
	return compileFunction(body, [], { filename: join(source, file) }) as () => unknown
}

const asking = [
	['Date.now', 'return Date.now()'],
	['new Date', 'return new Date()'],
	['Date', 'return Date()'],
	['setTimeout', 'clearTimeout(setTimeout(() => {}, 0))'],
	['setInterval', 'clearInterval(setInterval(() => {}, 1000))'],
	['setImmediate', 'clearImmediate(setImmediate(() => {}))'],
	['queueMicrotask', 'queueMicrotask(() => {})'],
	['Math.random', 'return Math.random()'],
	['performance.now', 'return performance.now()'],
] as const

describe.for(pureRooms.map((room) => [room] as const))('in %s/', ([room]) => {
	test.for(asking)('%s throws', ([name, body]) => {
		expect(codeIn(`${room}/imagined.ts`, body)).toThrow(`${name} was called from ${room}/, which is pure`)
	})

	test('it throws also when another function asks for it', () => {
		const outer = compileFunction('return inner()', ['inner'], { filename: join(source, room, 'imagined.ts') })
		expect(() => outer(() => Date.now())).toThrow('Date.now was called')
	})

	test('a date made from a number is a value', () => {
		expect(codeIn(`${room}/imagined.ts`, 'return new Date(0)')()).toEqual(new Date(0))
	})
})

test.for(asking)('in a room of the edge, and in a test, %s works', ([, body]) => {
	expect(codeIn('xds/imagined.ts', body)).not.toThrow()
	expect(Date.now()).toBeGreaterThan(0)
})
