import { isIPv4, isIPv6 } from 'node:net'
import { compareText } from '#base/diagnostic.ts'
import type { Endpoint } from './discovered.ts'
import type { InstanceAttributes } from './instance-directory.ts'

export type ReadInstances = {
	/** Sorted, each pair of addresses once: equal answers are equal. */
	readonly endpoints: readonly Endpoint[]
	/** Instances without an IP address, or with one that is none: Envoy would refuse all endpoints for it. */
	readonly unusable: number
}

/** Endpoints of an answer. A host name (`AWS_INSTANCE_CNAME`) is no endpoint: Envoy takes addresses only. */
export function readInstances(instances: readonly InstanceAttributes[]): ReadInstances {
	const found = new Map<string, Endpoint>()
	let unusable = 0
	for (const endpoint of instances.map(readInstance).sort(compareEndpoints)) {
		if (endpoint.ipv4 === null && endpoint.ipv6 === null) unusable += 1
		else {
			const addresses = `${endpoint.ipv4} ${endpoint.ipv6}`
			if (!found.has(addresses)) found.set(addresses, endpoint)
		}
	}
	return { endpoints: [...found.values()], unusable }
}

function readInstance(attributes: InstanceAttributes): Endpoint {
	const { AWS_INSTANCE_IPV4: ipv4 = '', AWS_INSTANCE_IPV6: ipv6 = '', AVAILABILITY_ZONE: zone = '' } = attributes
	return { ipv4: isIPv4(ipv4) ? ipv4 : null, ipv6: isWithoutZone(ipv6) ? ipv6 : null, zone }
}

/** Node takes `fe80::1%eth0` for an address, Envoy does not. */
function isWithoutZone(ipv6: string): boolean {
	return isIPv6(ipv6) && !ipv6.includes('%')
}

function compareEndpoints(left: Endpoint, right: Endpoint): number {
	return (
		compareText(left.ipv4 ?? '', right.ipv4 ?? '') ||
		compareText(left.ipv6 ?? '', right.ipv6 ?? '') ||
		compareText(left.zone, right.zone)
	)
}
