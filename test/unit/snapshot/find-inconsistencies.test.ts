import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { type CompiledResource, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { ClusterSchema } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { ListenerSchema } from '#proto/gen/envoy/config/listener/v3/listener_pb.ts'
import { RouteConfigurationSchema } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import { findInconsistencies } from '#snapshot/find-inconsistencies.ts'

const none = { clusters: [], routes: [], endpoints: [], secrets: [] }
const common = (typeUrl: TypeUrl, name: string, references: CompiledResource['references'] = none) => ({
	typeUrl,
	name,
	key: name,
	references,
	madeOf: [],
})

const cluster = (name: string): CompiledResource => ({
	...common(typeUrls.cluster, name),
	build: () => ({ schema: ClusterSchema, message: create(ClusterSchema, { name }) }),
})
const listener = (name: string, routes: string[]): CompiledResource => ({
	...common(typeUrls.listener, name, { ...none, routes }),
	build: () => ({ schema: ListenerSchema, message: create(ListenerSchema, { name }) }),
})
const routes = (
	name: string,
	clusters: string[],
	init: MessageInitShape<typeof RouteConfigurationSchema> = {},
): CompiledResource => ({
	...common(typeUrls.route, name, { ...none, clusters }),
	build: () => ({ schema: RouteConfigurationSchema, message: create(RouteConfigurationSchema, { ...init, name }) }),
})

const find = (resources: CompiledResource[]) => findInconsistencies(encodeSnapshot(resources, null).snapshot)

test('nothing, where every name leads somewhere', () => {
	expect(find([cluster('c'), routes('r', ['c']), listener('l', ['r'])])).toEqual([])
})

test('a route that names a cluster that is not there', () => {
	expect(find([cluster('c'), routes('r', ['c', 'gone'])])).toEqual([
		{ kind: 'missing', typeUrl: typeUrls.route, name: 'r', missing: { typeUrl: typeUrls.cluster, name: 'gone' } },
	])
})

test('a listener whose routes are not there', () => {
	expect(find([listener('l', ['r'])])).toEqual([
		{ kind: 'missing', typeUrl: typeUrls.listener, name: 'l', missing: { typeUrl: typeUrls.route, name: 'r' } },
	])
})

describe('flaws of a route configuration', () => {
	const flawsOf = (init: MessageInitShape<typeof RouteConfigurationSchema>) =>
		find([routes('r', [], init)]).map((finding) => (finding.kind === 'flawed' ? finding.flaw : finding))
	const weighted = (clusters: { name: string; weight: number }[]) => ({
		virtualHosts: [
			{
				name: 'h',
				domains: ['h'],
				routes: [
					{
						name: 'one',
						action: {
							case: 'route' as const,
							value: { clusterSpecifier: { case: 'weightedClusters' as const, value: { clusters } } },
						},
					},
				],
			},
		],
	})

	test.for([
		{
			flaw: 'the domain shop.local is in two virtual hosts',
			init: {
				virtualHosts: [
					{ name: 'a', domains: ['shop.local'] },
					{ name: 'b', domains: ['Shop.LOCAL'] },
				],
			},
		},
		{
			flaw: 'two virtual hosts have the name a',
			init: {
				virtualHosts: [
					{ name: 'a', domains: ['x'] },
					{ name: 'a', domains: ['y'] },
				],
			},
		},
		{ flaw: 'the virtual host a has no domain', init: { virtualHosts: [{ name: 'a' }] } },
		{ flaw: 'all weights of the route one of h are 0', init: weighted([{ name: 'c', weight: 0 }]) },
		{
			flaw: 'the route one of h names the cluster c twice',
			init: weighted([
				{ name: 'c', weight: 1 },
				{ name: 'c', weight: 0 },
			]),
		},
	])('$flaw', ({ flaw, init }) => {
		expect(flawsOf(init)).toEqual([flaw])
	})

	test('are found in what was taken over, too', () => {
		const { snapshot } = encodeSnapshot([routes('r', [], { virtualHosts: [{ name: 'a' }] })], null)
		const kept = encodeSnapshot([{ ...routes('r', []), build: () => expect.unreachable() }], snapshot).snapshot
		expect(findInconsistencies(kept)).toHaveLength(1)
	})
})
