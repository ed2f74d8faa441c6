import { expect, test } from 'vitest'
import { isIpAddress, subjectAlternativeNames } from '#compile/tls/subject-alternative-names.ts'
import { SubjectAltNameMatcher_SanType as SanType } from '#proto/gen/envoy/extensions/transport_sockets/tls/v3/common_pb.ts'

test.for([
	['spiffe://apps/web', SanType.URI, 'spiffe://apps/web'],
	['web.apps.local', SanType.DNS, 'web.apps.local'],
	['*.apps.local', SanType.DNS, '*.apps.local'],
	['cafe.bed', SanType.DNS, 'cafe.bed'],
	['10.0.0.1', SanType.IP_ADDRESS, '10.0.0.1'],
	['::1', SanType.IP_ADDRESS, '::1'],
	['2001:DB8:0:0::1', SanType.IP_ADDRESS, '2001:db8::1'],
	['1:2:3:4:5:6:7:8:9', SanType.IP_ADDRESS, '1:2:3:4:5:6:7:8:9'],
] as const)('%s', ([name, sanType, value]) => {
	expect(subjectAlternativeNames([name])).toEqual([{ sanType, matcher: { matchPattern: { case: 'exact', value } } }])
})

test.for([
	['127.0.0.1', true],
	['::', true],
	['fe80::1', true],
	['localhost', false],
	['10.0.0.1.example', false],
	['abc', false],
] as const)('%s is an address: %s', ([text, expected]) => {
	expect(isIpAddress(text)).toBe(expected)
})
