// Each answer of docs/peer-failures.md that names a test names one that is there.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

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
	const wrong = named.filter((cell) => {
		if (cell === '–') return false
		const [, file = '', name = ''] = /^`(test\/.+)` › `(.+)`$/.exec(cell) ?? []
		return !existsSync(join(root, file)) || !isNamedIn(readFileSync(join(root, file), 'utf8'), name)
	})
	expect(wrong).toEqual([])
})

/** As the title of a test, or of a row of one. */
function isNamedIn(text: string, name: string): boolean {
	return ["'", '"', '`'].some((quote) => text.includes(`${quote}${name}${quote}`))
}

test('what has no test says that it is not there', () => {
	const without = rows.filter((_, index) => named[index] === '–')
	for (const row of without) expect(row).toMatch(/in this version/)
})
