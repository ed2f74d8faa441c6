import type { VirtualHost } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import type { RouteConfiguration } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import { lowerAscii } from './match/string-match.ts'

export type HostChoice = { readonly host: VirtualHost; readonly domain: string }

/**
 * The virtual host for an authority, as Envoy chooses it: an exact domain, else the longest `*suffix`, else the longest
 * `prefix*`, else `*`. Case does not count, the port does, and a `*` stands for one character at least.
 */
export function chooseHost(routes: RouteConfiguration, authority: string): HostChoice | null {
	const host = lowerAscii(routes.ignorePortInHostMatching ? withoutPort(authority) : authority)
	const choices = routes.virtualHosts.flatMap((each) => each.domains.map((domain) => ({ host: each, domain })))
	const exact = choices.find(({ domain }) => !domain.includes('*') && lowerAscii(domain) === host)
	const longest = (fits: (domain: string) => boolean) =>
		choices
			.filter(({ domain }) => domain.length > 1 && domain.length <= host.length && fits(lowerAscii(domain)))
			.sort((left, right) => right.domain.length - left.domain.length)[0]
	return (
		exact ??
		longest((domain) => domain.startsWith('*') && host.endsWith(domain.slice(1))) ??
		longest((domain) => domain.endsWith('*') && host.startsWith(domain.slice(0, -1))) ??
		choices.find(({ domain }) => domain === '*') ??
		null
	)
}

function withoutPort(authority: string): string {
	return authority.replace(/:\d*$/, '')
}
