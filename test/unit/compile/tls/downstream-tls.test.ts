import { expect, test } from 'vitest'
import type { SecretSource } from '#compile/compiled.ts'
import { downstreamTls } from '#compile/tls/downstream-tls.ts'
import { secretResources, servedSecretNames } from '#compile/tls/secret-use.ts'
import type { ListenerTls } from '#mesh/proxy-spec.ts'
import { type BriefDiscovered, fixtureDiscovered, readable } from '../../../fixtures/compile-fixture.ts'

const named = {
	mode: 'STRICT',
	certificate: { kind: 'sds', secretName: 'web' },
	validation: { trust: { kind: 'sds', secretName: 'web' }, subjectAlternativeNames: [] },
} as const satisfies ListenerTls

function usesOf(tls: ListenerTls, known: BriefDiscovered = {}, secrets: SecretSource = 'daemon') {
	const discovered = fixtureDiscovered(known)
	return downstreamTls(tls, { protocol: 'http2', port: 443, secrets, discovered, madeOf: [] }).uses
}

test('what is not known yet is named, and not there', () => {
	const uses = usesOf(named)
	expect(servedSecretNames(uses)).toEqual(['listener_certificate/web', 'listener_trust/web'])
	expect(secretResources(uses)).toEqual([])
})

test('each role needs its own part of a secret', () => {
	const namesOf = (parts: readonly ('certificate' | 'authorities')[]) =>
		secretResources(usesOf(named, { secrets: { web: parts } })).map(({ name }) => name)
	expect(namesOf(['certificate'])).toEqual(['listener_certificate/web'])
	expect(namesOf(['authorities'])).toEqual(['listener_trust/web'])
	expect(namesOf(['certificate', 'authorities'])).toEqual(['listener_certificate/web', 'listener_trust/web'])
})

test('a key says nothing of what is secret, and changes with it', () => {
	const secretOf = (known: BriefDiscovered) => secretResources(usesOf(named, known))[0]
	const before = secretOf({ secrets: { web: ['certificate'] } })
	const after = secretOf({ secrets: { web: ['certificate', 'authorities'] } })
	if (before === undefined) throw new Error('there is no certificate')
	expect(JSON.stringify(readable(before))).toContain('key of web')
	expect(JSON.stringify(before)).not.toContain('key of web')
	expect(before.key).not.toBe(after?.key)
})

test('an SDS server beside the proxy: nothing of it is ours', () => {
	const uses = usesOf(named, { secrets: { web: ['certificate', 'authorities'] } }, 'socket')
	expect(servedSecretNames(uses)).toEqual([])
	expect(secretResources(uses)).toEqual([])
})

test('files are named after the port, wherever they lie: what Envoy cannot read leaves what it had', () => {
	const tls = (certificateChain: string): ListenerTls => ({
		...named,
		certificate: { kind: 'file', certificateChain, privateKey: '/key.pem' },
		validation: null,
	})
	const [before, after] = ['/one.pem', '/two.pem'].map((file) => secretResources(usesOf(tls(file)))[0])
	expect(before?.name).toBe('file_certificate/ingress_443')
	expect(after?.name).toBe(before?.name)
	expect(after?.key).not.toBe(before?.key)
})
