// Which instances of Cloud Map a virtual node's callers are sent to: by attributes, and by IP preference.
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { namespace, openCloudMap } from './fixtures/cloud-map.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'
import { startScriptedApp } from './fixtures/scripted-app.ts'

const opened = new AsyncDisposableStack()
let stage: FeatureStage

const host = (name: string) => `${name}.apps.local`

/** Of each node: what it asks of instances, beside their service. */
const asked: Readonly<Record<string, object>> = {
	any: {},
	'first-version': { attributes: [{ key: 'version', value: '1' }] },
	'second-and-gold': {
		attributes: [
			{ key: 'version', value: '2' },
			{ key: 'tier', value: 'gold' },
		],
	},
	'second-by-ipv6': { attributes: [{ key: 'version', value: '2' }], ipPreference: 'IPv6_ONLY' },
	'first-and-gold': {
		attributes: [
			{ key: 'version', value: '1' },
			{ key: 'tier', value: 'gold' },
		],
	},
}
const names = Object.keys(asked)

beforeAll(async () => {
	const cloudMap = opened.use(await openCloudMap())
	await cloudMap.createService()
	const addresses = { first: '127.0.67.101', second: '127.0.67.102' }
	await cloudMap.register('first', { AWS_INSTANCE_IPV4: addresses.first, version: '1' })
	await cloudMap.register('second', {
		AWS_INSTANCE_IPV4: addresses.second,
		AWS_INSTANCE_IPV6: '::1',
		version: '2',
		tier: 'gold',
	})
	stage = opened.use(
		await openFeatureStage({
			block: 67,
			apps: ['web', 'first', 'second'],
			proxies: ['web'],
			mesh: (at) =>
				yamlOf([
					mesh(),
					node('web', [], { backends: names.map(host) }),
					...Object.entries(asked).flatMap(([name, more]) => [
						node(name, [{ port: at.port() }], {
							serviceDiscovery: { awsCloudMap: { namespaceName: namespace, serviceName: 'web', ...more } },
						}),
						service(host(name), { node: name }),
					]),
				]),
		}),
	)
	for (const [name, address] of Object.entries(addresses))
		expect([name, stage.appAddress(name)]).toEqual([name, address])
	opened.use(await startScriptedApp({ name: 'second by IPv6', address: '::1', port: stage.port() }))
})
afterAll(() => opened.disposeAsync())

test.for<[name: string, apps: (string | undefined)[]]>([
	['any', ['first', 'second']],
	['first-version', ['first']],
	['second-and-gold', ['second']],
	['second-by-ipv6', ['second by IPv6']],
	// No instance has both: there is nobody to send to.
	['first-and-gold', [undefined]],
])('%s: %j', async ([name, apps]) => {
	const answerers = async () => {
		const answers = []
		for (let sent = 0; sent < 10; sent += 1) answers.push((await stage.ask('web', `http://${host(name)}/`)).app)
		return [...new Set(answers)].sort()
	}
	await eventually('they answer', async () => isDeepStrictEqual(await answerers(), apps))
})
