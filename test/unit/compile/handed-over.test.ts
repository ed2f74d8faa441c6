import { expect, test } from 'vitest'
import { typeUrls } from '#compile/compiled.ts'
import type { HostnameMatch } from '#mesh/route-spec.ts'
import { compileInput, readable } from '../../fixtures/compile-fixture.ts'
import type { BriefResource } from '../../fixtures/mesh-fixture.ts'

const shop = 'shop.example.com'
const api = 'api.example.com'

type BriefRoute = { readonly name: string; readonly service: string; readonly hostname: HostnameMatch | null }

/** The header that each route of each virtual host of the gateway's way out asks for. */
function handedOver(...routes: readonly BriefRoute[]): Record<string, readonly string[]> {
	const resources: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'web' },
		{ kind: 'VirtualService', name: shop, node: 'web' },
		{ kind: 'VirtualService', name: api, node: 'web' },
		{ kind: 'VirtualGateway', name: 'edge' },
		...routes.map(({ name, service, hostname }): BriefResource => {
			return {
				kind: 'GatewayRoute',
				name,
				gateway: 'edge',
				service,
				spec: { hostRewrite: 'none', match: { hostname } },
			}
		}),
	]
	const compiled = compileInput({ proxy: 'edge', kind: 'virtualGateway', resources })
	const egress = compiled.find(({ typeUrl, name }) => typeUrl === typeUrls.route && name === 'rds_egress_http_15001')
	if (egress === undefined) throw new Error('a gateway has a way out')
	const { virtual_hosts } = readable(egress) as unknown as { virtual_hosts: VirtualHost[] }
	const asked = virtual_hosts.map(({ name, routes: of }) => [name, of.map(({ match }) => askedOf(match.headers))])
	return Object.fromEntries(asked)
}

type Header = { string_match: { exact?: string; safe_regex?: unknown } }
type VirtualHost = { name: string; routes: { match: { headers: Header[] } }[] }

/** `own`: the service's own name, or none. */
function askedOf([header]: readonly Header[]): string {
	return header?.string_match.exact ?? 'own'
}

const exact = (value: string): HostnameMatch => ({ kind: 'exact', value })

test('a host that is dialled from outside and is a virtual service too still leads where the gateway’s route does', () => {
	const asked = handedOver(
		{ name: 'api', service: api, hostname: exact(shop) },
		{ name: 'shop', service: shop, hostname: exact(shop) },
	)
	expect(asked).toEqual({ [api]: ['own'], [shop]: [api, 'own'], default_backend: [api, shop] })
})

test('so it does by a suffix, and by a route for every host', () => {
	const suffix = { kind: 'suffix', value: '.example.com' } as const
	const asked = handedOver(
		{ name: 'api', service: api, hostname: null },
		{ name: 'shop', service: shop, hostname: suffix },
	)
	expect(asked).toEqual({ [api]: [shop, 'own'], [shop]: [api, 'own'], default_backend: [api, shop] })
})

test('names that no gateway route has for a host name cost nothing', () => {
	const asked = handedOver(
		{ name: 'api', service: api, hostname: null },
		{ name: 'shop', service: shop, hostname: exact('www.example.com') },
	)
	expect(asked).toEqual({ [api]: ['own'], [shop]: ['own'], default_backend: [api, shop] })
})
