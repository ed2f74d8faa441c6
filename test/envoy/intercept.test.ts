// Traffic capture as it is used: the script that `sluice bootstrap --intercept` prints, run in a network namespace, and
// Envoy with what is compiled for `intercept`. The application dials addresses that something else answers; who answers
// tells which way the connection went.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#base/system-clock.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import type { HostPort } from '#lab/demo/addresses.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { until } from '#lab/until.ts'
import { makeBootstrap } from '../../src/cli/bootstrap/make-bootstrap.ts'
import { bootstrapVariants } from '../fixtures/bootstrap-variants.ts'
import { fixtureGroup } from '../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective } from '../fixtures/mesh-fixture.ts'
import { runInProcess } from '../fixtures/run-in-process.ts'
import { staticResources } from '../fixtures/static-resources.ts'
import { type Network, networkAddresses, openNetwork } from './fixtures/network.ts'
import { type Peer, type PeerAnswer, type PeerRequest, startPeer } from './fixtures/network-peer.ts'

const envoyUid = 1337
const appUid = 1338
const appPort = 8080
const service = 'serviceb.apps.local'
/** What the service's name leads to: only who passes Envoy by is answered from here. */
const dialled = '10.77.0.80'
const v1 = '10.77.0.11'
const v2 = '10.77.0.12'
const metadata = '169.254.169.254'

const resources: readonly BriefResource[] = [
	// With a preference App Mesh's listeners take both families.
	{ kind: 'Mesh', spec: { ipPreference: 'IPv4_PREFERRED' } },
	{
		kind: 'VirtualNode',
		name: 'web',
		backends: [service],
		listeners: [{ port: appPort, protocol: 'http' }],
	},
	{ kind: 'VirtualNode', name: 'v1', listeners: [{ protocol: 'http' }] },
	{ kind: 'VirtualNode', name: 'v2', listeners: [{ protocol: 'http' }] },
	{ kind: 'VirtualService', name: service, router: 'serviceb' },
	{ kind: 'VirtualRouter', name: 'serviceb', listeners: [{ port: 80, protocol: 'http' }] },
	{ kind: 'Route', name: 'all', router: 'serviceb', targets: { v1: 1 } },
	{
		kind: 'Route',
		name: 'new',
		router: 'serviceb',
		targets: { v2: 1 },
		spec: { match: { path: { kind: 'prefix', prefix: '/new' } } },
	},
]

const opening = new AsyncDisposableStack()
let network: Network
let world: Peer
/** The application's user, and Envoy's. */
let application: Peer
let ignored: Peer

beforeAll(async () => {
	const found = await findEnvoy({ onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	network = opening.use(await openNetwork([dialled, v1, v2, metadata]))
	;[world, application, ignored] = await Promise.all([
		startPeer(network, 'world', 0),
		startPeer(network, 'host', appUid),
		startPeer(network, 'host', envoyUid),
	])
	for (const peer of [world, application, ignored]) opening.use(peer)
	const past = [80, 2525, 8888].map((port) => ({ name: 'past', address: dialled, port }))
	const others = { v1, v2, metadata }
	await Promise.all([
		...past.map((place) => world.app(place)),
		...Object.entries(others).map(([name, address]) => world.app({ name, address, port: 80 })),
		world.app({ name: 'ssh', address: dialled, port: 22 }),
		world.app({ name: 'past', address: networkAddresses.world.ipv6, port: 80 }),
		...[appPort, 8082].map((port) => application.app({ name: 'web', address: '::', port })),
		// Stand in for Envoy's listeners on ports of one's own choice.
		application.app({ name: 'ingress', address: '::', port: 16_000 }),
		application.app({ name: 'egress', address: '::', port: 16_001 }),
	])
	const dns = await application.dns({ 'v1.apps.local': v1, 'v2.apps.local': v2 })
	const envoy = opening.use(await launchEnvoy(found.value.path, dns))
	await until({ clock: systemClock, deadlineMs: 10_000, what: 'Envoy in the namespace is ready' }, async () => {
		const [address = '', port = ''] = envoy.adminAddress.split(':')
		const ready = await ignored.ask({ address, port: Number(port), path: '/ready' })
		return ready.kind === 'answered' && ready.status === 200 ? true : null
	})
}, 300_000)

afterAll(() => opening.disposeAsync())

async function launchEnvoy(path: string, dnsResolver: HostPort): Promise<EnvoyProcess> {
	const capture = { mode: 'intercept' } as const
	const compiled = compileGroup(fixtureEffective(resources), fixtureGroup('web', capture), nothingDiscovered)
	const { plain } = bootstrapVariants
	if (compiled === null || plain === undefined) throw new Error('there is nothing to start')
	// Without a daemon Envoy would wait for one before it listens.
	const { dynamic_resources: _, ...bootstrap } = makeBootstrap({ ...plain, capture, dnsResolver }) as Bootstrap
	const { clusters, listeners } = staticResources(compiled)
	const everything = { clusters: [...bootstrap.static_resources.clusters, ...clusters], listeners }
	return startEnvoy({
		envoy: await network.programAs('host', envoyUid, path),
		name: 'web',
		bootstrap: { content: { ...bootstrap, static_resources: everything } },
	})
}

type Bootstrap = { dynamic_resources: object; static_resources: { clusters: object[] } }

/** What the command prints. */
async function scriptOf(...flags: readonly string[]): Promise<string> {
	const { code, out } = await runInProcess(['bootstrap', '--intercept', ...flags])
	expect([code, out.length]).toEqual([0, 1])
	return out.join('')
}

const to = (request: PeerRequest) => ({ host: service, ...request })
const answered = (by: string, through: 'envoy' | null): PeerAnswer => ({ kind: 'answered', status: 200, by, through })

const listings = {
	iptables: 'iptables -w -t nat -S; ip6tables -w -t nat -S',
	nftables: 'nft list ruleset inet',
}

describe.for(['iptables', 'nftables'] as const)('%s', (tool) => {
	const rules = () => network.run('host', 'sh', '-c', listings[tool])
	const sh = (script: string, ...parameters: readonly string[]) =>
		network.run('host', 'sh', '-c', script, 'capture.sh', ...parameters)

	test('captures what it should, and nothing else', async () => {
		const script = await scriptOf(tool, '--app-ports', String(appPort), '--ignore-ports', '2525')
		const clean = await rules()
		const serviceCall = to({ address: dialled, port: 80 })
		expect(await application.ask(serviceCall)).toEqual(answered('past', null))
		await sh(script)

		expect(await application.ask(serviceCall)).toEqual(answered('v1', 'envoy'))
		expect(await application.ask({ ...serviceCall, path: '/new' })).toEqual(answered('v2', 'envoy'))
		expect(await ignored.ask(serviceCall)).toEqual(answered('past', null))
		expect(await application.ask(to({ address: dialled, port: 2525 }))).toEqual(answered('past', null))
		expect(await application.ask(to({ address: dialled, port: 22 }))).toEqual(answered('ssh', null))
		expect(await application.ask(to({ address: metadata, port: 80 }))).toEqual(answered('metadata', null))
		// Captured, and led nowhere: the mesh has no backend on that port.
		expect(await application.ask(to({ address: dialled, port: 8888 }))).toMatchObject({ kind: 'failed' })
		for (const address of ['127.0.0.1', networkAddresses.host.ipv4])
			expect(await application.ask(to({ address, port: appPort }))).toEqual(answered('web', null))

		const { ipv4 } = networkAddresses.host
		expect(await world.ask({ address: ipv4, port: appPort })).toEqual(answered('web', 'envoy'))
		expect(await world.ask({ address: ipv4, port: 8082 })).toEqual(answered('web', null))

		const once = await rules()
		await sh(script, 'install')
		expect(await rules()).toBe(once)
		expect(await application.ask(serviceCall)).toEqual(answered('v1', 'envoy'))

		await sh(script, 'remove')
		expect(await application.ask(serviceCall)).toEqual(answered('past', null))
		expect(await rules()).toBe(clean)
		await sh(script, 'remove')
		expect(await rules()).toBe(clean)
	})

	test('IPv6 is captured when that is asked for, and let go by the next script', async () => {
		const clean = await rules()
		const out = to({ address: networkAddresses.world.ipv6, port: 80 })
		const inward = { address: networkAddresses.host.ipv6, port: appPort }
		await sh(await scriptOf(tool, '--app-ports', String(appPort), '--ipv6'))
		expect(await application.ask(out)).toEqual(answered('v1', 'envoy'))
		expect(await application.ask(to({ address: dialled, port: 80 }))).toEqual(answered('v1', 'envoy'))
		expect(await ignored.ask(out)).toEqual(answered('past', null))
		expect(await application.ask({ address: '::1', port: appPort })).toEqual(answered('web', null))
		expect(await world.ask(inward)).toEqual(answered('web', 'envoy'))
		expect(await world.ask({ ...inward, port: 8082 })).toEqual(answered('web', null))

		const script = await scriptOf(tool, '--app-ports', String(appPort))
		await sh(script)
		expect(await application.ask(out)).toEqual(answered('past', null))
		expect(await world.ask(inward)).toEqual(answered('web', null))
		expect(await application.ask(to({ address: dialled, port: 80 }))).toEqual(answered('v1', 'envoy'))
		await sh(script, 'remove')
		expect(await rules()).toBe(clean)
	})

	test('other ports and other addresses replace those before', async () => {
		const clean = await rules()
		const ports = ['--app-ports', '8082', '--ingress-port', '16000', '--egress-port', '16001']
		const script = await scriptOf(tool, ...ports, '--ignore-ips', `${v1}/32,10.77.0.80/29`)
		await sh(await scriptOf(tool, '--app-ports', String(appPort)))
		await sh(script)
		const { ipv4 } = networkAddresses.host
		expect(await world.ask({ address: ipv4, port: 8082 })).toEqual(answered('ingress', null))
		expect(await world.ask({ address: ipv4, port: appPort })).toEqual(answered('web', null))
		expect(await application.ask({ address: dialled, port: 80 })).toEqual(answered('past', null))
		expect(await application.ask({ address: v1, port: 80 })).toEqual(answered('v1', null))
		expect(await application.ask({ address: v2, port: 80 })).toEqual(answered('egress', null))
		// It was ignored only as long as nothing else was said.
		expect(await application.ask({ address: metadata, port: 80 })).toEqual(answered('egress', null))
		await sh(script, 'remove')
		expect(await rules()).toBe(clean)
	})

	test('a group instead of a user, and no port of an application', async () => {
		const script = await scriptOf(tool, '--app-ports', 'none', '--ignore-gid', String(envoyUid))
		await sh(script)
		expect(await ignored.ask(to({ address: dialled, port: 80 }))).toEqual(answered('past', null))
		expect(await application.ask(to({ address: dialled, port: 80 }))).toEqual(answered('v1', 'envoy'))
		expect(await world.ask({ address: networkAddresses.host.ipv4, port: appPort })).toEqual(answered('web', null))
		await sh(script, 'remove')
	})

	test('says how it is called', async () => {
		const script = await scriptOf(tool, '--app-ports', '80')
		await expect(sh(script, 'help')).rejects.toThrow('usage: capture.sh [install|remove]')
	})
})
