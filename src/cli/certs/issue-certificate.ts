import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { bits, der, integer, objectId, octets, sequence, time, truth } from './der.ts'

// Certificates by RFC 5280: ECDSA on P-256, version 3. Those of an authority sign others, and no authority further down;
// those of a proxy or the daemon sign nothing.

/** PEM texts. */
export type Issued = { readonly certificate: string; readonly privateKey: string }

export type Issuer = { readonly commonName: string; readonly key: KeyObject; readonly publicKey: KeyObject }

/** Wall-clock milliseconds. */
export type Validity = { readonly fromMs: number; readonly untilMs: number }

export type CertificateOptions = {
	readonly commonName: string
	readonly use: 'authority' | 'server' | 'client'
	/** DNS names, IP addresses, and URIs, which have `://`. */
	readonly names: readonly string[]
	readonly validity: Validity
	/** Null: it signs itself. */
	readonly issuer: Issuer | null
}

const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'))
const purposes = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const

/** With a new key. */
export function issueCertificate(options: CertificateOptions): Issued {
	const { commonName, validity } = options
	const own = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
	const issuer = options.issuer ?? { commonName, key: own.privateKey, publicKey: own.publicKey }
	const toSign = sequence(
		der(0xa0, integer(Buffer.from([2]))),
		integer(serialNumber()),
		ecdsaWithSha256,
		nameOf(issuer.commonName),
		sequence(time(validity.fromMs), time(validity.untilMs)),
		nameOf(commonName),
		own.publicKey.export({ type: 'spki', format: 'der' }),
		der(0xa3, sequence(...extensionsOf(options, own.publicKey, issuer.publicKey))),
	)
	const signature = sign('sha256', toSign, issuer.key)
	return {
		certificate: pemOf(sequence(toSign, ecdsaWithSha256, bits(signature))),
		privateKey: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
	}
}

/** 127 bits, so that no two are alike. */
function serialNumber(): Buffer {
	const bytes = randomBytes(16)
	bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
	return bytes
}

function nameOf(commonName: string): Buffer {
	return sequence(der(0x31, sequence(objectId('2.5.4.3'), der(0x0c, Buffer.from(commonName)))))
}

function extensionsOf({ use, names }: CertificateOptions, own: KeyObject, issuer: KeyObject): Buffer[] {
	const keys = [extension('2.5.29.14', octets(keyId(own))), extension('2.5.29.35', sequence(der(0x80, keyId(issuer))))]
	if (use === 'authority') {
		const noneBelow = integer(Buffer.from([0]))
		return [
			critical('2.5.29.19', sequence(truth(), noneBelow)),
			critical('2.5.29.15', bits(Buffer.from([0x06]), 1)),
			...keys,
		]
	}
	return [
		critical('2.5.29.19', sequence()),
		critical('2.5.29.15', bits(Buffer.from([0x80]), 7)),
		extension('2.5.29.37', sequence(objectId(purposes[use]))),
		extension('2.5.29.17', sequence(...names.map(generalName))),
		...keys,
	]
}

function extension(id: string, value: Buffer): Buffer {
	return sequence(objectId(id), octets(value))
}

function critical(id: string, value: Buffer): Buffer {
	return sequence(objectId(id), truth(), octets(value))
}

function keyId(key: KeyObject): Buffer {
	return createHash('sha256')
		.update(key.export({ type: 'spki', format: 'der' }))
		.digest()
		.subarray(0, 20)
}

function generalName(name: string): Buffer {
	if (name.includes('://')) return der(0x86, Buffer.from(name))
	switch (isIP(name)) {
		case 4:
			return der(0x87, Buffer.from(name.split('.').map(Number)))
		case 6:
			return der(0x87, ipv6Bytes(name))
		default:
			return der(0x82, Buffer.from(name))
	}
}

function ipv6Bytes(address: string): Buffer {
	const [left = [], right = []] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''))
	const zeros = Array<string>(8 - left.length - right.length).fill('0')
	const groups = [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16))
	return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

function pemOf(certificate: Buffer): string {
	const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
	return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
