import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import type { LogFields } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { type Certificates, createCertificates } from '#discovery/certificates.ts'
import { makeTempDirectory, type TempDirectory } from '#lab/temp.ts'
import { createManualClock, type ManualClock } from '../../fakes/manual-clock.ts'
import { type Authority, createAuthority, type Issued } from '../../fixtures/certificates.ts'

let authority: Authority
let first: Issued
let second: Issued
let expired: Issued
beforeAll(async () => {
	authority = await createAuthority()
	first = await authority.issue({ names: ['web.local'] })
	second = await authority.issue({ names: ['web.local'] })
	expired = await authority.issue({ names: ['web.local'], validity: 'expired' })
})

let folder: TempDirectory
let clock: ManualClock
let certificates: Certificates
let changes: number
let logged: string[]
const log = (event: string, fields: LogFields = {}) => void logged.push(`${event} ${JSON.stringify(fields)}`)

beforeEach(() => {
	folder = makeTempDirectory('certificates')
	clock = createManualClock(Date.now())
	changes = 0
	logged = []
	certificates = createCertificates({
		folder: folder.path,
		clock,
		log: { debug: log, info: log, warn: log, error: log },
		changed() {
			changes += 1
		},
	})
})
afterEach(async () => {
	await certificates.close()
	folder.remove()
})

function put(name: string, files: Readonly<Record<string, string>>): void {
	mkdirSync(join(folder.path, name), { recursive: true })
	for (const [file, text] of Object.entries(files)) writeFileSync(join(folder.path, name, file), text)
}
const pairOf = ({ chain, privateKey }: Issued) => ({ 'tls.crt': chain, 'tls.key': privateKey })

/** Two looks: what is new counts when it is found twice. */
async function lookTwice(): Promise<void> {
	await certificates.look()
	await certificates.look()
}
const chainOf = (name: string) => certificates.secrets().get(name)?.certificate?.chain
const troubles = () => certificates.troubles().map(({ code, subject, message }) => `${code} ${subject} ${message}`)

describe('a secret', () => {
	test('is read from its folder', async () => {
		put('web', { ...pairOf(first), 'ca.crt': authority.certificate })
		certificates.follow(['web'])
		await lookTwice()
		const secret = certificates.secrets().get('web')
		expect([chainOf('web'), secret?.authorities]).toEqual([first.chain, authority.certificate].map(withLastBreak))
		expect([changes, troubles()]).toEqual([1, []])
	})

	test('is taken only when two looks find the same', async () => {
		put('web', pairOf(first))
		certificates.follow(['web'])
		await certificates.look()
		expect([certificates.secrets().size, clock.pendingMs()[0]]).toEqual([0, 0])
		put('web', pairOf(second))
		await certificates.look()
		expect(certificates.secrets().size).toBe(0)
		await certificates.look()
		expect(chainOf('web')).toBe(withLastBreak(second.chain))
	})

	test('that nobody asks for is not read', async () => {
		put('web', pairOf(first))
		certificates.follow([])
		await lookTwice()
		expect(certificates.secrets().size).toBe(0)
	})

	test('that nobody asks for any more is there for a way back, for a while', async () => {
		put('web', pairOf(first))
		certificates.follow(['web'])
		await lookTwice()
		certificates.follow([])
		rmSync(join(folder.path, 'web'), { recursive: true })
		await lookTwice()
		expect([chainOf('web'), troubles()]).toEqual([withLastBreak(first.chain), []])
		certificates.follow(['web'])
		expect(troubles()).toHaveLength(1)
		certificates.follow([])
		clock.advance(limits.discoveredKeptMs + 1)
		await certificates.look()
		expect(certificates.secrets().size).toBe(0)
	})

	test('that is a pipe is not waited for', async () => {
		put('web', { 'tls.crt': first.chain })
		execFileSync('mkfifo', [join(folder.path, 'web', 'tls.key')])
		certificates.follow(['web'])
		await lookTwice()
		expect(troubles()).toEqual(['SL0507 the secret web has a tls.key that is no file'])
	})

	test('that is not there is told of, and found when it comes', async () => {
		certificates.follow(['web'])
		await lookTwice()
		expect(troubles()).toEqual(['SL0506 the secret web is not in the folder of certificates'])
		put('web', pairOf(first))
		await lookTwice()
		expect([chainOf('web'), troubles()]).toEqual([withLastBreak(first.chain), []])
	})

	test.for(['../web', '..', '.hidden', 'a/b', 'spiffe://web', ''])(
		'a name that leads elsewhere finds nothing: %s',
		async (name) => {
			put('web', pairOf(first))
			certificates.follow([name])
			await lookTwice()
			expect([certificates.secrets().size, certificates.troubles()[0]?.code]).toEqual([0, 'SL0506'])
		},
	)

	test('too large a file is not read', async () => {
		put('web', { ...pairOf(first), 'ca.crt': 'x'.repeat(limits.secretFileBytes + 1) })
		certificates.follow(['web'])
		await lookTwice()
		expect(troubles()).toEqual(['SL0507 the secret web has a ca.crt of more than 256 KiB'])
	})
})

describe('a rotation', () => {
	beforeEach(async () => {
		put('web', pairOf(first))
		certificates.follow(['web'])
		await lookTwice()
	})

	test('that is written by half is not served, whichever half it is', async () => {
		for (const half of [{ 'tls.crt': second.chain }, { ...pairOf(first), 'tls.key': second.privateKey }]) {
			put('web', half)
			await lookTwice()
			await lookTwice()
			expect([chainOf('web'), changes]).toEqual([withLastBreak(first.chain), 1])
			expect(troubles()).toEqual([
				'SL0507 the secret web has a tls.key that does not belong to its tls.crt; the last good one stays',
			])
		}
		put('web', pairOf(second))
		await lookTwice()
		expect([chainOf('web'), changes, troubles()]).toEqual([withLastBreak(second.chain), 2, []])
	})

	test('by the switch of a link, as Kubernetes does it', async () => {
		put('..one', pairOf(first))
		put('..two', pairOf(second))
		const at = (name: string) => join(folder.path, name)
		symlinkSync('..one', at('..data'))
		mkdirSync(at('linked'))
		for (const file of ['tls.crt', 'tls.key']) symlinkSync(`../..data/${file}`, join(at('linked'), file))
		certificates.follow(['linked'])
		await lookTwice()
		expect(chainOf('linked')).toBe(withLastBreak(first.chain))
		symlinkSync('..two', at('..new'))
		renameSync(at('..new'), at('..data'))
		await lookTwice()
		expect(chainOf('linked')).toBe(withLastBreak(second.chain))
	})

	test('to an expired certificate is not taken while the old one is valid', async () => {
		put('web', pairOf(expired))
		await lookTwice()
		expect(chainOf('web')).toBe(withLastBreak(first.chain))
		expect(troubles()).toEqual([
			expect.stringMatching(
				/^SL0508 the secret web has a certificate that has expired on .*Z; the last good one stays$/,
			),
		])
	})

	test('away: the last good stays', async () => {
		rmSync(join(folder.path, 'web'), { recursive: true })
		await lookTwice()
		expect(chainOf('web')).toBe(withLastBreak(first.chain))
		expect(troubles()).toEqual(['SL0506 the secret web is not in the folder of certificates; the last good one stays'])
	})
})

describe('age', () => {
	test('an expired certificate is served where there is no better, and told of', async () => {
		put('web', pairOf(expired))
		certificates.follow(['web'])
		await lookTwice()
		expect(chainOf('web')).toBe(withLastBreak(expired.chain))
		expect(certificates.troubles().map(({ code }) => code)).toEqual(['SL0508'])
	})

	test('one that expires soon is told of in time', async () => {
		put('web', pairOf(first))
		certificates.follow(['web'])
		await lookTwice()
		const dayMs = 86_400_000
		clock.advance(23 * dayMs)
		await certificates.look()
		expect(troubles()).toEqual([])
		clock.advance(1 * dayMs)
		await certificates.look()
		expect(certificates.troubles().map(({ code }) => code)).toEqual(['SL0509'])
		clock.advance(7 * dayMs)
		await certificates.look()
		expect(certificates.troubles().map(({ code }) => code)).toEqual(['SL0508'])
	})
})

test('no key is in any line or trouble', async () => {
	put('web', { 'tls.crt': first.privateKey, 'tls.key': second.privateKey })
	put('torn', { 'tls.crt': first.chain, 'tls.key': first.privateKey.slice(0, -60) })
	put('good', pairOf(first))
	certificates.follow(['web', 'torn', 'good'])
	await lookTwice()
	const said = [...logged, JSON.stringify(certificates.troubles())].join('\n')
	expect(logged).toHaveLength(3)
	for (const { privateKey } of [first, second]) {
		for (const line of privateKey.split('\n').slice(1, -2)) expect(said).not.toContain(line.slice(0, 20))
	}
})

test('a change is seen by itself', async () => {
	put('web', pairOf(first))
	const found = Promise.withResolvers<void>()
	const rotated = Promise.withResolvers<void>()
	const real = createCertificates({
		folder: folder.path,
		clock: systemClock,
		log: { debug: log, info: log, warn: log, error: log },
		changed() {
			const chain = real.secrets().get('web')?.certificate?.chain
			if (chain === withLastBreak(first.chain)) found.resolve()
			if (chain === withLastBreak(second.chain)) rotated.resolve()
		},
	})
	real.follow(['web'])
	await found.promise
	put('web', pairOf(second))
	await rotated.promise
	await real.close()
})

function withLastBreak(pem: string): string {
	return pem.endsWith('\n') ? pem : `${pem}\n`
}
