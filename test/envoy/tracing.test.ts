// Tracing: spans arrive at a collector of each kind, in the share that is asked for.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HttpExchange } from '#lab/http-exchange.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
/** The X-Ray daemon's stand-in: what it was sent. */
const datagrams: string[] = []
const daemon = createSocket('udp4').on('message', (bytes) => datagrams.push(bytes.toString()))
let daemonPort = 0
const traced = ['zipkin', 'telemetry', 'datadog', 'xray', 'never'] as const

beforeAll(async () => {
	daemon.bind(0, '127.0.0.1')
	await once(daemon, 'listening')
	daemonPort = daemon.address().port
	stage = await openFeatureStage({
		block: 40,
		apps: ['api', 'collector', ...traced],
		proxies: [...traced],
		mesh: services,
	})
	stage.app('collector').script((exchange) => {
		const isGrpc = exchange.headers['content-type']?.startsWith('application/grpc') === true
		if (isGrpc) exchange.answer(200, { 'content-type': 'application/grpc' }, '\0\0\0\0\0', { 'grpc-status': '0' })
		else exchange.answer(202, {}, '{}')
	})
})
afterAll(async () => {
	daemon.close()
	await stage?.[Symbol.asyncDispose]()
})

const host = 'api.apps.local'

function services(at: FeaturePlaces): string {
	const collector = { address: at.appAddress('collector'), port: at.port() }
	const tracing: Readonly<Record<(typeof traced)[number], object>> = {
		zipkin: { sampling: 100, zipkin: collector },
		telemetry: { sampling: 100, openTelemetry: collector },
		datadog: { sampling: 100, datadog: collector },
		xray: { sampling: 100, xray: { address: '127.0.0.1', port: daemonPort } },
		never: { sampling: 0, zipkin: { ...collector, path: '/never' } },
	}
	return yamlOf([
		mesh(),
		...traced.map((name) => node(name, [], { backends: [host], tracing: tracing[name] })),
		node('api', [{ port: at.port() }]),
		service(host, { node: 'api' }),
	])
}

const collected = (wanted: (exchange: Pick<HttpExchange, 'path'>) => boolean) =>
	stage.app('collector').received.filter(wanted)

test('each kind of collector gets spans, and the application the headers that join them', async () => {
	for (const name of traced) expect((await stage.ask(name, `http://${host}/`)).status).toBe(200)
	const headers = stage.app('api').received.map((received) => received.headers)
	expect(headers[0]?.['x-b3-sampled']).toBe('1')
	expect(headers[1]?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
	expect(headers[2]?.['x-datadog-trace-id']).toMatch(/^\d+$/)
	expect(headers[3]?.['x-amzn-trace-id']).toContain('Sampled=1')
	expect(headers[4]?.['x-b3-sampled']).toBe('0')
	await eventually('Zipkin', () => collected(({ path }) => path === '/api/v2/spans').length > 0)
	await eventually('OpenTelemetry', () => {
		return collected(({ path }) => path === '/opentelemetry.proto.collector.trace.v1.TraceService/Export').length > 0
	})
	await eventually('Datadog', () => collected(({ path }) => path === '/v0.4/traces').length > 0)
	await eventually('X-Ray', () => datagrams.some((text) => text.includes('"trace_id"') && text.includes('mesh/apps')))
	expect(collected(({ path }) => path === '/never')).toEqual([])
})
