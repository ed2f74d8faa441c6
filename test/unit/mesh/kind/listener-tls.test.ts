import { expect, test } from 'vitest'
import { checkListenerTls, readListenerTls } from '../../../../src/mesh/kind/listener-tls.ts'

const certificate = { sds: { secretName: 'me' } }

test('without a validation clients need no certificate', () => {
	expect(readListenerTls(undefined)).toBeNull()
	expect(readListenerTls({ mode: 'PERMISSIVE', certificate })).toEqual({
		mode: 'PERMISSIVE',
		certificate: { kind: 'sds', secretName: 'me' },
		validation: null,
	})
	const validation = { trust: { sds: { secretName: 'ca' } } }
	expect(readListenerTls({ mode: 'STRICT', certificate, validation })?.validation?.trust).toEqual({
		kind: 'sds',
		secretName: 'ca',
	})
})

test('a certificate of ACM is to be put into a folder', () => {
	expect(checkListenerTls([], { mode: 'STRICT', certificate })).toEqual([])
	const [finding] = checkListenerTls([], { mode: 'STRICT', certificate: { acm: { certificateArn: 'arn:x/1234' } } })
	expect(finding).toMatchObject({ code: 'SL0230', severity: 'warning', path: ['certificate', 'acm', 'certificateArn'] })
	expect(finding?.hint()).toBe('put tls.crt and tls.key into 1234/ in the certificates directory of the daemon')
})
