import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { createHookSecrets } from '#hooks/hook-secrets.ts'

const key = 'a-key-of-thirty-two-characters!!'
let directory: string

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'sluice-hook-secrets-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function write(name: string, text: string): void {
	mkdirSync(join(directory, name), { recursive: true })
	writeFileSync(join(directory, name, 'secret'), text)
}

async function keysOf(name: string, environment: Record<string, string> = {}): Promise<readonly string[] | string> {
	const keys = await createHookSecrets({ directory, environment }).keys(name)
	return keys.ok ? keys.value.map((each) => each.toString('utf8')) : keys.error
}

test('a file has a key in each line, as it is or as Standard Webhooks write it', async () => {
	write('tickets', `whsec_${Buffer.from(key).toString('base64')}\r\n${key}2\n\n`)
	expect(await keysOf('tickets')).toEqual([key, `${key}2`])
})

test('it is read with each call, so that a new one is taken up', async () => {
	write('tickets', key)
	expect(await keysOf('tickets')).toEqual([key])
	write('tickets', `${key}-new`)
	expect(await keysOf('tickets')).toEqual([`${key}-new`])
})

test('a variable comes before the folder', async () => {
	write('my-team', key)
	expect(await keysOf('my-team', { SLUICE_HOOK_SECRET_MY_TEAM: `${key}-env` })).toEqual([`${key}-env`])
})

test.for([
	{ why: 'nothing', text: null, error: 'the daemon does not know the secret tickets' },
	{ why: 'an empty file', text: '\n', error: 'the daemon does not know the secret tickets' },
	{ why: 'a short key', text: 'hunter2', error: 'the secret tickets is shorter than 24 bytes' },
	{
		why: 'a short one beside a long one',
		text: `${key}\nwhsec_aGk=`,
		error: 'the secret tickets is shorter than 24 bytes',
	},
	{
		why: 'a file too large',
		text: 'x'.repeat(limits.hookSecretBytes + 1),
		error: 'the daemon does not know the secret tickets',
	},
])('of $why no key comes, and no part of it is said', async ({ text, error }) => {
	if (text !== null) write('tickets', text)
	expect(await keysOf('tickets')).toBe(error)
})
