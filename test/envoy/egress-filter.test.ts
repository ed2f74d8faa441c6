// What an intercepted application may call beside its backends: nothing but AWS's own services under DROP_ALL, whatever
// it dials under ALLOW_ALL. With real redirection, and a daemon beside the proxy that serves it all.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#base/system-clock.ts'
import { startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { until } from '#lab/until.ts'
import type { BootstrapOptions } from '../../src/cli/bootstrap/bootstrap-options.ts'
import { makeBootstrap } from '../../src/cli/bootstrap/make-bootstrap.ts'
import { bootstrapVariants } from '../fixtures/bootstrap-variants.ts'
import { createAuthority } from '../fixtures/certificates.ts'
import { runInProcess } from '../fixtures/run-in-process.ts'
import { eventually } from './fixtures/eventually.ts'
import { mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'
import { type Network, openNetwork } from './fixtures/network.ts'
import { type Peer, startPeer } from './fixtures/network-peer.ts'
import { type SluiceProcess, startSluice } from './fixtures/sluice-process.ts'

const envoyUid = 1337
const appUid = 1338
/** What the application dials, and what answers there. Backends are elsewhere. */
const dialled = '10.77.0.80'
const backend = '10.77.0.11'
const ofAws = 's3.eu-west-1.amazonaws.com'
const service1 = 'shop.apps.local'

const opening = new AsyncDisposableStack()
let network: Network
let world: Peer
let application: Peer
let sluice: SluiceProcess
let meshFile: string

beforeAll(async () => {
	const found = await findEnvoy({ onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	network = opening.use(await openNetwork([dialled, backend]))
	const folder = opening.use(makeTempDirectory('egress-filter')).path
	mkdirSync(join(folder, 'mesh'))
	meshFile = join(folder, 'mesh/mesh.yaml')
	// Not written, it is DROP_ALL.
	writeFileSync(meshFile, meshOf({}))
	;[world, application] = await Promise.all([startPeer(network, 'world', 0), startPeer(network, 'host', appUid)])
	const proxyUser = opening.use(await startPeer(network, 'host', envoyUid))
	for (const peer of [world, application]) opening.use(peer)
	await startWorld()
	const dns = await application.dns({ 'shop.apps.local': backend, 'db.apps.local': backend })

	const through = network.commandAs('host', 0)
	sluice = opening.use(await startSluice({ folder, parameters: ['--folder', join(folder, 'mesh')], through }))
	const envoy = opening.use(
		await startEnvoy({
			envoy: await network.programAs('host', envoyUid, found.value.path),
			name: 'web',
			bootstrap: {
				content: makeBootstrap({
					...(bootstrapVariants.intercept as BootstrapOptions),
					identity: { mesh: 'apps', kind: 'virtualNode', name: 'web' },
					controlPlane: [{ address: '127.0.0.1', port: sluice.xdsPort }],
					admin: { address: '127.0.0.1', port: 0 },
					dnsResolver: dns,
				}),
			},
		}),
	)
	await until({ clock: systemClock, deadlineMs: 20_000, what: 'Envoy in the namespace is ready' }, async () => {
		const [address = '', port = ''] = envoy.adminAddress.split(':')
		const ready = await proxyUser.ask({ address, port: Number(port), path: '/ready' })
		return ready.kind === 'answered' && ready.status === 200 ? true : null
	})
	await network.run('host', 'sh', '-c', await captureScript())
}, 300_000)
afterAll(() => opening.disposeAsync())

async function startWorld(): Promise<void> {
	const tls = await (await createAuthority()).issue({ names: ['*.amazonaws.com'] })
	const says = (greeting: string, address: string, port: number) => world.greeter({ greeting, address, port })
	await Promise.all([
		world.app({ name: 'backend', address: backend, port: 80 }),
		world.app({ name: 'past', address: dialled, port: 80 }),
		world.app({ name: 'past', address: dialled, port: 8888 }),
		says('the backend', backend, 3306),
		says('past the proxy', dialled, 3306),
		says('past the proxy', dialled, 5432),
		world.greeter({ greeting: 'by TLS', address: dialled, port: 443, tls }),
		world.greeter({ greeting: 'by TLS', address: dialled, port: 8443, tls }),
	])
}

function meshOf(spec: object): string {
	const tcp = { serviceDiscovery: { dns: { hostname: 'db.apps.local' } } }
	return yamlOf([
		mesh(spec),
		node('web', [], { backends: [service1, 'db.apps.local'] }),
		node('shop', [{ port: 80 }]),
		node('db', [{ port: 3306, protocol: 'tcp' }], tcp),
		service(service1, { node: 'shop' }),
		service('db.apps.local', { node: 'db' }),
	])
}

/** What `sluice bootstrap --intercept` prints. */
async function captureScript(): Promise<string> {
	const said = await runInProcess(['bootstrap', '--intercept', 'iptables', '--app-ports', 'none'])
	expect(said).toMatchObject({ code: 0, talk: [] })
	return said.out.join('')
}

const ask = (host: string, port = 80) => application.ask({ address: dialled, port, host })
const hear = (port: number, tls?: string) =>
	application.hear({ address: dialled, port, ...(tls === undefined ? {} : { tls }) })
const answered = (by: string | null, through: 'envoy' | null, status = 200) => ({
	kind: 'answered' as const,
	status,
	by,
	through,
})

async function apply(spec: object): Promise<void> {
	const from = sluice.lines.length
	writeFileSync(meshFile, meshOf(spec))
	sluice.look()
	await sluice.logged('revision.accepted', from)
}

/** Whatever the filter says. */
async function expectBackends(): Promise<void> {
	expect(await ask(service1)).toEqual(answered('backend', 'envoy'))
	expect(await hear(3306)).toBe('the backend')
	// A known port is the mesh's: a host that is no backend has no route there.
	expect(await ask('elsewhere.example.com')).toEqual(answered(null, 'envoy', 404))
}

async function expectNothingElse(): Promise<void> {
	await expectBackends()
	expect(await hear(5432)).toBeNull()
	expect(await ask('elsewhere.example.com', 8888)).toMatchObject({ kind: 'failed' })
	expect(await hear(443, ofAws)).toBe('by TLS')
	expect(await hear(443, 'www.example.com')).toBeNull()
	expect(await hear(443, 'amazonaws.com.example.com')).toBeNull()
	expect(await hear(443, '')).toBeNull()
	expect(await hear(8443, ofAws)).toBeNull()
}

test('DROP_ALL: backends, and what TLS calls *.amazonaws.com on 443, which goes where it was going', expectNothingElse)

describe('the filter changes while the proxy runs', () => {
	test('ALLOW_ALL: what is no backend passes as it is', async () => {
		await apply({ egressFilter: { type: 'ALLOW_ALL' } })
		await eventually('another port passes', async () => (await hear(5432)) === 'past the proxy')
		await expectBackends()
		expect(await ask('elsewhere.example.com', 8888)).toEqual(answered('past', null))
		for (const name of [ofAws, 'www.example.com', '']) expect(await hear(443, name)).toBe('by TLS')
		expect(await hear(8443, 'www.example.com')).toBe('by TLS')
	})

	test('DROP_ALL again', async () => {
		await apply({ egressFilter: { type: 'DROP_ALL' } })
		await eventually('another port is closed', async () => (await hear(5432)) === null)
		await expectNothingElse()
	})
})
