import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sha256Hex } from '#base/hash.ts'
import { makeTempDirectory, type TempDirectory } from '#lab/temp.ts'
import { runInProcess } from '../../fixtures/run-in-process.ts'

let folder: TempDirectory
let file: string
beforeEach(() => {
	folder = makeTempDirectory('token')
	file = join(folder.path, 'a.token')
})
afterEach(() => folder.remove())

const a = 'mesh/apps/virtualNode/a'

test('a token by chance, for its owner alone, and the line with its hash', async () => {
	const { code, out, talk } = await runInProcess(['token', file, '--node', a])
	const token = readFileSync(file, 'utf8')
	expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
	expect(statSync(file).mode & 0o777).toBe(0o600)
	expect({ code, out, talk }).toEqual({ code: 0, out: [`${a} sha256:${sha256Hex(token)}`], talk: [] })
})

test('the line of a token that is there, which stays', async () => {
	const token = 'a-token.of_some~other+maker/0123456789=='
	writeFileSync(file, token)
	const { out } = await runInProcess(['token', file, '--node', 'mesh/apps/virtualGateway/edge'])
	expect(out).toEqual([`mesh/apps/virtualGateway/edge sha256:${sha256Hex(token)}`])
	expect(readFileSync(file, 'utf8')).toBe(token)
})

test.for([
	['ends with a line break or a blank', `${'x'.repeat(40)}\n`],
	['has more in it than letters', `${'x'.repeat(40)} ${'y'.repeat(40)}`],
	['has a token of fewer than 32 characters', 'x'.repeat(31)],
	['is one of more than 4 KiB', 'x'.repeat(5000)],
] as const)('a file that %s', async ([words, text]) => {
	writeFileSync(file, text)
	for (const parameters of [
		['token', file, '--node', a],
		['bootstrap', '--node', a, '--xds-token', file],
	]) {
		const { code, out, talk } = await runInProcess(parameters)
		expect([code, out]).toEqual([64, []])
		expect(talk.join('\n')).toContain(words)
		expect(talk.join('\n')).not.toMatch(/x{20}/)
	}
})

test('a folder that is not there', async () => {
	const { code, talk } = await runInProcess(['token', join(folder.path, 'no', 'token'), '--node', a])
	expect(code).toBe(64)
	expect(talk.join('\n')).toContain('cannot be written (ENOENT)')
})
