// What is compiled for TLS, on two real Envoys without a daemon: a caller's and a server's proxy. Certificates are files.
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileGroup } from '#compile/compile-group.ts'
import type { Capture } from '#compile/compiled.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { startApp } from '#lab/app.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { freePorts } from '#lab/ports.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import type { ClientTls, HealthCheck, ListenerTls, VirtualNodeListener } from '#mesh/proxy-spec.ts'
import { writeCertificateFiles } from '../fixtures/certificate-files.ts'
import { fixtureGroup } from '../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective } from '../fixtures/mesh-fixture.ts'
import { staticResources } from '../fixtures/static-resources.ts'
import { eventually } from './fixtures/eventually.ts'

const caller = '127.0.41.1'
const server = '127.0.41.2'
const folder = makeTempDirectory('compiled-tls')
const certificates = await writeCertificateFiles(folder.path, ['test.local', server])
const started: AsyncDisposable[] = []
let egressPort = 0
let callersProxy: EnvoyProcess

const certificate = { kind: 'file', certificateChain: '/chain.pem', privateKey: '/key.pem' } as const
const trust = { kind: 'file', certificateChain: '/authorities.pem' } as const
const healthCheck: HealthCheck = {
	protocol: 'http',
	path: '/',
	healthyThreshold: 2,
	unhealthyThreshold: 2,
	intervalMs: 5000,
	timeoutMs: 2000,
}

function listenerTls(mode: ListenerTls['mode'], accepted: readonly string[] | null = null): ListenerTls {
	const validation = accepted === null ? null : { trust, subjectAlternativeNames: accepted }
	return { mode, certificate, validation }
}

function clientTls(names: readonly string[], own: ClientTls['certificate'] = certificate): ClientTls {
	const validation = { trust, subjectAlternativeNames: names }
	return { enforce: true, ports: [], certificate: own, validation }
}

type Listener = Partial<VirtualNodeListener>

/** The server's ports, and for each way to call one of them a node of its own. */
function meshOf([mutual = 0, either = 0, other = 0]: readonly number[]): BriefResource[] {
	const strict: Listener = { port: mutual, tls: listenerTls('STRICT', ['test.local']), healthCheck }
	const permissive: Listener = { port: either, protocol: 'http', tls: listenerTls('PERMISSIVE') }
	const unaccepting: Listener = { port: other, protocol: 'grpc', tls: listenerTls('STRICT', ['nobody.local']) }
	const backends = [
		{ service: 'mutual.local', clientTls: clientTls(['test.local']) },
		{ service: 'nameless.local', clientTls: clientTls([]) },
		{ service: 'misnamed.local', clientTls: clientTls(['other.local']) },
		{ service: 'unaccepted.local', clientTls: clientTls([]) },
		'either.local',
		'plain.local',
	]
	return [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'server', listeners: [strict, permissive, unaccepting] },
		{ kind: 'VirtualNode', name: 'web', listeners: [], backends },
		...target('mutual', strict),
		...target('nameless', strict),
		...target('misnamed', strict),
		...target('either', permissive),
		...target('plain', { ...permissive, tls: null }),
		...target('unaccepted', unaccepting),
	]
}

function target(name: string, listener: Listener): BriefResource[] {
	const discovery = { kind: 'static', endpoints: [{ address: server, port: null }] } as const
	return [
		{ kind: 'VirtualNode', name, listeners: [listener], discovery },
		{ kind: 'VirtualService', name: `${name}.local`, node: name },
	]
}

/** Envoy as the node's proxy, with everything compiled for it. */
async function launch(envoy: string, name: string, resources: readonly BriefResource[], capture: Capture) {
	const compiled = compileGroup(fixtureEffective(resources), fixtureGroup(name, capture), nothingDiscovered)
	if (compiled === null) throw new Error(`${name} is not in the mesh`)
	const content = {
		node: { id: name, cluster: name },
		admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
		static_resources: staticResources(compiled, certificates),
	}
	const process = await startEnvoy({ envoy, name, bootstrap: { content } })
	started.push(process)
	await process.ready()
	return process
}

beforeAll(async () => {
	const found = await findEnvoy({ onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	const app = await startApp({ name: 'app', address: '127.0.41.3' })
	started.push(app)
	const resources = meshOf(await freePorts(server, 3))
	const [free = 0] = await freePorts(caller, 1)
	egressPort = free
	const captureAt = (bind: string): Capture => ({
		mode: 'explicit',
		bind,
		egressPort,
		app: { address: app.address, port: app.port },
	})
	await launch(found.value.path, 'server', resources, captureAt(server))
	callersProxy = await launch(found.value.path, 'web', resources, captureAt(caller))
}, 300_000)

afterAll(async () => {
	for (const each of started.reverse()) await each[Symbol.asyncDispose]()
	folder.remove()
})

function ask(host: string): Promise<number> {
	return new Promise((resolve, reject) => {
		const sent = request({ host: caller, port: egressPort, headers: { host } }, (response) => {
			response.resume()
			response.on('end', () => resolve(response.statusCode ?? 0))
		})
		sent.on('error', reject).end()
	})
}

/** The statistics of the caller's cluster for a node. */
async function statisticsOf(node: string): Promise<(name: string) => number> {
	const all = await callersProxy.admin.stats(`^cluster\\.cds_egress_apps_${node}_`)
	return (name) => [...all].find(([key]) => key.endsWith(`.${name}`))?.[1] ?? 0
}

describe('let through', () => {
	test.for([
		['both show a certificate that the other accepts', 'mutual', 'TLS'],
		["no name is written: the server's address has to be in its certificate", 'nameless', 'TLS'],
		['no policy: TLS because the server offers it', 'either', 'TLS'],
		['no TLS, where the server takes both', 'plain', 'none'],
	] as const)('%s', async ([, node, tls]) => {
		expect(await ask(`${node}.local`)).toBe(200)
		const statistic = await statisticsOf(node)
		expect(statistic('ssl.handshake') > 0).toBe(tls === 'TLS')
	})
})

describe('refused', () => {
	test('by the client: the server has another name', async () => {
		expect(await ask('misnamed.local')).toBe(503)
		expect((await statisticsOf('misnamed'))('ssl.fail_verify_san')).toBeGreaterThan(0)
	})

	test('by the server: the client has a name that it does not accept', async () => {
		expect(await ask('unaccepted.local')).toBe(503)
		expect((await statisticsOf('unaccepted'))('ssl.connection_error')).toBeGreaterThan(0)
	})
})

test('a check by HTTP/1.1 of a port that speaks HTTP/2 goes through TLS', async () => {
	await eventually('a check that succeeds', async () => {
		const statistic = await statisticsOf('mutual')
		return statistic('health_check.success') > 0 && statistic('membership_healthy') === 1
	})
	expect((await statisticsOf('mutual'))('health_check.failure')).toBe(0)
})
