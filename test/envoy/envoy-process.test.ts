import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { type AppProcess, startAppProcess } from '#lab/app-process.ts'
import { startDnsServer } from '#lab/dns-server.ts'
import { startEnvoy, validateBootstrap } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { startLoadProcess } from '#lab/load-process.ts'
import { markNow } from '#lab/mark.ts'
import { freePorts } from '#lab/ports.ts'
import { makeTempDirectory } from '#lab/temp.ts'

const address = '127.0.0.1'
let envoy = ''

beforeAll(async () => {
	const found = await findEnvoy({ onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	expect(found.value.version).toMatch(/^1\.\d+\.\d+/)
	envoy = found.value.path
}, 300_000)

const socketAddress = (port: number, host = address) => ({ socket_address: { address: host, port_value: port } })

/** One listener that sends everything to one HTTP/2 cluster. `cluster` says how its hosts are found. */
function bootstrapOf(listenPort: number, cluster: object, listener: object = {}): object {
	const manager = {
		'@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
		stat_prefix: 'egress',
		...listener,
		route_config: {
			name: 'egress',
			virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }] }],
		},
		http_filters: [
			{
				name: 'envoy.filters.http.router',
				typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
			},
		],
	}
	const http2 = {
		'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
			'@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
			explicit_http_config: { http2_protocol_options: {} },
		},
	}
	const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }]
	return {
		node: { id: 'lab', cluster: 'lab' },
		// Taken: the lab lays its own admin address over it.
		admin: { address: socketAddress(1) },
		static_resources: {
			listeners: [{ name: 'egress', address: socketAddress(listenPort), filter_chains: [{ filters }] }],
			clusters: [{ name: 'app', connect_timeout: '1s', typed_extension_protocol_options: http2, ...cluster }],
		},
	}
}

function clusterOf(type: string, host: string, port: number): object {
	const endpoint = { address: socketAddress(port, host) }
	return { type, load_assignment: { cluster_name: 'app', endpoints: [{ lb_endpoints: [{ endpoint }] }] } }
}

async function startBoth(app: AppProcess) {
	const [port = 0] = await freePorts(address, 1)
	const content = bootstrapOf(port, clusterOf('STATIC', app.address, app.port))
	const process = await startEnvoy({ envoy, name: 'one', bootstrap: { content } })
	await process.ready()
	return { process, port }
}

test('load through Envoy to the app: every request is counted on all three sides', async () => {
	await using app = await startAppProcess({ name: 'v1', address: '127.0.3.2' })
	const { process, port } = await startBoth(app)
	await using _stopped = process
	const begin = markNow()
	const load = await startLoadProcess({ address, port, authority: 'web.local', ratePerSecond: 400 })
	while ((await load.soFar()).answered < 200);
	await app.setFailure({ sharePpm: 500_000, how: { kind: 'answer', status: 503, delayMs: 0 } })
	while ((await load.soFar()).failed < 50);
	await app.heal()
	const window = await load.between(begin, markNow())
	const total = await load.stop()
	const counts = await app.counts()
	const stats = await process.admin.stats('^cluster\\.app\\.upstream_rq_(completed|5xx)$')
	expect(total).toMatchObject({
		pending: 0,
		byApp: { v1: total.requests },
		failures: { 503: total.failed },
	})
	expect(window.failed).toBe(total.failed)
	expect(counts).toMatchObject({ requests: total.requests, byStatus: { 503: total.failed } })
	expect(Object.fromEntries(stats)).toEqual({
		'cluster.app.upstream_rq_completed': total.requests,
		'cluster.app.upstream_rq_5xx': total.failed,
	})
})

test('connections that Envoy winds up (GOAWAY) cost no request', async () => {
	await using app = await startAppProcess({ name: 'v1', address })
	const [port = 0] = await freePorts(address, 1)
	const winding = { common_http_protocol_options: { max_requests_per_connection: 20 } }
	const content = bootstrapOf(port, clusterOf('STATIC', app.address, app.port), winding)
	await using process = await startEnvoy({ envoy, name: 'winding', bootstrap: { content } })
	await process.ready()
	const load = await startLoadProcess({ address, port, authority: 'web.local', ratePerSecond: 500 })
	while ((await load.soFar()).answered < 1000);
	const total = await load.stop()
	expect(total).toMatchObject({ failures: {}, failed: 0, byApp: { v1: total.requests } })
	const opened = 'http.egress.downstream_cx_total'
	expect((await process.admin.stats(opened)).get(opened)).toBeGreaterThan(20)
})

test('reads what Envoy holds', async () => {
	await using app = await startAppProcess({ name: 'v1', address })
	const { process } = await startBoth(app)
	await using _stopped = process
	expect(await process.admin.state()).toBe('LIVE')
	expect(process.adminAddress).not.toBe('127.0.0.1:1')
	expect(await process.admin.clusters()).toMatchObject([{ name: 'app' }])
	expect(await process.admin.configDump('static_clusters')).toMatchObject([{ cluster: { name: 'app' } }])
	expect(await process.admin.configDump('dynamic_route_configs')).toEqual([])
	expect((await process.admin.configDump()).length).toBeGreaterThan(3)
	expect(await process.admin.post('/healthcheck/fail')).toBe('OK\n')
	await expect(process.admin.post('/no/such/path')).rejects.toMatchObject({ code: 'refused' })
	expect(readFileSync(process.logFile, 'utf8')).toContain('starting main dispatch loop')
})

describe('the life of the process', () => {
	test('stop, restart, crash', async () => {
		await using app = await startAppProcess({ name: 'v1', address })
		const { process } = await startBoth(app)
		await using _stopped = process
		const { pid } = process
		await process.restart()
		await process.ready()
		expect(process.pid).not.toBe(pid)
		expect(process.starts).toBe(2)
		expect(await process.kill()).toEqual({ kind: 'unasked', code: null, signal: 'SIGKILL' })
		await expect(process.ready()).rejects.toMatchObject({ code: 'exited' })
		await process.restart()
		await process.ready()
		expect(await process.stop()).toEqual({ kind: 'asked', code: 0, signal: null })
		expect(await process.exited).toMatchObject({ kind: 'asked' })
		expect(process.starts).toBe(3)
	})

	test('frozen it answers nothing, and it goes on afterwards; frozen it can be stopped', async () => {
		await using app = await startAppProcess({ name: 'v1', address })
		const { process, port } = await startBoth(app)
		process.pause()
		// The signal is on its way when the call returns, and there when the system says so.
		await vi.waitFor(() => expect(readFileSync(`/proc/${process.pid}/stat`, 'utf8')).toMatch(/\) T /))
		const answered = fetch(`http://${address}:${port}/`).then((response) => response.status)
		// The system accepts for it; only Envoy could answer.
		const socket = connect(port, address)
		await new Promise((resolve) => socket.once('connect', resolve))
		expect(await Promise.race([answered, Promise.resolve('nothing yet')])).toBe('nothing yet')
		process.resume()
		expect(await answered).toBe(200)
		socket.destroy()
		process.pause()
		expect(await process.stop()).toMatchObject({ kind: 'asked' })
		await process[Symbol.asyncDispose]()
		expect(existsSync(process.logFile)).toBe(false)
	})

	test('a bootstrap that Envoy refuses: its own words', async () => {
		const start = startEnvoy({
			envoy,
			name: 'bad',
			bootstrap: { content: { static_resources: { clusters: [{ type: 'EDS' }] } } },
		})
		await expect(start).rejects.toMatchObject({
			code: 'exited',
			message: expect.stringMatching(/^Envoy bad ended with code 1:(.|\n)*Name/),
		})
		await expect(startEnvoy({ envoy: '/nowhere/envoy', name: 'none', bootstrap: { content: {} } })).rejects.toThrow(
			'ENOENT',
		)
	})
})

test('validates a bootstrap without starting it', async () => {
	using folder = makeTempDirectory('test')
	const file = join(folder.path, 'bootstrap.json')
	writeFileSync(file, JSON.stringify(bootstrapOf(15_001, clusterOf('STATIC', address, 80))))
	expect(await validateBootstrap(envoy, file)).toEqual({ ok: true, value: undefined })
	writeFileSync(file, JSON.stringify(bootstrapOf(15_001, { type: 'NO_SUCH_TYPE' })))
	expect(await validateBootstrap(envoy, file)).toMatchObject({
		ok: false,
		error: expect.stringContaining('NO_SUCH_TYPE'),
	})
})

test("Envoy resolves a name by the lab's DNS server, in whatever case, and follows a change", async () => {
	await using first = await startAppProcess({ name: 'first', address: '127.0.3.3' })
	await using second = await startAppProcess({ name: 'second', address: '127.0.3.4', port: first.port })
	await using dns = await startDnsServer({ records: { 'serviceb.apps.local': first.address } })
	const resolver = {
		'@type': 'type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig',
		resolvers: [socketAddress(dns.port, dns.address)],
		dns_resolver_options: { no_default_search_domain: true },
	}
	const cluster = {
		...clusterOf('STRICT_DNS', 'serviceB.apps.local', first.port),
		dns_lookup_family: 'V4_ONLY',
		dns_refresh_rate: '0.2s',
		typed_dns_resolver_config: { name: 'envoy.network.dns_resolver.cares', typed_config: resolver },
	}
	const [port = 0] = await freePorts(address, 1)
	await using process = await startEnvoy({ envoy, name: 'dns', bootstrap: { content: bootstrapOf(port, cluster) } })
	await process.ready()
	expect((await process.admin.stats('cluster.app.membership_healthy')).get('cluster.app.membership_healthy')).toBe(1)
	await using load = await startLoadProcess({ address, port, authority: 'serviceb.apps.local', ratePerSecond: 200 })
	while (((await load.soFar()).byApp.first ?? 0) < 20);
	dns.set('SERVICEB.apps.local', second.address)
	while (((await load.soFar()).byApp.second ?? 0) < 20);
	expect(await load.stop()).toMatchObject({ failures: {}, failed: 0 })
	expect(dns.queries()).toContain('serviceb.apps.local 1')
})
