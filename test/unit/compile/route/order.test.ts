import { expect, test } from 'vitest'
import { inMatchOrder } from '#compile/route/order.ts'
import type { Route } from '#mesh/mesh.ts'
import type { RouteSpec } from '#mesh/route-spec.ts'
import { type BriefMatch, fixtureResource } from '../../../fixtures/mesh-fixture.ts'

function routeNamed(name: string, spec: Omit<Partial<RouteSpec>, 'match'> & { match?: BriefMatch }): Route {
	return fixtureResource({ kind: 'Route', name, router: 'r', targets: { v1: 1 }, spec }) as Route
}

const prefix = (value: string) => ({ match: { path: { kind: 'prefix', prefix: value } as const } })
const grpc = (serviceName: string | null, methodName: string | null = null) => ({
	match: { kind: 'grpc', serviceName, methodName, metadata: [], port: null } as const,
})
const header = { name: 'x', invert: false, match: { kind: 'present' } } as const

test.for([
	{
		rule: 'a smaller priority before a longer path',
		order: [routeNamed('z', { priority: 0 }), routeNamed('a', { priority: 1, ...prefix('/long') })],
	},
	{ rule: 'a written priority before none', order: [routeNamed('z', { priority: 1000 }), routeNamed('a', {})] },
	{ rule: 'the longer path first', order: [routeNamed('z', prefix('/ab')), routeNamed('a', prefix('/a'))] },
	{
		rule: 'exact before regex before prefix, at the same length',
		order: [
			routeNamed('z', { match: { path: { kind: 'exact', path: '/a' } } }),
			routeNamed('y', { match: { path: { kind: 'regex', regex: '/.' } } }),
			routeNamed('a', prefix('/a')),
		],
	},
	{
		rule: 'more conditions first, at the same path',
		order: [
			routeNamed('z', { match: { headers: [header], method: 'GET' } }),
			routeNamed('y', { match: { headers: [header] } }),
			routeNamed('a', {}),
		],
	},
	{
		rule: 'a query parameter and a port are conditions too',
		order: [
			routeNamed('z', { match: { queryParameters: [{ name: 'q', exact: null }], port: 80 } }),
			routeNamed('y', { match: { queryParameters: [{ name: 'q', exact: null }] } }),
			routeNamed('a', {}),
		],
	},
	{
		rule: 'gRPC: a method before its service, a longer name before a shorter, any before none',
		order: [
			routeNamed('z', grpc('shop.Ledger', 'Book')),
			routeNamed('y', grpc('shop.Ledger')),
			routeNamed('x', grpc('shop.L', 'A')),
			routeNamed('a', grpc(null)),
		],
	},
	{
		rule: 'gRPC: more metadata first',
		order: [routeNamed('z', { match: { ...grpc('a.B').match, metadata: [header] } }), routeNamed('a', grpc('a.B'))],
	},
	{
		rule: 'TCP: a written port before every port',
		order: [
			routeNamed('z', { match: { kind: 'tcp', port: 80 } }),
			routeNamed('a', { match: { kind: 'tcp', port: null } }),
		],
	},
	{ rule: 'by name at last, capitals first', order: [routeNamed('B', {}), routeNamed('a', {}), routeNamed('b', {})] },
])('$rule', ({ order }) => {
	expect([...order].reverse().sort(inMatchOrder)).toEqual(order)
	expect([...order].sort(inMatchOrder)).toEqual(order)
})
