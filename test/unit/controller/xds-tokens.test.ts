import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import type { LogFields } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { openXdsTokens, type XdsTokens } from '#controller/xds-tokens.ts'
import { makeTempDirectory, type TempDirectory } from '#lab/temp.ts'

const lineOf = (token: string) => `mesh/apps/virtualNode/a sha256:${sha256Hex(token)}\n`
const hashesOf = (tokens: XdsTokens) => [...tokens.current().all]

let folder: TempDirectory
let file: string
let logged: string[]
let opened: XdsTokens | null
beforeEach(() => {
	folder = makeTempDirectory('xds-tokens')
	file = join(folder.path, 'tokens')
	logged = []
	opened = null
})
afterEach(async () => {
	await opened?.close()
	folder.remove()
	expect(logged.join('\n')).not.toContain('a-token')
})

const log = (event: string, fields: LogFields = {}) => void logged.push(`${event} ${JSON.stringify(fields)}`)

function put(text: string): void {
	writeFileSync(`${file}.new`, text)
	renameSync(`${file}.new`, file)
}

async function open(): Promise<XdsTokens> {
	const tokens = await openXdsTokens({
		file,
		clock: systemClock,
		log: { debug: log, info: log, warn: log, error: log },
	})
	if (!tokens.ok) throw new Error(tokens.error)
	opened = tokens.value
	return tokens.value
}

test('new lines are taken when two looks find them alike', async () => {
	put(lineOf('one'))
	const tokens = await open()
	put(lineOf('two'))
	await tokens.look()
	expect(hashesOf(tokens)).toEqual([sha256Hex('one')])
	await tokens.look()
	expect(hashesOf(tokens)).toEqual([sha256Hex('two')])
	expect(logged).toEqual([`xds.tokens ${JSON.stringify({ file, count: 1 })}`])
})

describe('the last good ones stay, and what is wrong is told', () => {
	test.for([
		['a mistake', () => put(`${lineOf('one')}mesh/apps/virtualNode/b a-token`), ':2:25: expected sha256:'],
		['nothing in it', () => put(''), ':1:1: there is no line'],
		['no file', () => rmSync(file), 'is not there: '],
		['more than can be', () => put('#'.repeat(limits.xdsTokensBytes + 1)), 'of more than 4096 KiB'],
	] as const)('%s', async ([, damage, words]) => {
		put(lineOf('one'))
		const tokens = await open()
		damage()
		await tokens.look()
		expect(tokens.troubles()).toEqual([])
		await tokens.look()
		const [trouble] = tokens.troubles()
		expect(trouble).toMatchObject({ code: 'SL0511', subject: 'the file of tokens' })
		expect(trouble?.message).toContain(words)
		expect(trouble?.message).toContain('the last good one stays')
		expect(hashesOf(tokens)).toEqual([sha256Hex('one')])
		put(lineOf('two'))
		await tokens.look()
		await tokens.look()
		expect([tokens.troubles(), hashesOf(tokens)]).toEqual([[], [sha256Hex('two')]])
	})
})

test('a mistake that is taken back is told no more', async () => {
	put(lineOf('one'))
	const tokens = await open()
	put('a-token')
	await tokens.look()
	await tokens.look()
	put(lineOf('one'))
	await tokens.look()
	expect(tokens.troubles()).toEqual([])
	expect(logged.at(-1)).toContain('discovery.recovered')
})

describe('it does not open', () => {
	test('without a file', async () => {
		await expect(open()).rejects.toThrow(`is not there: ${file}`)
	})

	test('with mistakes: each with its place, and not without end', async () => {
		put('a-token\n'.repeat(limits.refusalFindings + 5))
		const message = await open().catch(({ message: words }: Error) => words)
		expect(message).toContain(`${file}:1:1: expected mesh/`)
		expect(message).toContain(`${file}:${limits.refusalFindings}:1:`)
		expect(message).toMatch(/and 5 more$/)
	})
})
