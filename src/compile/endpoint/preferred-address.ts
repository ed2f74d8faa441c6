import { unreachable } from '#base/assert.ts'
import type { Endpoint } from '#discovery/discovered.ts'
import type { IpPreference } from '#mesh/proxy-spec.ts'

/** The one address by which an instance is reached; null when it has none of the wanted kind. App Mesh's default is IPv4. */
export function preferredAddress({ ipv4, ipv6 }: Endpoint, preference: IpPreference | null): string | null {
	switch (preference) {
		case null:
		case 'IPv4_PREFERRED':
			return ipv4 ?? ipv6
		case 'IPv6_PREFERRED':
			return ipv6 ?? ipv4
		case 'IPv4_ONLY':
			return ipv4
		case 'IPv6_ONLY':
			return ipv6
		default:
			return unreachable(preference)
	}
}
