import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseSecret, type SecretTexts } from '#discovery/parse-secret.ts'
import { type Authority, createAuthority, type Issued } from '../../fixtures/certificates.ts'

let authority: Authority
let web: Issued
let other: Issued
beforeAll(async () => {
	authority = await createAuthority()
	;[web, other] = await Promise.all([
		authority.issue({ names: ['web.local'] }),
		authority.issue({ names: ['b.local'] }),
	])
})

const parse = (texts: Partial<SecretTexts>) =>
	parseSecret({ certificate: null, privateKey: null, authorities: null, ...texts })
const whole = (): SecretTexts => ({
	certificate: web.chain,
	privateKey: web.privateKey,
	authorities: authority.certificate,
})
const errorOf = (texts: Partial<SecretTexts>) => {
	const parsed = parse(texts)
	return parsed.ok ? null : parsed.error
}

function parsedWhole(texts: SecretTexts) {
	const parsed = parseSecret(texts)
	if (!parsed.ok) throw new Error(parsed.error)
	return parsed.value
}

test('certificate, key and authorities', () => {
	const { material, validity } = parsedWhole(whole())
	expect(material.certificate?.chain).toContain('BEGIN CERTIFICATE')
	expect(material.certificate?.privateKey).toContain('BEGIN PRIVATE KEY')
	expect(material.authorities).toContain('BEGIN CERTIFICATE')
	expect((validity?.untilMs ?? 0) - (validity?.fromMs ?? 0)).toBe(32 * 86_400_000)
})

test('authorities alone, or a pair alone', () => {
	expect(parse({ authorities: authority.certificate })).toMatchObject({
		ok: true,
		value: { material: { certificate: null }, validity: null },
	})
	expect(parse({ certificate: web.chain, privateKey: web.privateKey })).toMatchObject({
		ok: true,
		value: { material: { authorities: null } },
	})
})

test('only certificates are handed on, in one form: a key or words beside them stay where they are', () => {
	const { material } = parsedWhole(whole())
	const noisy = `Bag Attributes\n${other.privateKey}\n${web.chain.replaceAll('\n', '\r\n')}# the end`
	const again = parsedWhole({ ...whole(), certificate: noisy })
	expect(again.material).toEqual(material)
	expect(again.material.certificate?.chain).not.toContain('PRIVATE')
})

test('the hash tells each part apart', () => {
	const hashes = [
		whole(),
		{ ...whole(), authorities: `${authority.certificate}\n${other.chain}` },
		{ ...whole(), authorities: null },
		{ certificate: other.chain, privateKey: other.privateKey, authorities: authority.certificate },
	].map((texts) => parsedWhole(texts).material.hash)
	expect(new Set(hashes).size).toBe(4)
})

describe('what Envoy would refuse, or what was written by half, is refused in words that hold none of it', () => {
	const cases: readonly [string, () => Partial<SecretTexts>][] = [
		['holds neither tls.crt with tls.key nor ca.crt', () => ({})],
		['has a tls.crt without tls.key', () => ({ certificate: web.chain })],
		['has a tls.key without tls.crt', () => ({ privateKey: web.privateKey })],
		[
			'has a tls.key that does not belong to its tls.crt',
			() => ({ certificate: web.chain, privateKey: other.privateKey }),
		],
		['has no certificate in tls.crt', () => ({ certificate: '', privateKey: web.privateKey })],
		['has a tls.crt that breaks off', () => ({ ...whole(), certificate: web.chain + other.chain.slice(0, 200) })],
		[
			'has a ca.crt that breaks off',
			() => ({ ...whole(), authorities: web.chain + authority.certificate.slice(-200) }),
		],
		[
			'has something in ca.crt that is no certificate',
			() => ({ authorities: '-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----' }),
		],
		[
			'has a tls.key that is no unencrypted private key in PEM',
			() => ({ ...whole(), privateKey: web.privateKey.slice(0, 90) }),
		],
	]
	test.for(cases)('%s', ([words, texts]) => {
		expect(errorOf(texts())).toBe(words)
	})

	test('a chain that leads with another certificate', () => {
		expect(errorOf({ ...whole(), certificate: `${authority.certificate}\n${web.chain}` })).toBe(
			'has a tls.key that does not belong to its tls.crt',
		)
	})

	test('a key that is encrypted', () => {
		const { privateKey } = generateKeyPairSync('ec', {
			namedCurve: 'prime256v1',
			publicKeyEncoding: { type: 'spki', format: 'pem' },
			privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
		})
		expect(errorOf({ ...whole(), privateKey })).toBe('has a tls.key that is no unencrypted private key in PEM')
	})
})
