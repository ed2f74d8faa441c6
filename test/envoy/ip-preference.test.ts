// Which address of a name is called: one name with an IPv4 and an IPv6 address, and an app at each.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'
import { type ScriptedApp, startScriptedApp } from './fixtures/scripted-app.ts'

let stage: FeatureStage
let six: ScriptedApp
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 39,
		apps: ['web', 'four'],
		proxies: ['web'],
		records: names,
		mesh: (at) => services(at, 'IPv4_ONLY'),
	})
	six = await startScriptedApp({ name: 'six', address: '::1', port: stage.port() })
})
afterAll(async () => {
	await six?.[Symbol.asyncDispose]()
	await stage?.[Symbol.asyncDispose]()
})

const preferences = ['IPv4_PREFERRED', 'IPv6_PREFERRED', 'IPv4_ONLY', 'IPv6_ONLY'] as const
const nameOf = (preference: string) => preference.toLowerCase().replace('_', '-')
const host = (name: string) => `${name}.apps.local`

const names = (at: FeaturePlaces) => ({ 'both.test': [at.appAddress('four'), '::1'], 'six.test': ['::1'] })

function services(at: FeaturePlaces, ofMesh?: string): string {
	const names = [...preferences.map(nameOf), 'as-mesh', 'only-six']
	const dns = (preference?: string, hostname = 'both.test') => {
		return {
			serviceDiscovery: { dns: { hostname, ...(preference === undefined ? {} : { ipPreference: preference }) } },
		}
	}
	return yamlOf([
		mesh(ofMesh === undefined ? {} : { serviceDiscovery: { ipPreference: ofMesh } }),
		node('web', [], { backends: names.map(host) }),
		...preferences.map((preference) => node(nameOf(preference), [{ port: at.port() }], dns(preference))),
		node('as-mesh', [{ port: at.port() }], dns()),
		node('only-six', [{ port: at.port() }], dns('IPv4_PREFERRED', 'six.test')),
		...names.map((name) => service(host(name), { node: name })),
	])
}

test('a node’s own preference decides, and that of its mesh where it has none', async () => {
	const answers = async (names: readonly string[]) =>
		Object.fromEntries(await Promise.all(names.map(async (name) => [name, await untilAnswered(name)] as const)))
	expect(await answers([...preferences.map(nameOf), 'as-mesh', 'only-six'])).toEqual({
		'ipv4-preferred': 'four',
		'ipv6-preferred': 'six',
		'ipv4-only': 'four',
		'ipv6-only': 'six',
		'as-mesh': 'four',
		'only-six': 'six',
	})
	// From none to IPv6 at once is refused: servers must listen on both before callers come by it.
	await stage.apply(services(stage, 'IPv4_PREFERRED'))
	await stage.apply(services(stage, 'IPv6_ONLY'))
	expect(await untilAnswered('as-mesh')).toBe('six')
})

/** The first answers may be 503: a name has to be resolved. */
async function untilAnswered(name: string): Promise<string | undefined> {
	let app: string | undefined
	await eventually(`${name} answers`, async () => {
		app = (await stage.ask('web', `http://${host(name)}/`)).app
		return app !== undefined
	})
	return app
}
