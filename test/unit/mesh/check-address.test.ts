import { expect, test } from 'vitest'
import { checkHostOrIpAddress, checkIpAddress } from '../../../src/mesh/check-address.ts'

test.for<[string, number]>([
	['collector.apps.local', 0],
	['cafe', 0],
	['10.0.0.5', 0],
	['::1', 0],
	['10.0.0.256', 1],
	['1.2.3', 1],
	['a.b.4.', 1],
	['cafe::1::2', 1],
])('as a host or an address, %s has %i findings', ([address, count]) => {
	expect(checkHostOrIpAddress(['address'], address)).toHaveLength(count)
})

test('what is no IP address is said where it stands', () => {
	const [finding] = checkIpAddress(['spec', 'address'], 'localhost')
	expect(finding).toMatchObject({ code: 'SL0208', path: ['spec', 'address'] })
	expect(finding?.message).toBe('spec.address is "localhost"; expected an IPv4 or IPv6 address')
})

test('what is not written is not looked at', () => {
	expect(checkIpAddress([], undefined)).toEqual([])
})
