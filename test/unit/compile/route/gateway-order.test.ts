import { expect, test } from 'vitest'
import { inGatewayOrder } from '#compile/route/gateway-order.ts'
import type { GatewayRoute } from '#mesh/mesh.ts'
import type { HostnameMatch } from '#mesh/route-spec.ts'
import { type BriefGatewayMatch, fixtureResource } from '../../../fixtures/mesh-fixture.ts'

function routeNamed(name: string, match: BriefGatewayMatch = {}, priority = 1001): GatewayRoute {
	const spec = { match, priority }
	return fixtureResource({ kind: 'GatewayRoute', name, gateway: 'edge', service: 's', spec }) as GatewayRoute
}

const host = (kind: HostnameMatch['kind'], value: string, path = '/') => ({
	hostname: { kind, value },
	path: { kind: 'prefix', prefix: path } as const,
})
const prefix = (value: string) => ({ path: { kind: 'prefix', prefix: value } as const })

test.for([
	{
		rule: 'a smaller priority before any host name',
		order: [routeNamed('z', {}, 0), routeNamed('a', host('exact', 'a.b'), 1)],
	},
	{
		rule: 'an exact host name before a suffix before none',
		order: [
			routeNamed('z', host('exact', 'a.b')),
			routeNamed('y', host('suffix', '.long.example.com')),
			routeNamed('a', prefix('/a/very/long/path/indeed')),
		],
	},
	{
		rule: 'the longer host name first, of each kind',
		order: [
			routeNamed('z', host('exact', 'aa.b')),
			routeNamed('y', host('exact', 'a.b', '/longer')),
			routeNamed('x', host('suffix', '.aa.b')),
			routeNamed('a', host('suffix', '.b', '/longer')),
		],
	},
	{
		rule: 'at the same host name, as the routes of a router',
		order: [
			routeNamed('z', host('exact', 'a.b', '/ab')),
			routeNamed('y', { ...host('exact', 'a.b', '/a'), method: 'GET' }),
			routeNamed('x', host('exact', 'a.b', '/a')),
			routeNamed('a', {
				kind: 'grpc',
				serviceName: null,
				hostname: { kind: 'exact', value: 'a.b' },
				metadata: [],
				port: null,
			}),
		],
	},
	{ rule: 'by name at last', order: [routeNamed('a'), routeNamed('b')] },
])('$rule', ({ order }) => {
	expect([...order].reverse().sort(inGatewayOrder)).toEqual(order)
	expect([...order].sort(inGatewayOrder)).toEqual(order)
})
