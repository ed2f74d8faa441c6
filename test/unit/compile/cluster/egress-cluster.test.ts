import { describe, expect, test } from 'vitest'
import { compileEgressCluster, type EgressClusterOptions } from '#compile/cluster/egress-cluster.ts'
import { type CompiledResource, typeUrls } from '#compile/compiled.ts'
import type { ClientTls } from '#mesh/proxy-spec.ts'
import { type BriefDiscovered, fixtureDiscovered } from '../../../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective, fixtureTarget } from '../../../fixtures/mesh-fixture.ts'

const cloudMap = { namespaceName: 'apps.local', serviceName: 'shop' }
const found = { ipv4: '10.0.0.1', ipv6: null, zone: 'a' }
const nodes: readonly BriefResource[] = [
	{ kind: 'VirtualNode', name: 'dns' },
	{ kind: 'VirtualNode', name: 'unfound', dns: null },
	{
		kind: 'VirtualNode',
		name: 'mapped',
		discovery: { kind: 'awsCloudMap', ...cloudMap, attributes: [], ipPreference: null },
	},
]
const { resources } = fixtureEffective(nodes)

const secured: ClientTls = {
	enforce: true,
	ports: [],
	certificate: null,
	validation: { trust: { kind: 'sds', secretName: 'servers' }, subjectAlternativeNames: [] },
}

type Given = Partial<Omit<EgressClusterOptions, 'discovered'>> & { readonly discovered?: BriefDiscovered }

function compile(target: string, { discovered = {}, ...given }: Given = {}): readonly CompiledResource[] {
	const options = { resources, clientTls: [null], secrets: 'daemon', own: null, ...given } as const
	return compileEgressCluster(fixtureTarget(target), { ...options, discovered: fixtureDiscovered(discovered) })
}

const kindsOf = (compiled: readonly CompiledResource[]) =>
	compiled.map(({ typeUrl }) => Object.entries(typeUrls).find(([, url]) => url === typeUrl)?.[0])

test.for(['gone', 'dns:81', 'unfound'])('%s: there is no way to it', (target) => {
	expect(compile(target)).toEqual([])
})

describe('what comes along', () => {
	test('by DNS nothing', () => {
		expect(kindsOf(compile('dns'))).toEqual(['cluster'])
	})

	test('endpoints once they are known, named before', () => {
		const known = { cloudMap: [{ ...cloudMap, endpoints: [found] }] }
		const [before] = compile('mapped')
		expect(before?.references.endpoints).toEqual(['cds_egress_apps_mapped_http2_80'])
		expect(kindsOf(compile('mapped'))).toEqual(['cluster'])
		expect(kindsOf(compile('mapped', { discovered: known }))).toEqual(['cluster', 'endpoint'])
	})

	test('secrets once they are known, named before', () => {
		const known = { secrets: { servers: ['authorities'] } } as const
		const [before] = compile('dns', { clientTls: [secured] })
		expect(before?.references.secrets).toEqual(['cluster_trust/servers'])
		expect(kindsOf(compile('dns', { clientTls: [secured], discovered: known }))).toEqual(['cluster', 'secret'])
	})
})

describe('the cluster itself', () => {
	const keyOf = (...parameters: Parameters<typeof compile>) => compile(...parameters)[0]?.key

	test('stays what it is when endpoints or certificates change', () => {
		const discovered = {
			cloudMap: [{ ...cloudMap, endpoints: [found] }],
			secrets: { servers: ['authorities'] },
		} as const
		expect(keyOf('mapped', { clientTls: [secured], discovered })).toBe(keyOf('mapped', { clientTls: [secured] }))
	})

	test('is another for a caller with another policy, or other secrets, whoever asks first', () => {
		const keys = () => [
			keyOf('dns'),
			keyOf('dns', { clientTls: [secured] }),
			keyOf('dns', { clientTls: [secured], secrets: 'socket' }),
			keyOf('dns', { clientTls: [{ ...secured, ports: [443] }] }),
		]
		const [plain, byDaemon, bySocket, notForIt] = keys()
		expect(new Set([plain, byDaemon, bySocket]).size).toBe(3)
		expect(notForIt).toBe(plain)
		expect(keys()).toEqual([plain, byDaemon, bySocket, notForIt])
	})
})
