// What a virtual gateway says of its own ports: TLS towards the outside, connection pools, access logs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Authority, createAuthority, type Issued } from '../fixtures/certificates.ts'
import { askTls } from './fixtures/ask-tls.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { callGrpc } from './fixtures/grpc-call.ts'
import { gateway, gatewayRoute, mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'
import { placeFiles, placeSecret } from './fixtures/place-certificates.ts'
import { material, trust, validation } from './fixtures/tls-yaml.ts'

let stage: FeatureStage
let authority: Authority
let probes = 0
let certificates: Readonly<Record<'file' | 'sds' | 'acm' | 'known' | 'misnamed' | 'unknown', Issued>>

const site = 'www.example.com'
const shop = 'shop.apps.local'
const clientName = 'spiffe://partners/one'

beforeAll(async () => {
	authority = await createAuthority()
	const stranger = await createAuthority('stranger')
	certificates = {
		file: await authority.issue({ names: [site] }),
		sds: await authority.issue({ names: [site] }),
		acm: await authority.issue({ names: [site] }),
		known: await authority.issue({ names: [clientName] }),
		misnamed: await authority.issue({ names: ['spiffe://partners/two'] }),
		unknown: await stranger.issue({ names: [clientName] }),
	}
	stage = await openFeatureStage({
		block: 63,
		apps: ['shop'],
		proxies: ['gateway:edge', 'gateway:pools'],
		portNames: [...Object.keys(tlsOf('')), ...Object.keys(pools), 'calls'],
		daemon: (folder) => ({ certificates: join(folder, 'secrets') }),
		mesh(at) {
			placeFiles(at.folder, 'file', certificates.file)
			writeFileSync(join(at.folder, 'authority.crt'), authority.certificate)
			placeSecret(join(at.folder, 'secrets'), 'sds', certificates.sds)
			placeSecret(join(at.folder, 'secrets'), 'acm', certificates.acm)
			placeSecret(join(at.folder, 'secrets'), 'authority', { authorities: authority.certificate })
			return gateways(at)
		},
	})
	stage.app('shop').script(({ path, answer }) => {
		if (path === '/health') probes += 1
		answer(200, { 'x-app': 'shop' }, '')
	})
	stage.app('shop', 'calls').script((exchange) => {
		exchange.answer(200, { 'content-type': 'application/grpc' }, '\0\0\0\0\0', { 'grpc-status': '0' })
	})
})
afterAll(() => stage?.[Symbol.asyncDispose]())

/** Each is a port of the gateway `edge`. */
function tlsOf(folder: string): Readonly<Record<string, object>> {
	return {
		'strict-file': { mode: 'STRICT', certificate: material.file(folder, 'file') },
		'strict-sds': { mode: 'STRICT', certificate: material.sds('sds') },
		'strict-acm': { mode: 'STRICT', certificate: material.acm('acm') },
		permissive: { mode: 'PERMISSIVE', certificate: material.file(folder, 'file') },
		disabled: { mode: 'DISABLED', certificate: material.file(folder, 'file') },
		'mutual-file': {
			mode: 'STRICT',
			certificate: material.file(folder, 'file'),
			...validation(trust.file(folder, 'authority'), [clientName]),
		},
		'mutual-sds': { mode: 'STRICT', certificate: material.sds('sds'), ...validation(trust.sds('authority')) },
	}
}

/** Each is a port of the gateway `pools`. */
const pools: Readonly<Record<string, { readonly protocol: string; readonly connectionPool: object }>> = {
	'pool-http': { protocol: 'http', connectionPool: { http: { maxConnections: 1, maxPendingRequests: 1 } } },
	'pool-http2': { protocol: 'http2', connectionPool: { http2: { maxRequests: 2 } } },
	'pool-grpc': { protocol: 'grpc', connectionPool: { grpc: { maxRequests: 2 } } },
}

function gateways(at: FeaturePlaces): string {
	const healthCheck = {
		protocol: 'http',
		path: '/health',
		healthyThreshold: 2,
		unhealthyThreshold: 2,
		intervalMillis: 5000,
		timeoutMillis: 2000,
	}
	const action = { target: { virtualService: { virtualServiceName: shop } } }
	const toShop = (name: string, port: number) => {
		return gatewayRoute(name, 'all', { httpRoute: { match: { prefix: '/' }, action: on(port) } })
	}
	const on = (port: number) => ({ target: { ...action.target, port } })
	const logging = (name: string, format: object) => ({
		logging: { accessLog: { file: { path: join(at.folder, `${name}.log`), format } } },
	})
	return yamlOf([
		mesh(),
		node('shop', [{ port: at.port() }, { port: at.port('calls'), protocol: 'grpc' }]),
		service(shop, { node: 'shop' }),
		gateway(
			'edge',
			Object.entries(tlsOf(at.folder)).map(([name, tls]) => ({ port: at.port(name), tls, healthCheck })),
			logging('edge', { text: '%REQ(:METHOD)% %REQ(:PATH)% %DOWNSTREAM_TLS_VERSION% %RESPONSE_CODE%' }),
		),
		gateway(
			'pools',
			Object.entries(pools).map(([name, pool]) => ({ port: at.port(name), ...pool })),
			logging('pools', {
				json: [
					{ key: 'path', value: '%REQ(:PATH)%' },
					{ key: 'status', value: '%RESPONSE_CODE%' },
				],
			}),
		),
		toShop('edge', at.port()),
		toShop('pools', at.port()),
		gatewayRoute('pools', 'calls', {
			grpcRoute: { match: { serviceName: 'shop.Cart', port: at.port('pool-grpc') }, action: on(at.port('calls')) },
		}),
	])
}

function dial(port: string, certificate?: Issued) {
	const via = { address: stage.proxyAddress('gateway:edge'), port: stage.port(port) }
	return askTls({ via, host: site, path: `/${port}`, ...(certificate === undefined ? {} : { certificate }) })
}
const plain = async (port: string) => (await stage.dial('gateway:edge', `http://${site}/${port}`, { port })).status

describe('TLS', () => {
	test.for([
		['strict-file', 'file'],
		['strict-sds', 'sds'],
		['strict-acm', 'acm'],
	] as const)('%s shows its certificate, and takes nothing else', async ([port, certificate]) => {
		expect(await dial(port)).toEqual({ status: 200, app: 'shop', shown: certificates[certificate].chain.trim() })
		expect(await plain(port)).toBe(0)
	})

	test.for([
		['permissive', 200, 200],
		['disabled', 0, 200],
	] as const)('%s: TLS %i, plain %i', async ([port, tls, without]) => {
		expect([(await dial(port)).status, await plain(port)]).toEqual([tls, without])
	})

	test.for([
		['mutual-file', 0],
		['mutual-sds', 200],
	] as const)('%s: clients show a certificate; of another name %i', async ([port, misnamed]) => {
		expect((await dial(port, certificates.known)).status).toBe(200)
		expect((await dial(port, certificates.misnamed)).status).toBe(misnamed)
		expect((await dial(port, certificates.unknown)).status).toBe(0)
		expect((await dial(port)).status).toBe(0)
	})

	test('the health check of a gateway is nobody’s to run', () => {
		expect(probes).toBe(0)
	})
})

describe('a pool', () => {
	/** Sends so many at once; resolves with their outcomes, sorted, when so many were refused and the others let go. */
	async function outcomesOf(app: 'main' | 'calls', sent: number, ask: () => Promise<number>): Promise<number[]> {
		const held: (() => void)[] = []
		stage.app('shop', app).script((exchange) => {
			held.push(() => {
				exchange.answer(200, { 'content-type': 'application/grpc' }, '\0\0\0\0\0', { 'grpc-status': '0' })
			})
		})
		let answered = 0
		const answers = Array.from({ length: sent }, async () => {
			const outcome = await ask()
			answered += 1
			return outcome
		})
		await eventually('those above the limit are answered', () => answered === sent - 2)
		stage.app('shop', app).script((exchange) => {
			exchange.answer(200, { 'content-type': 'application/grpc' }, '\0\0\0\0\0', { 'grpc-status': '0' })
		})
		for (const answer of held) answer()
		return (await Promise.all(answers)).sort()
	}
	const httpStatus = (port: string) => async () => {
		return (await stage.dial('gateway:pools', `http://${site}/${port}`, { port })).status
	}

	test('of one connection with one waiting request refuses the third', async () => {
		// While the connection is being made, the request that it is made for counts as waiting.
		expect(await httpStatus('pool-http')()).toBe(200)
		expect(await outcomesOf('main', 5, httpStatus('pool-http'))).toEqual([200, 200, 503, 503, 503])
	})

	test('of two requests over HTTP/2 refuses the third', async () => {
		expect(await outcomesOf('main', 5, httpStatus('pool-http2'))).toEqual([200, 200, 503, 503, 503])
	})

	test('of two gRPC calls refuses the third', async () => {
		const via = { address: stage.proxyAddress('gateway:pools'), port: stage.port('pool-grpc') }
		const call = async () => (await callGrpc({ via, host: site, path: '/shop.Cart/Add' })).grpcStatus ?? -1
		expect(await outcomesOf('calls', 5, call)).toEqual([0, 0, 14, 14, 14])
	})
})

test('each gateway logs in its own format', async () => {
	await dial('strict-file')
	await plain('permissive')
	await stage.dial('gateway:pools', `http://${site}/logged`, { port: 'pool-http' })
	await eventually('the text has both', () => {
		const lines = linesOf('edge')
		return lines.includes('GET /strict-file TLSv1.3 200') && lines.includes('GET /permissive - 200')
	})
	await eventually('the JSON has the other', () => {
		const lines = linesOf('pools').map((line) => JSON.parse(line))
		return lines.some(({ path, status }) => path === '/logged' && status === 200)
	})
})

function linesOf(name: string): string[] {
	const file = join(stage.folder, `${name}.log`)
	const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
	return text
		.slice(0, text.lastIndexOf('\n') + 1)
		.split('\n')
		.filter((line) => line !== '')
}
