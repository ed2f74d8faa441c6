import { expect, test } from 'vitest'
import { checkServiceDiscovery, readServiceDiscovery } from '../../../../src/mesh/kind/service-discovery.ts'
import type { VirtualNodeManifest } from '../../../../src/mesh/manifest.generated.ts'

type Written = NonNullable<VirtualNodeManifest['spec']['serviceDiscovery']>

const found = (serviceDiscovery?: Written): VirtualNodeManifest => ({
	apiVersion: 'sluice/v1',
	kind: 'VirtualNode',
	metadata: { mesh: 'apps', name: 'n' },
	spec: serviceDiscovery === undefined ? {} : { serviceDiscovery },
})
const cloudMap = (...attributes: [string, string][]): Written => ({
	awsCloudMap: {
		namespaceName: 'apps.local',
		serviceName: 's',
		attributes: attributes.map(([key, value]) => ({ key, value })),
	},
})

test('a node need not be found', () => {
	expect(readServiceDiscovery(found())).toBeNull()
	expect(checkServiceDiscovery(found())).toEqual([])
})

test('by DNS: a load balancer, unless it is written otherwise', () => {
	expect(readServiceDiscovery(found({ dns: { hostname: 'a.local.' } }))).toEqual({
		kind: 'dns',
		hostname: 'a.local',
		responseType: 'LOADBALANCER',
		ipPreference: null,
	})
})

test('by Cloud Map: attributes sorted, each once', () => {
	expect(readServiceDiscovery(found(cloudMap(['b', '1'], ['a', '2'], ['b', '1'])))).toEqual({
		kind: 'awsCloudMap',
		namespaceName: 'apps.local',
		serviceName: 's',
		attributes: [
			{ key: 'a', value: '2' },
			{ key: 'b', value: '1' },
		],
		ipPreference: null,
	})
})

test('an attribute with two values is had by no instance', () => {
	expect(checkServiceDiscovery(found(cloudMap(['a', '1'], ['a', '1'])))).toEqual([])
	const findings = checkServiceDiscovery(found(cloudMap(['a', '1'], ['b', '1'], ['a', '2'])))
	expect(findings.map(({ code, severity, path }) => [code, severity, path[4]])).toEqual([['SL0234', 'warning', 2]])
})

test('written down: sorted, each once, and each an IP address', () => {
	const endpoints = [
		{ address: '10.0.0.2', port: 9 },
		{ address: '10.0.0.2' },
		{ address: '10.0.0.1' },
		{ address: '10.0.0.2' },
	]
	expect(readServiceDiscovery(found({ static: { endpoints } }))).toEqual({
		kind: 'static',
		endpoints: [
			{ address: '10.0.0.1', port: null },
			{ address: '10.0.0.2', port: null },
			{ address: '10.0.0.2', port: 9 },
		],
	})
	const wrong = found({ static: { endpoints: [{ address: '10.0.0.1' }, { address: '10.0.0' }] } })
	expect(checkServiceDiscovery(wrong).map(({ code, path }) => [code, path[4]])).toEqual([['SL0208', 1]])
})
