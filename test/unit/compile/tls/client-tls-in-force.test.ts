import { describe, expect, test } from 'vitest'
import { type ClientTlsInForce, clientTlsInForce } from '#compile/tls/client-tls-in-force.ts'
import type { Certificate, ClientTls, ListenerTls } from '#mesh/proxy-spec.ts'
import { type BriefDiscovered, fixtureDiscovered } from '../../../fixtures/compile-fixture.ts'

const port = 443
const file: Certificate = { kind: 'file', certificateChain: '/c.pem', privateKey: '/k.pem' }
const acm: Certificate = { kind: 'acm', certificateArn: 'arn:aws:acm:eu-west-1:1:certificate/abc' }

function policy(name: string, written: Partial<ClientTls> = {}): ClientTls {
	const validation = { trust: { kind: 'sds', secretName: name }, subjectAlternativeNames: [] } as const
	return { enforce: true, ports: [], certificate: null, validation, ...written }
}

function server(mode: ListenerTls['mode'], certificate = file): ListenerTls {
	return { mode, certificate, validation: null }
}

type Situation = {
	readonly policies?: readonly (ClientTls | null)[]
	readonly tls?: ListenerTls | null
	readonly secrets?: 'daemon' | 'socket'
	readonly known?: NonNullable<BriefDiscovered['secrets']>
}

function inForce({
	policies = [null],
	tls = null,
	secrets = 'daemon',
	known = {},
}: Situation): ClientTlsInForce | null {
	const discovered = fixtureDiscovered({ secrets: known })
	return clientTlsInForce(policies, { port, tls }, { secrets, discovered, user: 'cluster', owner: 'c', madeOf: [] })
}

/** Whom it trusts; `anyone` where it checks nothing, `plain` where it speaks no TLS. */
function trusted(situation: Situation): string {
	const found = inForce(situation)
	if (found === null) return 'plain'
	const trust = found.validation?.trust
	if (trust?.kind === 'sds') return trust.secretName
	return trust === undefined ? 'anyone' : JSON.stringify(trust)
}

describe('one policy', () => {
	const enforced = policy('enforced')
	const loose = policy('loose', { enforce: false })
	test.for([
		['enforced, the server offers none', enforced, null, 'enforced'],
		['enforced, the server has it switched off', enforced, server('DISABLED'), 'enforced'],
		['enforced for other ports, the server offers none', policy('x', { ports: [80] }), null, 'plain'],
		['enforced for other ports, the server offers it', policy('x', { ports: [80] }), server('STRICT'), 'anyone'],
		['enforced for this port among others', policy('x', { ports: [80, port] }), null, 'x'],
		['not enforced, the server offers none', loose, null, 'plain'],
		['not enforced, the server has it switched off', loose, server('DISABLED'), 'plain'],
		['not enforced, the server offers it', loose, server('PERMISSIVE'), 'loose'],
		['not enforced, the server demands it', loose, server('STRICT'), 'loose'],
	] as const)('%s', ([, clientTls, tls, expected]) => {
		expect(trusted({ policies: [clientTls], tls })).toBe(expected)
	})
})

describe('no policy: the server decides', () => {
	test.for([
		[null, 'plain'],
		[server('DISABLED'), 'plain'],
		[server('PERMISSIVE'), 'anyone'],
		[server('STRICT', { kind: 'sds', secretName: 's' }), 'anyone'],
	] as const)('%j: %s', ([tls, expected]) => {
		expect(trusted({ tls })).toBe(expected)
	})

	const byAuthority = '{"kind":"acm","certificateAuthorityArns":["arn:aws:acm:eu-west-1:1:certificate/abc"]}'
	test.for([
		['not read yet', {}, byAuthority],
		['with its authority', { abc: ['certificate', 'authorities'] }, byAuthority],
		['without', { abc: ['certificate'] }, 'anyone'],
	] as const)('a certificate of ACM, %s', ([, known, expected]) => {
		expect(trusted({ tls: server('STRICT', acm), known })).toBe(expected)
	})

	test('an SDS server beside the proxy is not asked for the authority of a certificate', () => {
		expect(trusted({ tls: server('STRICT', acm), secrets: 'socket' })).toBe('anyone')
	})
})

describe('several policies for one target: the strictest holds', () => {
	const first = policy('first', { enforce: false })
	const second = policy('second', { enforce: false })
	test.for([
		['enforced before not', [null, first, policy('enforced'), policy('later')], null, 'enforced'],
		['any before none', [null, first, second], server('STRICT'), 'first'],
		['one that is for another port is none', [policy('x', { ports: [80] }), second], server('STRICT'), 'second'],
		['nobody has a backend of it', [], server('STRICT'), 'anyone'],
	] as const)('%s', ([, policies, tls, expected]) => {
		expect(trusted({ policies, tls })).toBe(expected)
	})
})
