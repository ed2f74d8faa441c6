import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
	AuthorityKeyIdentifierExtension,
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	KeyUsageFlags,
	KeyUsagesExtension,
	PemConverter,
	SubjectAlternativeNameExtension,
	SubjectKeyIdentifierExtension,
	X509Certificate,
	X509CertificateGenerator,
} from '@peculiar/x509'

// Certificates by RFC 5280, of new ECDSA keys on P-256. Those of an authority sign others, and no authority further down;
// those of a proxy or the daemon sign nothing.

/** PEM texts. */
export type Issued = { readonly certificate: string; readonly privateKey: string }

/** Wall-clock milliseconds. */
export type Validity = { readonly fromMs: number; readonly untilMs: number }

export type CertificateOptions = {
	readonly commonName: string
	readonly purposes: readonly ('server' | 'client')[]
	/** DNS names, IP addresses, and URIs, which have `://`. */
	readonly names: readonly string[]
	readonly validity: Validity
	readonly issuer: Issued
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const purposeIds = { server: ExtendedKeyUsage.serverAuth, client: ExtendedKeyUsage.clientAuth } as const

export async function issueAuthority(commonName: string, validity: Validity): Promise<Issued> {
	const keys = await newKeys()
	const certificate = await X509CertificateGenerator.createSelfSigned({
		...commonTo(validity),
		name: nameOf(commonName),
		keys,
		extensions: [
			new BasicConstraintsExtension(true, 0, true),
			new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
			await SubjectKeyIdentifierExtension.create(keys.publicKey),
			await AuthorityKeyIdentifierExtension.create(keys.publicKey),
		],
	})
	return issued(certificate, keys.privateKey)
}

export async function issueCertificate({
	commonName,
	purposes,
	names,
	validity,
	issuer,
}: CertificateOptions): Promise<Issued> {
	const keys = await newKeys()
	const authority = new X509Certificate(issuer.certificate)
	const signingKey = await webcrypto.subtle.importKey(
		'pkcs8',
		PemConverter.decodeFirst(issuer.privateKey),
		algorithm,
		false,
		['sign'],
	)
	const certificate = await X509CertificateGenerator.create({
		...commonTo(validity),
		subject: nameOf(commonName),
		issuer: authority.subjectName,
		publicKey: keys.publicKey,
		signingKey,
		extensions: [
			new BasicConstraintsExtension(false, undefined, true),
			new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
			new ExtendedKeyUsageExtension(purposes.map((purpose) => purposeIds[purpose])),
			new SubjectAlternativeNameExtension(names.map((value) => ({ type: kindOf(value), value }))),
			await SubjectKeyIdentifierExtension.create(keys.publicKey),
			await AuthorityKeyIdentifierExtension.create(authority.publicKey),
		],
	})
	return issued(certificate, keys.privateKey)
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
	return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

function commonTo({ fromMs, untilMs }: Validity) {
	const [notBefore, notAfter] = [new Date(fromMs), new Date(untilMs)]
	return { serialNumber: serialNumber(), notBefore, notAfter, signingAlgorithm: algorithm }
}

/** 127 bits, so that no two are alike. */
function serialNumber(): string {
	const bytes = randomBytes(16)
	bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
	return bytes.toString('hex')
}

function nameOf(commonName: string) {
	return [{ CN: [commonName] }]
}

function kindOf(name: string): 'url' | 'ip' | 'dns' {
	if (name.includes('://')) return 'url'
	return isIP(name) === 0 ? 'dns' : 'ip'
}

async function issued(certificate: X509Certificate, privateKey: webcrypto.CryptoKey): Promise<Issued> {
	const key = await webcrypto.subtle.exportKey('pkcs8', privateKey)
	return { certificate: `${certificate.toString('pem')}\n`, privateKey: `${PemConverter.encode(key, 'PRIVATE KEY')}\n` }
}
