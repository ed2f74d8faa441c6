// Each answer of docs/peer-failures.md that names a test names one that is there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { namesTest } from './fixtures/named-test.ts'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/peer-failures.md'), 'utf8')
const rows = page.split('\n').filter((line) => /^\| \d+ \|/.test(line))
/** The last cell. */
const named = rows.map((row) => row.split(' | ').at(-1)?.replace(/ \|$/, '') ?? '')

test('each known failure, and each wish, has a row', () => {
	expect(rows.map((row) => Number(row.split('|')[1]))).toEqual([...numbersTo(11), ...numbersTo(27)])
})

function numbersTo(last: number): number[] {
	return Array.from({ length: last }, (_, index) => index + 1)
}

test('every test that is named exists', () => {
	expect(named.filter((cell) => cell !== '–' && !namesTest(cell))).toEqual([])
})

test('what has no test says that it is not there', () => {
	const without = rows.filter((_, index) => named[index] === '–')
	for (const row of without) expect(row).toMatch(/in this version/)
})
