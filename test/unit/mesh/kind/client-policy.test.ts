import { expect, test } from 'vitest'
import { checkClientPolicy, readClientTls } from '../../../../src/mesh/kind/client-policy.ts'
import type { VirtualNodeClientPolicy } from '../../../../src/mesh/manifest.generated.ts'

const trust = { file: { certificateChain: '/ca.pem' } }

test.for([[undefined], [{}]] as const)('%j says nothing of TLS', ([policy]) => {
	expect(readClientTls(policy)).toBeNull()
	expect(checkClientPolicy([], policy)).toEqual([])
})

test('TLS is enforced on all ports unless it is written otherwise', () => {
	expect(readClientTls({ tls: { validation: { trust } } })).toEqual({
		enforce: true,
		ports: [],
		certificate: null,
		validation: { trust: { kind: 'file', certificateChain: '/ca.pem' }, subjectAlternativeNames: [] },
	})
	const certificate = { sds: { secretName: 'me' } }
	expect(
		readClientTls({ tls: { enforce: false, ports: [443, 80, 443], certificate, validation: { trust } } }),
	).toMatchObject({
		enforce: false,
		ports: [80, 443],
		certificate: { kind: 'sds', secretName: 'me' },
	})
})

const named = (enforce: boolean | undefined, ...exact: string[]): VirtualNodeClientPolicy => ({
	tls: {
		...(enforce === undefined ? {} : { enforce }),
		validation: { trust, subjectAlternativeNames: { match: { exact } } },
	},
})

test.for<[VirtualNodeClientPolicy, string[]]>([
	[named(undefined, 'a.local'), []],
	[named(false, '*.local'), []],
	[named(true, 'a.local', '*.local'), ['SL0223 tls.validation.subjectAlternativeNames.match.exact.1']],
	[
		named(undefined, 'a.*', '*'),
		[
			'SL0223 tls.validation.subjectAlternativeNames.match.exact.0',
			'SL0223 tls.validation.subjectAlternativeNames.match.exact.1',
		],
	],
	[
		{ tls: { validation: { trust: { acm: { certificateAuthorityArns: ['arn:a/one', 'arn:a/two'] } } } } },
		[
			'SL0230 tls.validation.trust.acm.certificateAuthorityArns.0',
			'SL0230 tls.validation.trust.acm.certificateAuthorityArns.1',
		],
	],
])('%j finds %j', ([policy, findings]) => {
	expect(checkClientPolicy([], policy).map(({ code, path }) => `${code} ${path.join('.')}`)).toEqual(findings)
})
