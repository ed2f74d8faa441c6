import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { sha256Hex } from '#base/hash.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { SecretMaterial } from './discovered.ts'

/** The texts of a secret's files; null where there is no such file. */
export type SecretTexts = {
	readonly certificate: string | null
	readonly privateKey: string | null
	readonly authorities: string | null
}

export type ParsedSecret = {
	readonly material: SecretMaterial
	/** Of the certificate itself, not of those that signed it; null without one. Wall-clock milliseconds. */
	readonly validity: { readonly fromMs: number; readonly untilMs: number } | null
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g
const anyBlock = /-----(BEGIN|END) ([A-Z0-9 ]+)-----/g

/**
 * Certificate, key and authorities as Envoy will take them, or in half a sentence why it would not. What is handed on
 * is written anew from the certificates found: nothing else that stood in a file gets out, and no text of a failure
 * holds any of it.
 */
export function parseSecret({ certificate, privateKey, authorities }: SecretTexts): Result<ParsedSecret, string> {
	if (certificate === null && privateKey === null && authorities === null)
		return fail('holds neither tls.crt with tls.key nor ca.crt')
	if ((certificate === null) !== (privateKey === null))
		return fail(certificate === null ? 'has a tls.key without tls.crt' : 'has a tls.crt without tls.key')
	const trusted = authorities === null ? succeed(null) : readCertificates('ca.crt', authorities)
	if (!trusted.ok) return trusted
	const pair = certificate === null || privateKey === null ? succeed(null) : readPair({ certificate, privateKey })
	if (!pair.ok) return pair
	const own = pair.value === null ? null : { chain: pair.value.chain, privateKey: pair.value.privateKey }
	const trust = trusted.value === null ? null : toPem(trusted.value)
	const hash = sha256Hex(JSON.stringify([own?.chain ?? null, own?.privateKey ?? null, trust]))
	return succeed({
		material: { hash, certificate: own, authorities: trust },
		validity: pair.value === null ? null : pair.value.validity,
	})
}

function readPair(texts: { readonly certificate: string; readonly privateKey: string }) {
	const chain = readCertificates('tls.crt', texts.certificate)
	if (!chain.ok) return chain
	const key = readKey(texts.privateKey)
	if (!key.ok) return key
	const [own] = chain.value
	if (own === undefined) return fail('has no certificate in tls.crt')
	if (!own.checkPrivateKey(key.value)) return fail('has a tls.key that does not belong to its tls.crt')
	const unusable = whyUnusable(key.value)
	if (unusable !== null) return fail(unusable)
	const validity = { fromMs: own.validFromDate.getTime(), untilMs: own.validToDate.getTime() }
	const privateKey = key.value.export({ type: 'pkcs8', format: 'pem' }).toString()
	return succeed({ chain: toPem(chain.value), privateKey, validity })
}

function readCertificates(file: string, text: string): Result<readonly X509Certificate[], string> {
	const blocks = text.match(certificateBlock) ?? []
	if (blocks.length === 0) return fail(`has no certificate in ${file}`)
	const borders = [...text.matchAll(anyBlock)].filter(([, , kind]) => kind === 'CERTIFICATE')
	if (borders.length !== blocks.length * 2) return fail(`has a ${file} that breaks off`)
	try {
		return succeed(blocks.map((block) => new X509Certificate(block)))
	} catch {
		return fail(`has something in ${file} that is no certificate`)
	}
}

function readKey(text: string): Result<KeyObject, string> {
	try {
		return succeed(createPrivateKey(text))
	} catch {
		return fail('has a tls.key that is no unencrypted private key in PEM')
	}
}

/** Envoy refuses these, and keeps what it has. */
function whyUnusable({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | null {
	if (asymmetricKeyType === 'rsa') {
		const bits = asymmetricKeyDetails?.modulusLength ?? 0
		return bits < 2048 ? `has an RSA key of ${bits} bits, Envoy takes 2048 or more` : null
	}
	const curves = ['prime256v1', 'secp384r1', 'secp521r1']
	if (asymmetricKeyType === 'ec' && curves.includes(asymmetricKeyDetails?.namedCurve ?? '')) return null
	return 'has a key that is neither RSA nor ECDSA on P-256, P-384 or P-521'
}

function toPem(certificates: readonly X509Certificate[]): string {
	return certificates.map((certificate) => certificate.toString()).join('')
}
