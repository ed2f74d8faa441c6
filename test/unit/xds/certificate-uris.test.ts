import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { urisOfNames } from '#xds/certificate-uris.ts'
import { createAuthority } from '../../fixtures/certificates.ts'

test.for([
	['DNS:a.local, URI:spiffe://a/b, IP Address:10.0.0.1, URI:spiffe://a/c', ['spiffe://a/b', 'spiffe://a/c']],
	['DNS:a.local', []],
	['', []],
	// A name that looks like two is one, in quotes, and is left out.
	['DNS:"a.local, URI:spiffe://a/forged"', []],
	['URI:"spiffe://a/b, URI:spiffe://a/forged", URI:spiffe://a/own', ['spiffe://a/own']],
	['DNS:"a\\", URI:spiffe://a/forged"', []],
	['Registered ID:1.2.3, URI:spiffe://a/b', ['spiffe://a/b']],
] as const)('%s', ([text, uris]) => {
	expect(urisOfNames(text)).toEqual(uris)
})

test.for(['DNS:"a', 'DNS:a"b, URI:spiffe://a/b', 'URI', 'URI:a,b'])('nothing of %s is believed', (text) => {
	expect(urisOfNames(text)).toBeNull()
})

test('as Node writes them of a real certificate whose names try to forge one', async () => {
	const authority = await createAuthority()
	const { chain } = await authority.issue({ names: ['a.local, URI:spiffe://a/forged', 'spiffe://a/own', '10.0.0.1'] })
	expect(urisOfNames(new X509Certificate(chain).subjectAltName ?? '')).toEqual(['spiffe://a/own'])
})
