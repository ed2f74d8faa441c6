import { expect, test } from 'vitest'
import { preferredAddress } from '#compile/endpoint/preferred-address.ts'

const four = { ipv4: '10.0.0.1', ipv6: null, zone: '' }
const six = { ipv4: null, ipv6: '::1', zone: '' }
const both = { ipv4: '10.0.0.1', ipv6: '::1', zone: '' }

test.for([
	[null, '10.0.0.1', '::1', '10.0.0.1'],
	['IPv4_PREFERRED', '10.0.0.1', '::1', '10.0.0.1'],
	['IPv6_PREFERRED', '10.0.0.1', '::1', '::1'],
	['IPv4_ONLY', '10.0.0.1', null, '10.0.0.1'],
	['IPv6_ONLY', null, '::1', '::1'],
] as const)('%s', ([preference, ofFour, ofSix, ofBoth]) => {
	expect([four, six, both].map((endpoint) => preferredAddress(endpoint, preference))).toEqual([ofFour, ofSix, ofBoth])
})
