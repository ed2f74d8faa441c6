import { expect, test } from 'vitest'
import { readCertificate, readTlsValidation } from '../../../../src/mesh/kind/tls-material.ts'

test('a certificate is of ACM, of files or of SDS', () => {
	expect(readCertificate({ acm: { certificateArn: 'arn:x/1' } })).toEqual({ kind: 'acm', certificateArn: 'arn:x/1' })
	expect(readCertificate({ sds: { secretName: 'me' } })).toEqual({ kind: 'sds', secretName: 'me' })
	const file = { certificateChain: '/a.pem', privateKey: '/a.key' }
	expect(readCertificate({ file })).toEqual({ kind: 'file', ...file })
})

test('a trust is of ACM, of a file or of SDS; what is listed comes out sorted, each once', () => {
	const acm = { certificateAuthorityArns: ['arn:x/2', 'arn:x/1', 'arn:x/2'] }
	const trust = { kind: 'acm', certificateAuthorityArns: ['arn:x/1', 'arn:x/2'] }
	expect(readTlsValidation({ trust: { acm } })).toEqual({ trust, subjectAlternativeNames: [] })
	const names = { match: { exact: ['b', 'a', 'b'] } }
	expect(readTlsValidation({ trust: { sds: { secretName: 'ca' } }, subjectAlternativeNames: names })).toEqual({
		trust: { kind: 'sds', secretName: 'ca' },
		subjectAlternativeNames: ['a', 'b'],
	})
	expect(readTlsValidation({ trust: { file: { certificateChain: '/ca' } } }).trust).toEqual({
		kind: 'file',
		certificateChain: '/ca',
	})
})
