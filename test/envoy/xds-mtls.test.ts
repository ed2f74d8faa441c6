// xDS over mTLS with real Envoys, whose bootstrap is the command's own: who is served, who is refused, and new
// certificates and authorities on both sides while streams go on.

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '#base/system-clock.ts'
import type { Status } from '#controller/status.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import type { EnvoyVersion } from '#lab/parts.ts'
import { freePorts } from '#lab/ports.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { until } from '#lab/until.ts'
import { type Authority, createAuthority, type Issued } from '../fixtures/certificates.ts'
import { placeSecret } from './fixtures/place-certificates.ts'
import { runSluice, type SluiceProcess, startSluice } from './fixtures/sluice-process.ts'
import { goodRoute, routeFile } from './fixtures/watched-daemon.ts'

const example = join(import.meta.dirname, '../../mesh-config')
const serverName = 'xds.local'
const folder = makeTempDirectory('mtls')
const mesh = join(folder.path, 'mesh')
const at = (name: string) => join(folder.path, name)
const closing = new AsyncDisposableStack()
const addresses = { block: 89 }
let started = 0
/** Every private key that was written to a file. */
const keys: string[] = []
/** What daemons printed that have been stopped. */
const printed: string[] = []
let authority: Authority
let sluice: SluiceProcess
let parameters: readonly string[]
let envoys: { a: EnvoyProcess; b: EnvoyProcess }

beforeAll(async () => {
	cpSync(example, mesh, { recursive: true })
	authority = await createAuthority('first')
	place('daemon', await authority.issue({ names: [serverName] }), authority.certificate)
	const [port] = await freePorts('127.0.0.1', 1)
	parameters = ['--folder', mesh, '--xds-tls', at('daemon'), '--xds', `127.0.0.1:${port}`]
	sluice = await startSluice({ folder: folder.path, parameters })
	await sluice.logged('mesh.applied', 0)
	for (const name of ['serviceA', 'serviceB']) place(name, await issue(name), authority.certificate)
	envoys = {
		a: await startProxy({ name: 'serviceA', version: '1.40.0' }),
		b: await startProxy({ name: 'serviceB', version: '1.36.2' }),
	}
	await Promise.all([envoys.a.ready(), envoys.b.ready()])
}, 300_000)

afterAll(async () => {
	await closing.disposeAsync()
	await sluice?.stop()
	folder.remove()
})

function issue(name: string, by = authority): Promise<Issued> {
	return by.issue({ names: [`spiffe://td/mesh/apps/virtualNode/${name}`] })
}

function place(name: string, issued: Issued, authorities: string): void {
	keys.push(issued.privateKey)
	placeSecret(folder.path, name, { ...issued, authorities })
}

/** `name`: of the folder with its certificate. */
type Proxy = { name: string; node?: string; version: EnvoyVersion; shows?: 'nothing'; instance?: string; port?: number }

/** A real Envoy with what `sluice bootstrap` prints for it. */
async function startProxy({ name, node = name, version, shows, instance = name, port }: Proxy): Promise<EnvoyProcess> {
	const found = await findEnvoy({ version, onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	const own = ['--xds-cert', join(at(name), 'tls.crt'), '--xds-key', join(at(name), 'tls.key')]
	started += 1
	const bind = `127.0.${addresses.block}.${started}`
	// Not the usual one, which others listen on at all addresses.
	const [egressPort = 0] = await freePorts(bind, 1)
	const { stdout, code } = await runSluice(
		...['bootstrap', '--node', `mesh/apps/virtualNode/${node}`, '--instance', instance],
		...['--xds', `127.0.0.1:${port ?? sluice.xdsPort}`, '--xds-server-name', serverName],
		...['--xds-ca', join(at(name), 'ca.crt'), ...(shows === 'nothing' ? [] : own)],
		...['--admin', '127.0.0.1:0', '--bind', bind, '--egress-port', String(egressPort)],
	)
	expect(code).toBe(0)
	const file = at(`${instance}.yaml`)
	writeFileSync(file, stdout)
	return closing.use(await startEnvoy({ envoy: found.value.path, name: instance, bootstrap: { file } }))
}

function eventually<Value>(what: string, look: () => Promise<Value | null> | Value | null): Promise<Value> {
	return until({ clock: systemClock, deadlineMs: 20_000, what }, async () => look())
}

async function groupOf(name: string): Promise<Status['groups'][number] | undefined> {
	return (await sluice.status()).groups.find(({ identity }) => identity === `mesh/apps/virtualNode/${name}`)
}

function untilCurrent(name: string, connected: number): Promise<true> {
	return eventually(`${connected} of ${name} hold what is served`, async () => {
		const group = await groupOf(name)
		if (group === undefined || group.connected !== connected || group.silent.length > 0) return null
		return Object.values(group.types).every(({ current }) => current === connected) || null
	})
}

/** Writes the route anew, and waits until the proxy of its caller holds that. */
async function change(): Promise<void> {
	const from = sluice.lines.length
	writeFileSync(join(mesh, routeFile), goodRoute())
	sluice.look()
	await sluice.logged('revision.accepted', from)
	await untilCurrent('serviceA', 1)
}

async function statOf(envoy: EnvoyProcess, name: string): Promise<number> {
	return (await envoy.admin.stats(`^${name}$`)).get(name) ?? 0
}

async function listenersOf(envoy: EnvoyProcess): Promise<number> {
	return (await envoy.admin.configDump('dynamic_listeners')).length
}

test('each proxy is served by its certificate, and its counters are taken', async () => {
	await untilCurrent('serviceA', 1)
	await untilCurrent('serviceB', 1)
	expect(await listenersOf(envoys.a)).toBeGreaterThan(0)
	expect(await statOf(envoys.a, 'cluster.xds.ssl.handshake')).toBe(1)
})

test('a proxy without a certificate gets no connection', async () => {
	const from = sluice.lines.length
	const envoy = await startProxy({ name: 'serviceA', version: '1.40.0', shows: 'nothing', instance: 'bare' })
	const told = await sluice.logged('xds.handshake.failed', from)
	expect(String(told.reason)).toContain('PEER_DID_NOT_RETURN_A_CERTIFICATE')
	// Under TLS 1.3 it takes itself to be connected with each attempt, until it has read why it is not.
	await eventually('it is turned away', async () =>
		(await statOf(envoy, 'control_plane.connected_state')) === 0 ? true : null,
	)
	expect(await listenersOf(envoy)).toBe(0)
	expect((await groupOf('serviceA'))?.connected).toBe(1)
	await envoy.stop()
})

test('new certificates and authorities on both sides are taken up, and the streams that live go on', async () => {
	const next = await createAuthority('next')
	const both = `${authority.certificate}\n${next.certificate}`
	const connections = await statOf(envoys.a, 'cluster.xds.upstream_cx_total')
	// Proxies trust the next authority before the daemon shows a certificate of it.
	for (const name of ['serviceA', 'serviceB']) place(name, await issue(name, next), both)
	const from = sluice.lines.length
	place('daemon', await next.issue({ names: [serverName] }), next.certificate)
	sluice.look()
	await sluice.logged('discovery.secret', from)
	await change()
	expect(await statOf(envoys.a, 'cluster.xds.upstream_cx_total')).toBe(connections)
	// Who comes now is shown the new one and held against the new authority.
	const late = await startProxy({ name: 'serviceB', version: '1.40.0', instance: 'late' })
	await late.ready()
	await eventually('it is connected', async () => (await statOf(late, 'control_plane.connected_state')) || null)
	await late.stop()
	authority = next
}, 60_000)

test('files that are broken change nothing, and status says it', async () => {
	writeFileSync(join(at('daemon'), 'tls.key'), 'not a key')
	const from = sluice.lines.length
	sluice.look()
	await sluice.logged('discovery.trouble', from)
	const { discovery } = await sluice.status()
	expect(discovery).toMatchObject([{ code: 'SL0507', subject: 'the certificate of xDS' }])
	await change()
	place('daemon', await authority.issue({ names: [serverName] }), authority.certificate)
	sluice.look()
	await sluice.logged('discovery.recovered', from)
})

test('what `sluice certs` makes is enough for both sides', async () => {
	const id = 'mesh/apps/virtualNode/serviceA'
	const { code } = await runSluice('certs', at('made'), '--server', serverName, '--node', id)
	expect(code).toBe(0)
	keys.push(readFileSync(join(at('made'), id, 'tls.key'), 'utf8'), readFileSync(join(at('made'), 'ca/ca.key'), 'utf8'))
	const other = makeTempDirectory('mtls-made')
	closing.defer(() => other.remove())
	const parameters = ['--folder', mesh, '--xds-tls', join(at('made'), 'server')]
	const made = closing.use(await startSluice({ folder: other.path, parameters }))
	await startProxy({ name: `made/${id}`, node: 'serviceA', version: '1.36.2', instance: 'made', port: made.xdsPort })
	await eventually('it is served', async () => {
		const { groups } = await made.status()
		return groups.some(({ connected, types }) => connected === 1 && types.listener.current === 1) || null
	})
	printed.push(made.output())
})

test('a proxy that names itself otherwise than its certificate is refused, and keeps what it has', async () => {
	const listeners = await listenersOf(envoys.b)
	expect(listeners).toBeGreaterThan(0)
	// It comes to have another's certificate, and must connect again.
	place('serviceB', await issue('serviceA'), authority.certificate)
	await sluice.stop()
	printed.push(sluice.output())
	sluice = await startSluice({ folder: folder.path, parameters })
	const told = await eventually('it is denied', () => {
		return sluice.lines.find(({ event, code }) => event === 'xds.stream.ended' && code === 'PERMISSION_DENIED') ?? null
	})
	expect(String(told.message)).toBe(
		'node.id says mesh/apps/virtualNode/serviceB, but the certificate of this connection is for spiffe://td/mesh/apps/virtualNode/serviceA',
	)
	await eventually('Envoy says so', () => {
		const words = 'closed: 7, node.id says mesh/apps/virtualNode/serviceB'
		return readFileSync(envoys.b.logFile, 'utf8').includes(words) || null
	})
	// Its counters are nobody's either.
	await eventually('its metrics are denied', () => {
		const denied = sluice.lines.find(
			({ event, code }) => event === 'telemetry.stream.ended' && code === 'PERMISSION_DENIED',
		)
		return denied ?? null
	})
	await untilCurrent('serviceA', 1)
	expect(await listenersOf(envoys.b)).toBe(listeners)
}, 60_000)

test('no key is in the log, the state, the API or the metrics', async () => {
	const state = at('state')
	const files = readdirSync(state, { withFileTypes: true }).filter((entry) => entry.isFile())
	const asked = await Promise.all(
		['/api/v1/status', '/api/v1/proxies', '/metrics'].map(async (path) =>
			(await fetch(`http://${sluice.http}${path}`)).text(),
		),
	)
	const told = [
		...printed,
		sluice.output(),
		...asked,
		...files.map(({ name }) => readFileSync(join(state, name), 'latin1')),
	].join('\n')
	expect(keys.length).toBeGreaterThan(5)
	for (const key of keys) {
		const [, body = ''] = key.split('\n')
		expect(body.length).toBeGreaterThan(60)
		// A piece of it, however it is broken into lines.
		expect(told.includes(body.slice(20, 50))).toBe(false)
	}
})
