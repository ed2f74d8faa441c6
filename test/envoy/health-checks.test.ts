// How each protocol is checked, what counts as an answer, and when a host that was ill is used again. What becomes of
// the traffic meanwhile is in resilience.test.ts.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HttpExchange } from '#lab/http-exchange.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'

type Probe = Pick<HttpExchange, 'path' | 'protocol'> & { readonly host: string | undefined }

let stage: FeatureStage
/** What the healthy app was asked by checks. */
const probes: Probe[] = []
const recovery = { failed: 0, passed: 0 }

const host = (name: string) => `${name}.apps.local`
const protocols = ['http', 'http2', 'grpc', 'tcp'] as const
const names = [...protocols, 'mute', 'recovering']

beforeAll(async () => {
	stage = await openFeatureStage({
		block: 66,
		apps: ['well', 'sick', 'mute'],
		// Of this one there is nothing.
		ownApps: ['web', 'absent'],
		proxies: ['web'],
		portNames: [...protocols, 'recovering'],
		mesh: services,
		records: (at) => ({ [host('pair')]: ['well', 'sick'].map(at.appAddress) }),
	})
	for (const protocol of ['http', 'http2', 'grpc'] as const) {
		stage.app('well', protocol).script((exchange) => {
			const { path, protocol, headers } = exchange
			probes.push({ path, protocol, host: headers.host })
			if (path === '/grpc.health.v1.Health/Check') answerHealth(exchange, 1)
			else exchange.answer(path === '/ready?deep=1' ? 200 : 404, {}, '')
		})
		stage.app('sick', protocol).script((exchange) => {
			if (exchange.path === '/grpc.health.v1.Health/Check') answerHealth(exchange, 2)
			else exchange.answer(503, {}, '')
		})
	}
	stage.app('mute', 'http').script(() => {})
	stage.app('well', 'recovering').script((exchange) => {
		const passes = recovery.failed > 0
		recovery[passes ? 'passed' : 'failed'] += 1
		exchange.answer(passes ? 200 : 500, {}, '')
	})
	// The first checks went to apps that did not know their part yet.
	probes.length = 0
	await stage.envoy('web').restart()
	await stage.envoy('web').ready()
})
afterAll(() => stage?.[Symbol.asyncDispose]())

/** A `grpc.health.v1.HealthCheckResponse`: 1 is SERVING, 2 is not. */
function answerHealth(exchange: HttpExchange, status: number): void {
	const message = String.fromCharCode(0, 0, 0, 0, 2, 8, status)
	exchange.answer(200, { 'content-type': 'application/grpc' }, message, { 'grpc-status': '0' })
}

function services(at: FeaturePlaces): string {
	const check = (protocol: string, port: number) => ({
		healthCheck: {
			protocol,
			port,
			...(protocol.startsWith('http') ? { path: '/ready?deep=1' } : {}),
			healthyThreshold: 3,
			unhealthyThreshold: 2,
			intervalMillis: 5000,
			timeoutMillis: 2000,
		},
	})
	const checked = (name: string, endpoints: readonly string[], protocol: string, port = at.port(protocol)) =>
		node(name, [{ port, protocol, ...check(protocol, port) }], {
			serviceDiscovery: { static: { endpoints: endpoints.map((each) => ({ address: at.appAddress(each) })) } },
		})
	return yamlOf([
		mesh(),
		node('web', [], {
			backends: names.map((name) => {
				// Over TCP there is no way to a backend without a port of the proxy, and nothing to check.
				return name === 'tcp' ? { virtualServiceName: host(name), egressPort: at.port('tcp') } : host(name)
			}),
		}),
		checked('http', ['well', 'sick'], 'http'),
		node('http2', [{ port: at.port('http2'), protocol: 'http2', ...check('http2', at.port('http2')) }], {
			serviceDiscovery: { dns: { hostname: host('pair'), responseType: 'ENDPOINTS' } },
		}),
		checked('grpc', ['well', 'sick'], 'grpc'),
		checked('tcp', ['well', 'absent'], 'tcp'),
		checked('mute', ['mute'], 'http'),
		checked('recovering', ['well'], 'http', at.port('recovering')),
		...names.map((name) => service(host(name), { node: name })),
	])
}

async function counted(name: string, what: string): Promise<number | undefined> {
	const found = await stage.envoy('web').admin.stats(`^cluster\\.cds_egress_apps_${name}_.*\\.${what}$`)
	return [...found.values()][0]
}

test('a host that was ill is used again after as many good answers as written', async () => {
	await eventually('it is well', async () => (await counted('recovering', 'membership_healthy')) === 1)
	expect(recovery).toEqual({ failed: 1, passed: 3 })
})

test.for(protocols)('%s: one of two hosts is well', async (name) => {
	await eventually('both were checked', async () => ((await counted(name, 'health_check\\.attempt')) ?? 0) >= 2)
	await eventually('one passed', async () => (await counted(name, 'membership_healthy')) === 1)
	expect(await counted(name, 'membership_total')).toBe(2)
	expect(await counted(name, 'health_check\\.failure')).toBeGreaterThan(0)
})

test('what is asked, and in which protocol', async () => {
	await eventually('all three were asked', () => new Set(probes.map(({ protocol, path }) => protocol + path)).size >= 3)
	const asked = new Map(probes.map((probe) => [JSON.stringify(probe), probe]))
	expect([...asked.values()].sort((left, right) => (String(left.host) < String(right.host) ? -1 : 1))).toEqual([
		{ path: '/grpc.health.v1.Health/Check', protocol: 'http2', host: 'grpc' },
		{ path: '/ready?deep=1', protocol: 'http1', host: 'http' },
		{ path: '/ready?deep=1', protocol: 'http2', host: host('pair') },
	])
})

test('no answer in time is a failure', async () => {
	await eventually('it is counted', async () => ((await counted('mute', 'health_check\\.network_failure')) ?? 0) > 0)
	expect(await counted('mute', 'membership_healthy')).toBe(0)
})
