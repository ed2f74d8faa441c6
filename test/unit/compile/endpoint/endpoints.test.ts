import { expect, test } from 'vitest'
import { compileEndpoints } from '#compile/endpoint/endpoints.ts'
import { cloudMapKey, type Endpoint, nothingDiscovered } from '#discovery/discovered.ts'
import type { ServiceDiscovery } from '#mesh/proxy-spec.ts'

const discovery = {
	kind: 'awsCloudMap',
	namespaceName: 'apps.local',
	serviceName: 'shop',
	attributes: [],
	ipPreference: null,
} as const satisfies ServiceDiscovery

const one: Endpoint = { ipv4: '10.0.0.1', ipv6: null, zone: 'a' }
const two: Endpoint = { ipv4: '10.0.0.2', ipv6: null, zone: '' }

function compiled(endpoints: readonly Endpoint[] | null, from: ServiceDiscovery = discovery) {
	const known = new Map(endpoints === null ? [] : [[cloudMapKey(discovery), endpoints]])
	const discovered = { ...nothingDiscovered, endpoints: known }
	return compileEndpoints({ name: 'c', port: 80, discovery: from, preference: null, discovered, madeOf: [] })
}

test('what was never answered is nothing; none is an answer', () => {
	expect(compiled(null)).toBeNull()
	expect(compiled([])?.build().message).toMatchObject({ clusterName: 'c', endpoints: [] })
})

test('hosts that DNS finds are no resource of ours', () => {
	const dns = { kind: 'dns', hostname: 'shop.local', responseType: 'ENDPOINTS', ipPreference: null } as const
	expect(compiled([one], dns)).toBeNull()
})

test('the order of the answer is no difference, and neither is an address twice', () => {
	expect(compiled([two, one, two])?.key).toBe(compiled([one, two])?.key)
	expect(compiled([one])?.key).not.toBe(compiled([one, two])?.key)
})
