import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeTempDirectory } from '#lab/temp.ts'
import { createCredentials } from '#telemetry/credentials.ts'

const folder = makeTempDirectory('credentials')
afterAll(() => folder.remove())

function put(name: string, files: Readonly<Record<string, string>>): void {
	mkdirSync(join(folder.path, name), { recursive: true })
	for (const [file, text] of Object.entries(files)) writeFileSync(join(folder.path, name, file), text)
}

put('token', { token: 'abc.def\n' })
put('basic', { username: 'ada\n', password: 'pa:ss word' })
put('half', { username: 'ada' })
put('broken', { token: 'two\nlines' })
put('empty', { token: '' })
const credentials = createCredentials({
	directory: folder.path,
	environment: {
		SLUICE_METRIC_TOKEN_FROM_VARIABLE: 'xyz',
		SLUICE_METRIC_PASSWORD_P: 'bob:pw',
		SLUICE_METRIC_TOKEN_E: '',
	},
})

test.for<[string, string | null]>([
	['token', 'Bearer abc.def'],
	['basic', `Basic ${Buffer.from('ada:pa:ss word').toString('base64')}`],
	['from-variable', 'Bearer xyz'],
	['p', `Basic ${Buffer.from('bob:pw').toString('base64')}`],
	['half', null],
	['broken', null],
	['empty', null],
	['nobody', null],
	['e', null],
])('%s', async ([name, header]) => {
	const found = await credentials.authorization(name)
	expect(found.ok ? found.value : null).toBe(header)
	if (!found.ok) expect(found.error).toContain(`the credentials ${name}`)
})

test('a secret that was exchanged is taken up', async () => {
	put('renewed', { token: 'one' })
	expect(await credentials.authorization('renewed')).toMatchObject({ value: 'Bearer one' })
	put('renewed', { token: 'two' })
	expect(await credentials.authorization('renewed')).toMatchObject({ value: 'Bearer two' })
})

test('without a folder only variables are known', async () => {
	const bare = createCredentials({ directory: null, environment: {} })
	expect(await bare.authorization('token')).toEqual({
		ok: false,
		error: 'the daemon does not know the credentials token',
	})
})
