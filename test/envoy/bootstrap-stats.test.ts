// Who reads an Envoy's statistics beside the daemon: Prometheus, through a listener that lets nothing else of the admin
// interface out, and StatsD. The daemon goes on reading what it needs, though it is then sent everything.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileGroup } from '#compile/compile-group.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { type App, startApp } from '#lab/app.ts'
import { type DnsServer, startDnsServer } from '#lab/dns-server.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { freePorts } from '#lab/ports.ts'
import { makeBootstrap } from '../../src/cli/bootstrap/make-bootstrap.ts'
import { bootstrapVariants } from '../fixtures/bootstrap-variants.ts'
import { fixtureGroup } from '../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective } from '../fixtures/mesh-fixture.ts'
import { staticResources } from '../fixtures/static-resources.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FlushTap, startFlushTap } from './fixtures/flush-tap.ts'

const host = '127.0.19.1'
const opening = new AsyncDisposableStack()
const datagrams: string[] = []
let app: App
let daemon: FlushTap
let envoy: EnvoyProcess
let ports: { readonly egress: number; readonly prometheus: number }
let cluster: string

beforeAll(async () => {
	const found = await findEnvoy({ onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	app = opening.use(await startApp({ name: 'v1', address: host }))
	const dns = opening.use(await startDnsServer({ records: { 'v1.apps.local': host } }))
	daemon = opening.use(await startFlushTap())
	const collector = createSocket('udp4').on('message', (message) => void datagrams.push(String(message)))
	await new Promise<void>((resolve) => collector.bind(0, host, resolve))
	opening.defer(() => void collector.close())
	const [egress = 0, prometheus = 0, admin = 0] = await freePorts(host, 3)
	ports = { egress, prometheus }
	cluster = `cds_egress_apps_v1_http_${app.port}`
	const stats = {
		statsd: { address: host, port: collector.address().port, prefix: 'mesh', format: 'dogstatsd' as const },
		prometheus: { address: host, port: prometheus },
	}
	envoy = opening.use(await launch(found.value.path, { dns, admin, stats }))
	await envoy.ready()
}, 300_000)

afterAll(() => opening.disposeAsync())

type Given = {
	readonly dns: DnsServer
	readonly admin: number
	readonly stats: NonNullable<Parameters<typeof makeBootstrap>[0]['stats']>
}

function launch(path: string, { dns, admin, stats }: Given): Promise<EnvoyProcess> {
	const resources: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'web', listeners: [], backends: ['shop.apps.local'] },
		{ kind: 'VirtualNode', name: 'v1', listeners: [{ port: app.port, protocol: 'http' }] },
		{ kind: 'VirtualService', name: 'shop.apps.local', node: 'v1' },
	]
	const address = '127.0.0.1'
	const capture = { mode: 'explicit', bind: host, egressPort: ports.egress, app: { address, port: null } } as const
	const compiled = compileGroup(fixtureEffective(resources), fixtureGroup('web', capture), nothingDiscovered)
	const { plain } = bootstrapVariants
	if (compiled === null || plain === undefined) throw new Error('there is nothing to start')
	const { dynamic_resources: _, ...bootstrap } = makeBootstrap({
		...plain,
		capture,
		dnsResolver: dns,
		controlPlane: [daemon.address],
		admin: { address, port: admin },
		stats,
		statsTags: 'appMesh',
	}) as Bootstrap
	const { clusters, listeners } = bootstrap.static_resources
	const served = staticResources(compiled)
	const everything = {
		clusters: [...clusters, ...served.clusters],
		listeners: [...listeners, ...served.listeners],
	}
	const content = { ...bootstrap, static_resources: everything }
	return startEnvoy({ envoy: path, name: 'web', adminPort: admin, bootstrap: { content } })
}

type Bootstrap = { dynamic_resources: object; static_resources: { clusters: object[]; listeners: object[] } }

/** The status line's number of whatever is written to the port. */
async function statusOf(...lines: readonly string[]): Promise<number> {
	const socket = connect(ports.prometheus, host)
	socket.write([...lines, 'Host: x', '', ''].join('\r\n'))
	const [answer] = await once(socket, 'data')
	socket.destroy()
	return Number(/^HTTP\/1\.1 (\d{3})/.exec(String(answer))?.[1])
}

function callShop(): Promise<number> {
	return new Promise((resolve, reject) => {
		const sent = request({ host, port: ports.egress, headers: { host: 'shop.apps.local' } }, (response) => {
			response.resume().on('end', () => resolve(response.statusCode ?? 0))
		})
		sent.on('error', reject).end()
	})
}

const prometheus = (path: string) => fetch(`http://${host}:${ports.prometheus}${path}`)

describe('Prometheus', () => {
	test('reads everything, with its tags', async () => {
		const response = await prometheus('/stats/prometheus')
		const body = await response.text()
		expect(response.status).toBe(200)
		const tags = 'appmesh_mesh="apps",appmesh_virtual_node="serviceA"'
		expect(body).toContain(`envoy_cluster_membership_healthy{${tags},envoy_cluster_name="${cluster}"}`)
		expect(body).toContain('envoy_server_memory_allocated')
		expect(body).toContain('envoy_http_downstream_cx_active')
	})

	test('may say what it wants', async () => {
		const body = await (await prometheus('/stats/prometheus?filter=server.uptime')).text()
		expect(body.split('\n').filter((line) => line.startsWith('envoy_'))).toHaveLength(1)
	})

	test.for([
		['GET /quitquitquit HTTP/1.1'],
		['POST /quitquitquit HTTP/1.1', 'Content-Length: 0'],
		['POST /stats/prometheus HTTP/1.1', 'Content-Length: 0'],
		['GET / HTTP/1.1'],
		['GET /stats HTTP/1.1'],
		['GET /config_dump HTTP/1.1'],
		['GET /stats/prometheus/ HTTP/1.1'],
		['GET /stats/prometheus/../../config_dump HTTP/1.1'],
		['GET /config_dump/../stats/prometheus HTTP/1.1'],
		['GET //config_dump HTTP/1.1'],
		['GET /stats/prometheus%2f..%2f..%2fconfig_dump HTTP/1.1'],
		['GET http://x/config_dump HTTP/1.1'],
		['GET /config_dump?/stats/prometheus HTTP/1.1'],
		['CONNECT x:80 HTTP/1.1'],
	])('and nothing else: %j', async (lines) => {
		expect(await statusOf(...lines)).toBe(404)
	})

	test('and nothing else over HTTP/2', async () => {
		const session = connectHttp2(`http://${host}:${ports.prometheus}`)
		const statuses = ['/stats/prometheus', '/quitquitquit', '/config_dump'].map(
			(path) =>
				new Promise((resolve, reject) => {
					const method = path === '/quitquitquit' ? 'POST' : 'GET'
					const stream = session.request({ ':path': path, ':method': method }).on('error', reject)
					stream.on('response', (headers) => resolve(headers[':status'])).resume()
				}),
		)
		expect(await Promise.all(statuses)).toEqual([200, 404, 404])
		session.close()
	})

	test('after all that Envoy still runs', async () => {
		expect(await envoy.admin.state()).toBe('LIVE')
	})
})

test('the daemon is sent everything, and reads what it needs out of it', async () => {
	await eventually('a first flush, from which on is counted', () => daemon.flushes.length > 0)
	const requests = 20
	for (let sent = 0; sent < requests; sent += 1) expect(await callShop()).toBe(200)
	const sum = (counted: 'completed' | 'started' | 'errors') =>
		daemon.flushes.reduce((total, { clusters }) => total + (clusters.get(cluster)?.[counted] ?? 0), 0)
	await eventually('all requests are in flushes', () => sum('completed') >= app.counts().requests)
	expect([sum('completed'), sum('started'), sum('errors')]).toEqual([requests, requests, 0])
	expect(daemon.flushes.at(-1)?.clusters.get(cluster)).toMatchObject({ hosts: 1, healthyHosts: 1 })
	expect(daemon.flushes.every(({ unrouted }) => unrouted === 0)).toBe(true)
})

test('StatsD gets increments, with prefix and tags', async () => {
	const counter = /^mesh\.cluster\.upstream_rq_completed:(\d+)\|c\|#(.*)$/
	const found = () =>
		datagrams
			.flatMap((datagram) => datagram.split('\n'))
			.flatMap((line) => {
				const [, value, tags = ''] = counter.exec(line) ?? []
				return value !== undefined && tags.includes(`envoy.cluster_name:${cluster}`) ? [{ value, tags }] : []
			})
	const sum = () => found().reduce((total, { value }) => total + Number(value), 0)
	await eventually('all requests are in datagrams', () => sum() >= app.counts().requests)
	expect(sum()).toBe(app.counts().requests)
	expect(found()[0]?.tags.split(',')).toEqual(
		expect.arrayContaining(['appmesh.mesh:apps', 'appmesh.virtual_node:serviceA']),
	)
})
