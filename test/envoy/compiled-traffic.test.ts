// What is compiled, at work in a real Envoy: which hosts it answers for, what it matches, what it counts. Routes are
// written into the listeners and clusters into the file; serving them is another room's affair.

import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type Server } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import { compileGroup } from '#compile/compile-group.ts'
import type { Capture } from '#compile/compiled.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { startApp } from '#lab/app.ts'
import { startDnsServer } from '#lab/dns-server.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { freePorts, listen, portOf } from '#lab/ports.ts'
import type { HeaderMatch, PathMatch } from '#mesh/route-spec.ts'
import type { BootstrapOptions, HostPort } from '../../src/cli/bootstrap/bootstrap-options.ts'
import { makeBootstrap } from '../../src/cli/bootstrap/make-bootstrap.ts'
import { bootstrapVariants } from '../fixtures/bootstrap-variants.ts'
import { fixtureGroup } from '../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective } from '../fixtures/mesh-fixture.ts'
import { staticResources } from '../fixtures/static-resources.ts'

const proxyAddress = '127.0.4.1'
let envoy = ''

beforeAll(async () => {
	const found = await findEnvoy({ onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	envoy = found.value.path
}, 300_000)

function bootstrapOptions(given: Partial<BootstrapOptions>): BootstrapOptions {
	const { plain } = bootstrapVariants
	if (plain === undefined) throw new Error('there is no plain bootstrap')
	return { ...plain, ...given }
}

type Answer = { readonly status: number; readonly app: string | undefined }

function ask(port: number, host: string, path = '/', headers: Record<string, string> = {}): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const sent = request({ host: proxyAddress, port, path, headers: { host, ...headers } }, (response) => {
			response.resume()
			const app = response.headers['x-app']
			response.on('end', () =>
				resolve({ status: response.statusCode ?? 0, app: typeof app === 'string' ? app : undefined }),
			)
		})
		sent.on('error', reject).end()
	})
}

/** Envoy as `web`'s proxy, with everything compiled for it; it may not listen yet. */
function launchCompiled(
	resources: readonly BriefResource[],
	capture: Capture,
	dnsResolver: HostPort,
): Promise<EnvoyProcess> {
	const compiled = compileGroup(fixtureEffective(resources), fixtureGroup('web', capture), nothingDiscovered)
	if (compiled === null) throw new Error('web is not in the mesh')
	// Without a daemon Envoy would wait for one before it listens.
	const { dynamic_resources: _, ...bootstrap } = makeBootstrap(bootstrapOptions({ capture, dnsResolver })) as Bootstrap
	const { clusters, listeners } = staticResources(compiled)
	const everything = { clusters: [...bootstrap.static_resources.clusters, ...clusters], listeners }
	const content = { ...bootstrap, static_resources: everything }
	return startEnvoy({ envoy, name: 'web', bootstrap: { content } })
}

async function startCompiled(...what: Parameters<typeof launchCompiled>): Promise<EnvoyProcess> {
	const process = await launchCompiled(...what)
	await process.ready()
	return process
}

type Bootstrap = { dynamic_resources: object; static_resources: { clusters: object[] } }

test('hosts, paths, headers, ports, and what is counted', async () => {
	await using v1 = await startApp({ name: 'v1', address: '127.0.4.2' })
	await using v2 = await startApp({ name: 'v2', address: '127.0.4.3' })
	await using own = await startApp({ name: 'web', address: '127.0.4.4' })
	await using dns = await startDnsServer({ records: { 'v1.apps.local': v1.address, 'v2.apps.local': v2.address } })
	const [egressPort = 0, ingressPort = 0, second = 0] = await freePorts(proxyAddress, 3)
	const route = (
		name: string,
		node: string,
		match: { path?: PathMatch; headers?: HeaderMatch[]; port?: number },
	): BriefResource => {
		const targets = { [node]: 1 }
		return { kind: 'Route', name, router: 'shop', targets, spec: { match } }
	}
	const toV1 = `v1:${v1.port}`
	const toV2 = `v2:${v2.port}`
	const header = (match: HeaderMatch['match'], invert = false): HeaderMatch[] => [{ name: 'x-test', invert, match }]
	await using process = await startCompiled(
		[
			{ kind: 'Mesh' },
			{
				kind: 'VirtualNode',
				name: 'web',
				backends: ['direct.apps.local', 'empty.apps.local', 'shop.apps.local'],
				listeners: [{ port: ingressPort }, { port: second, protocol: 'http' }],
			},
			// Case does not count in DNS.
			{ kind: 'VirtualNode', name: 'v1', listeners: [{ port: v1.port }], dns: { hostname: 'V1.apps.local' } },
			{
				kind: 'VirtualNode',
				name: 'v2',
				listeners: [{ port: v2.port, protocol: 'http' }],
				dns: { responseType: 'ENDPOINTS' },
			},
			{ kind: 'VirtualService', name: 'shop.apps.local', router: 'shop' },
			{ kind: 'VirtualService', name: 'empty.apps.local', router: 'empty' },
			{ kind: 'VirtualService', name: 'direct.apps.local', node: 'v1' },
			{ kind: 'VirtualRouter', name: 'empty' },
			{
				kind: 'VirtualRouter',
				name: 'shop',
				listeners: [
					{ port: 80, protocol: 'http2' },
					{ port: 8080, protocol: 'http2' },
				],
			},
			route('all', toV1, {}),
			route('exact', toV2, { path: { kind: 'exact', path: '/item' } }),
			route('regex', toV2, { path: { kind: 'regex', regex: '/n/[0-9]+' } }),
			route('range', toV2, {
				path: { kind: 'prefix', prefix: '/range' },
				headers: header({ kind: 'range', start: 1, end: 3 }),
			}),
			route('absent', toV2, {
				path: { kind: 'prefix', prefix: '/absent' },
				headers: header({ kind: 'present' }, true),
			}),
			route('not-one', toV2, {
				path: { kind: 'prefix', prefix: '/not' },
				headers: header({ kind: 'exact', value: '1' }, true),
			}),
			route('port', toV2, { path: { kind: 'prefix', prefix: '/port' }, port: 8080 }),
		],
		{ mode: 'explicit', bind: proxyAddress, egressPort, app: { address: own.address, port: own.port } },
		dns,
	)
	const shop = (path: string, headers?: Record<string, string>) => ask(egressPort, 'shop.apps.local', path, headers)
	const from = (app: string) => ({ status: 200, app })
	const notFound = { status: 404, app: undefined }

	expect(await shop('/')).toEqual(from('v1'))
	expect(await ask(egressPort, 'SHOP.Apps.LOCAL')).toEqual(from('v1'))
	expect(await ask(egressPort, 'shop.apps.local:80')).toEqual(from('v1'))
	expect(await ask(egressPort, 'shop.apps.local:8080')).toEqual(from('v1'))
	expect(await ask(egressPort, 'shop.apps.local:81')).toEqual(notFound)
	expect(await ask(egressPort, 'other.apps.local')).toEqual(notFound)
	expect(await ask(egressPort, 'empty.apps.local')).toEqual(notFound)
	expect(await ask(egressPort, 'direct.apps.local')).toEqual(from('v1'))
	expect(await ask(egressPort, `direct.apps.local:${v1.port}`)).toEqual(from('v1'))

	expect(await shop('/item')).toEqual(from('v2'))
	expect(await shop('/item?x=1')).toEqual(from('v2'))
	expect(await shop('/items')).toEqual(from('v1'))
	expect(await shop('/n/12?x')).toEqual(from('v2'))
	expect(await shop('/n/12/x')).toEqual(from('v1'))
	expect(await shop('/range', { 'x-test': '1' })).toEqual(from('v2'))
	expect(await shop('/range', { 'x-test': '3' })).toEqual(from('v1'))
	expect(await shop('/absent')).toEqual(from('v2'))
	expect(await shop('/absent', { 'x-test': '' })).toEqual(from('v1'))
	expect(await shop('/not', { 'x-test': '2' })).toEqual(from('v2'))
	expect(await shop('/not', { 'x-test': '1' })).toEqual(from('v1'))
	expect(await shop('/not')).toEqual(from('v1'))
	expect(await ask(egressPort, 'shop.apps.local:8080', '/port')).toEqual(from('v2'))
	expect(await shop('/port')).toEqual(from('v1'))

	expect(await ask(ingressPort, 'anything')).toEqual(from('web'))
	expect(await ask(second, 'anything')).toEqual(from('web'))

	const ofV1 = `cluster.cds_egress_apps_v1_http2_${v1.port}`
	const stats = await process.admin.stats('.')
	expect(stats.get(`${ofV1}.upstream_rq_completed`)).toBe(v1.counts().requests)
	expect(stats.get(`${ofV1}.membership_healthy`)).toBe(1)
	expect(stats.get(`${ofV1}.upstream_rq_active`)).toBe(0)
	expect(stats.get('http.egress.no_route')).toBe(3)
	expect(stats.get(`http.ingress.http2.${ingressPort}.downstream_rq_2xx`)).toBe(1)
	expect([...stats.keys()].filter((name) => /memory|\.zone\.|upstream_cx_destroy/.test(name))).toEqual([])
})

test('a host name that does not resolve: 503, and no healthy host is reported', async () => {
	await using dns = await startDnsServer({ records: {} })
	const [egressPort = 0] = await freePorts(proxyAddress, 1)
	await using process = await startCompiled(
		[
			{ kind: 'Mesh' },
			{ kind: 'VirtualNode', name: 'web', listeners: [], backends: ['shop.apps.local'] },
			{ kind: 'VirtualNode', name: 'v1' },
			{ kind: 'VirtualService', name: 'shop.apps.local', node: 'v1' },
		],
		{ mode: 'explicit', bind: proxyAddress, egressPort, app: { address: '127.0.0.1', port: null } },
		dns,
	)
	expect(await ask(egressPort, 'shop.apps.local')).toEqual({ status: 503, app: undefined })
	const stats = await process.admin.stats('^cluster.cds_egress_apps_v1_http2_80.(membership_healthy|upstream_rq_5xx)$')
	expect([...stats.values()]).toEqual([0, 1])
})

/** What an Envoy said that ended by itself; it may do so before or after its admin listener opened. */
async function lastWords(launch: Promise<EnvoyProcess>): Promise<string> {
	const launched = await launch.then(
		(process) => ({ process }),
		(error: Error) => ({ error }),
	)
	if ('error' in launched) return launched.error.message
	await using process = launched.process
	const log = () => readFileSync(process.logFile, 'utf8')
	const ended = process.exited.then(({ code, signal }) => `${log()}\nended with ${signal ?? code}`)
	// Awaited here: it is stopped when this ends.
	const words = await Promise.race([
		ended,
		process.ready().then(
			() => 'it listens',
			() => ended,
		),
	])
	return words
}

test('two proxies that are given one port: the second is told', async () => {
	const [egressPort = 0] = await freePorts(proxyAddress, 1)
	await using dns = await startDnsServer({ records: {} })
	const resources: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'web', listeners: [], backends: ['shop.apps.local'] },
	]
	const capture = {
		mode: 'explicit',
		bind: proxyAddress,
		egressPort,
		app: { address: '127.0.0.1', port: null },
	} as const
	await using _first = await startCompiled(resources, capture, dns)
	expect(await lastWords(launchCompiled(resources, capture, dns))).toContain('Address already in use')
})

describe('two control planes', () => {
	/** Accepts, and says nothing: a daemon that is frozen. */
	async function silentServer(): Promise<{ server: Server; connected: Promise<void> }> {
		const server = await listen(
			'127.0.0.1',
			0,
			createServer((socket) => socket.on('error', () => {})),
		)
		return { server, connected: new Promise((resolve) => server.once('connection', () => resolve())) }
	}
	const start = (first: number, second: number) => {
		const controlPlane = [
			{ address: '127.0.0.1', port: first },
			{ address: '127.0.0.1', port: second },
		] as const
		return startEnvoy({
			envoy,
			name: 'failover',
			bootstrap: { content: makeBootstrap(bootstrapOptions({ controlPlane })) },
		})
	}

	test('the first is not there: the second is asked', async () => {
		const [closed = 0] = await freePorts('127.0.0.1', 1)
		const { server, connected } = await silentServer()
		await using _process = await start(closed, portOf(server))
		await connected
		server.close()
	})

	test('the first is frozen: the second is asked, and not before', async () => {
		const [first, second] = [await silentServer(), await silentServer()]
		await using _process = await start(portOf(first.server), portOf(second.server))
		expect(await Promise.race([first.connected.then(() => 'first'), second.connected.then(() => 'second')])).toBe(
			'first',
		)
		await second.connected
		first.server.close()
		second.server.close()
	})
})
