import { X509Certificate } from 'node:crypto'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeTempDirectory, type TempDirectory } from '#lab/temp.ts'
import { runInProcess } from '../../fixtures/run-in-process.ts'

let folder: TempDirectory
beforeEach(() => {
	folder = makeTempDirectory('certs')
})
afterEach(() => folder.remove())

const at = (...parts: readonly string[]) => join(folder.path, 'made', ...parts)
const read = (...parts: readonly string[]) => readFileSync(at(...parts), 'utf8')
const certificate = (...parts: readonly string[]) => new X509Certificate(read(...parts))
const a = 'mesh/apps/virtualNode/a'
const edge = 'mesh/apps/virtualGateway/edge'

async function certs(...parameters: readonly string[]) {
	const { code, out, talk } = await runInProcess(['certs', at(), ...parameters])
	return { code, out, talk: talk.join('\n') }
}

test('an authority, the daemon and each proxy', async () => {
	const made = await certs('--server', 'sluice.internal', '10.0.0.1', '::1', '--node', a, edge)
	expect(made).toMatchObject({ code: 0, out: [at('server'), at(a), at(edge)] })
	expect(made.talk).toContain('for development; whoever reads')
	const authority = certificate('ca', 'ca.crt')
	expect([authority.ca, authority.verify(authority.publicKey)]).toEqual([true, true])
	const names = {
		server: 'DNS:sluice.internal, IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1',
		[a]: `URI:spiffe://sluice.local/${a}`,
		[edge]: `URI:spiffe://sluice.local/${edge}`,
	}
	for (const [place, written] of Object.entries(names)) {
		const own = certificate(place, 'tls.crt')
		expect([own.subjectAltName, own.ca, own.checkIssued(authority), own.verify(authority.publicKey)]).toEqual([
			written,
			false,
			true,
			true,
		])
		expect(own.validToDate.getTime() - Date.now()).toBeLessThanOrEqual(7 * 86_400_000)
		expect(own.keyUsage).toEqual([place === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'])
		expect(read(place, 'ca.crt')).toBe(read('ca', 'ca.crt'))
		expect(statSync(at(place, 'tls.key')).mode & 0o777).toBe(0o600)
	}
	expect(statSync(at('ca', 'ca.key')).mode & 0o777).toBe(0o600)
	expect(statSync(at('ca')).mode & 0o777).toBe(0o700)
})

test('a second call adds by the same authority, and overwrites nothing', async () => {
	await certs('--node', a)
	const before = read(a, 'tls.crt')
	const again = await certs('--node', edge, a)
	expect(again.code).not.toBe(0)
	expect(again.talk).toContain(`${at(a, 'tls.crt')} is there already`)
	expect(() => statSync(at(edge))).toThrow()
	expect((await certs('--node', edge, '--trust-domain', 'dev.example', '--days', '1')).code).toBe(0)
	expect(read(a, 'tls.crt')).toBe(before)
	const added = certificate(edge, 'tls.crt')
	expect(added.subjectAltName).toBe(`URI:spiffe://dev.example/${edge}`)
	expect(added.checkIssued(certificate('ca', 'ca.crt'))).toBe(true)
})

test.for([
	[[], 'nothing to make'],
	[['--node', 'a'], 'Write mesh/MESH/virtualNode/NAME'],
	[['--node', 'mesh/../virtualNode/..'], 'A name of dots alone'],
	[['--server', 'a/b'], 'is no DNS name or IP address'],
	[['--node', a, '--days', '0'], 'Write 1 to 90'],
	[['--node', a, '--trust-domain', 'a/b'], 'small letters, digits'],
] as const)('%s is refused', async ([parameters, words]) => {
	const { code, talk } = await certs(...parameters)
	expect(code).not.toBe(0)
	expect(talk).toContain(words)
	expect(() => statSync(at())).toThrow()
})

test.for([
	['half an authority', () => rmSync(at('ca', 'ca.crt')), 'is there without its other half'],
	['an authority that is none', () => writeFileSync(at('ca', 'ca.crt'), 'x'), 'cannot be read'],
	['a key of another', () => writeFileSync(at('ca', 'ca.key'), read(a, 'tls.key')), 'does not belong to ca.crt'],
] as const)('%s is left as it is', async ([, damage, words]) => {
	await certs('--node', a)
	damage()
	const { code, talk } = await certs('--node', edge)
	expect(code).not.toBe(0)
	expect(talk).toContain(words)
	expect(() => statSync(at(edge))).toThrow()
})
