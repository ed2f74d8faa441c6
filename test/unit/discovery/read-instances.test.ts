import { expect, test } from 'vitest'
import { readInstances } from '#discovery/read-instances.ts'

test('addresses and zone, sorted, each pair of addresses once, whatever the order of the answer', () => {
	const instances = [
		{ AWS_INSTANCE_IPV4: '10.0.0.2', AVAILABILITY_ZONE: 'b', AWS_INSTANCE_PORT: '80' },
		{ AWS_INSTANCE_IPV6: 'fd00::1' },
		{ AWS_INSTANCE_IPV4: '10.0.0.1', AWS_INSTANCE_IPV6: 'fd00::2', AVAILABILITY_ZONE: 'a' },
		{ AWS_INSTANCE_IPV4: '10.0.0.2', AVAILABILITY_ZONE: 'a' },
	]
	const expected = {
		endpoints: [
			{ ipv4: null, ipv6: 'fd00::1', zone: '' },
			{ ipv4: '10.0.0.1', ipv6: 'fd00::2', zone: 'a' },
			{ ipv4: '10.0.0.2', ipv6: null, zone: 'a' },
		],
		unusable: 0,
	}
	expect(readInstances(instances)).toEqual(expected)
	expect(readInstances(instances.toReversed())).toEqual(expected)
})

test('what Envoy would refuse is left out and counted', () => {
	const instances = [
		{ AWS_INSTANCE_CNAME: 'web.example' },
		{ AWS_INSTANCE_IPV4: 'web.example' },
		{ AWS_INSTANCE_IPV4: '10.0.0.300' },
		{ AWS_INSTANCE_IPV6: 'fe80::1%eth0' },
		{},
		{ AWS_INSTANCE_IPV4: '10.0.0.1', AWS_INSTANCE_IPV6: 'no address' },
	]
	expect(readInstances(instances)).toEqual({ endpoints: [{ ipv4: '10.0.0.1', ipv6: null, zone: '' }], unusable: 5 })
})
