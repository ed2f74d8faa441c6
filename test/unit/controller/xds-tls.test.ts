import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { LogFields } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { openXdsTls, type XdsTls } from '#controller/xds-tls.ts'
import { makeTempDirectory, type TempDirectory } from '#lab/temp.ts'
import { type Authority, createAuthority, type Issued } from '../../fixtures/certificates.ts'

let authority: Authority
let first: Issued
let second: Issued
let expired: Issued
beforeAll(async () => {
	authority = await createAuthority()
	first = await authority.issue({ names: ['xds.local'] })
	second = await authority.issue({ names: ['xds.local'] })
	expired = await authority.issue({ names: ['xds.local'], validity: 'expired' })
})

let folder: TempDirectory
let logged: string[]
let taken: string[]
let opened: XdsTls | null
beforeEach(() => {
	folder = makeTempDirectory('xds-tls')
	logged = []
	taken = []
	opened = null
})
afterEach(async () => {
	await opened?.close()
	folder.remove()
	// Whatever went wrong, nothing of a key was told.
	for (const { privateKey } of [first, second, expired]) expect(logged.join('\n')).not.toContain(bodyOf(privateKey))
})

const log = (event: string, fields: LogFields = {}) => void logged.push(`${event} ${JSON.stringify(fields)}`)
const bodyOf = (privateKey: string) => privateKey.split('\n')[1] ?? ''

function put(files: Readonly<Record<string, string>>): void {
	for (const [file, text] of Object.entries(files)) {
		writeFileSync(join(folder.path, `${file}.new`), text)
		renameSync(join(folder.path, `${file}.new`), join(folder.path, file))
	}
}
const pairOf = ({ chain, privateKey }: Issued) => ({ 'tls.crt': chain, 'tls.key': privateKey })

async function open(): Promise<XdsTls> {
	const tls = await openXdsTls({
		folder: folder.path,
		bareClients: 'refused',
		clock: systemClock,
		log: { debug: log, info: log, warn: log, error: log },
	})
	if (!tls.ok) throw new Error(tls.error)
	opened = tls.value
	opened.follow(({ privateKey }) => void taken.push(bodyOf(privateKey)))
	return tls.value
}

/** What is new counts when it is found twice. */
async function lookTwice(tls: XdsTls): Promise<void> {
	await tls.look()
	await tls.look()
}

test('a rotated certificate and rotated authorities are taken up', async () => {
	put({ ...pairOf(first), 'ca.crt': authority.certificate })
	const tls = await open()
	expect(tls.current()).toMatchObject({ clientAuthorities: expect.stringContaining('BEGIN CERTIFICATE') })
	const both = `${authority.certificate}\n${(await createAuthority('next')).certificate}`
	put({ ...pairOf(second), 'ca.crt': both })
	await lookTwice(tls)
	expect(taken).toEqual([bodyOf(second.privateKey)])
	expect(tls.current().clientAuthorities?.match(/BEGIN/g)).toHaveLength(2)
	expect(tls.troubles()).toEqual([])
})

describe('the last good one stays, and what is wrong is told', () => {
	test.for([
		[
			'a key of another',
			'SL0507',
			'has a tls.key that does not belong to its tls.crt',
			() => put({ 'tls.key': second.privateKey }),
		],
		[
			'a broken certificate',
			'SL0507',
			'has no certificate in tls.crt',
			() => put({ 'tls.crt': first.chain.slice(0, 200) }),
		],
		['a key that is gone', 'SL0507', 'has a tls.crt without tls.key', () => rmSync(join(folder.path, 'tls.key'))],
		['authorities that are gone', 'SL0507', 'has no ca.crt any more', () => rmSync(join(folder.path, 'ca.crt'))],
		['an expired one', 'SL0508', 'has a certificate that has expired', () => put(pairOf(expired))],
		[
			'nothing at all',
			'SL0506',
			'is not there',
			() => ['tls.crt', 'tls.key', 'ca.crt'].map((file) => rmSync(join(folder.path, file))),
		],
	] as const)('%s', async ([, code, words, damage]) => {
		put({ ...pairOf(first), 'ca.crt': authority.certificate })
		const tls = await open()
		damage()
		await lookTwice(tls)
		const [trouble] = tls.troubles()
		expect(trouble).toMatchObject({ code, subject: 'the certificate of xDS' })
		expect(trouble?.message).toContain(words)
		expect(trouble?.message).toContain('the last good one stays')
		expect(taken).toEqual([])
		expect(bodyOf(tls.current().privateKey)).toBe(bodyOf(first.privateKey))
		put({ ...pairOf(second), 'ca.crt': authority.certificate })
		await lookTwice(tls)
		expect([tls.troubles(), taken]).toEqual([[], [bodyOf(second.privateKey)]])
	})
})

test('authorities that come to a port without them are told, not taken', async () => {
	put(pairOf(first))
	const tls = await open()
	put({ 'ca.crt': authority.certificate })
	await lookTwice(tls)
	expect(tls.troubles()[0]?.message).toContain('that needs a restart')
	expect(tls.current().clientAuthorities).toBeNull()
})

test('one that has expired is shown where there is no other, and that is told', async () => {
	put(pairOf(expired))
	expect((await open()).troubles()[0]).toMatchObject({ code: 'SL0508' })
})

describe('it does not open', () => {
	test.for([
		['with nothing there', {}, 'is not there'],
		['without a pair', { 'ca.crt': 'ca' }, 'has no tls.crt with tls.key'],
		[
			'with authorities that are none',
			{ 'tls.crt': 'pair', 'tls.key': 'pair', 'ca.crt': 'x' },
			'has no certificate in ca.crt',
		],
	] as const)('%s', async ([, files, words]) => {
		const texts: Readonly<Record<string, string>> = { ca: authority.certificate, x: 'x' }
		for (const file of Object.keys(files)) {
			const value = (files as Readonly<Record<string, string>>)[file] ?? ''
			put({ [file]: texts[value] ?? pairOf(first)[file as 'tls.crt'] })
		}
		await expect(open()).rejects.toThrow(words)
	})
})
