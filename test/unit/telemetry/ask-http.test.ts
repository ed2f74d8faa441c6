import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAllowedOrigins } from '#base/allowed-origins.ts'
import { assert } from '#base/assert.ts'
import { limits } from '#base/limits.ts'
import type { Measurement } from '#guard/look.ts'
import type { ThresholdSource } from '#mesh/mesh.ts'
import { type AskHttp, createAskHttp } from '#telemetry/ask-http.ts'
import { createMeasurementSource } from '#telemetry/measure.ts'
import {
	answerEndlessly,
	answerJson,
	answerText,
	type FigureServer,
	startFigureServer,
} from '../../fakes/figure-server.ts'
import { noCloudWatch } from '../../fakes/no-cloud-watch.ts'

const token = 'top-secret-token'
const secrets: Readonly<Record<string, string>> = {
	shop: `Bearer ${token}`,
	basic: `Basic ${Buffer.from(`ada:${token}`).toString('base64')}`,
}
let server: FigureServer
let elsewhere: FigureServer
let ask: AskHttp

beforeAll(async () => {
	server = await startFigureServer()
	elsewhere = await startFigureServer()
	const allowed = parseAllowedOrigins('metric-sources', `${server.origin}=shop,${server.origin}=basic`)
	assert(allowed.ok, 'an origin is allowed')
	ask = createAskHttp({
		allowed: allowed.value,
		credentials: {
			authorization: async (name) => {
				const value = secrets[name]
				return value === undefined ? { ok: false, error: `unknown ${name}` } : { ok: true, value }
			},
		},
	})
})
afterAll(async () => {
	await server.close()
	await elsewhere.close()
})

function measure(source: ThresholdSource): Promise<Measurement> {
	const sources = createMeasurementSource({ ask, cloudWatch: noCloudWatch, wallMs: () => 1_790_000_000_000 })
	return sources.ask({ source, windowMs: 60_000 }, AbortSignal.timeout(10_000))
}

const prometheus = (credentials: string | null = null, address = server.origin) =>
	measure({ kind: 'prometheus', address, query: 'sum(up{a="b&c"})', credentials })
const json = (time: string | null = null, credentials: string | null = null) =>
	measure({ kind: 'http', url: `${server.origin}/a.json?v=Bv2`, value: '/v', time, credentials })
const reasonOf = async (asking: Promise<Measurement>) => {
	const measurement = await asking
	return measurement.kind === 'noData' ? measurement.reason : measurement
}

test('Prometheus is asked below its address, with the window as the longest age of a sample', async () => {
	server.answer(answerJson(200, { status: 'success', data: { resultType: 'scalar', result: [1, '3'] } }))
	expect(await prometheus(null, `${server.origin}/team//`)).toEqual({ kind: 'value', value: 3, ageMs: 0 })
	expect([server.request()?.method, server.request()?.url]).toEqual(['POST', '/team/api/v1/query'])
	expect(Object.fromEntries(new URLSearchParams(server.body()))).toEqual({
		query: 'sum(up{a="b&c"})',
		lookback_delta: '60000ms',
	})
})

test('a document is asked for as it is written; credentials go where they belong', async () => {
	server.answer(answerJson(200, { v: 2 }))
	expect(await json(null, 'shop')).toEqual({ kind: 'value', value: 2, ageMs: 0 })
	expect([server.request()?.method, server.request()?.url]).toEqual(['GET', '/a.json?v=Bv2'])
	expect(server.request()?.headers.authorization).toBe(secrets.shop)
	await json()
	expect(server.request()?.headers.authorization).toBeUndefined()
})

test('who may not be asked is not, nor shown a secret', async () => {
	elsewhere.answer(answerJson(200, { v: 1 }))
	const { origin } = elsewhere
	const foreign = { kind: 'http', url: `${origin}/`, value: '/v', time: null } as const
	expect(await reasonOf(measure({ ...foreign, credentials: 'shop' }))).toMatch(/may not be asked/)
	expect(elsewhere.request()).toBeNull()
	expect(await reasonOf(prometheus('other'))).toMatch(/the credentials may not be sent there/)
})

test('a redirect is not followed', async () => {
	server.answer(answerText(302, '', { location: `${elsewhere.origin}/` }))
	expect(await reasonOf(json())).toBe(`${server.origin} answers 302`)
	expect(await reasonOf(prometheus())).toBe('Prometheus answers 302 and no JSON')
	expect(elsewhere.request()).toBeNull()
})

test('an answer that is too large is none, and is not read to its end', async () => {
	server.answer(answerEndlessly)
	expect(await reasonOf(json())).toContain(`larger than ${limits.measurementBytes} bytes`)
})

test('Prometheus says what is wrong, on one line, in short, and without the secret', async () => {
	const error = `bad query\n"${token}" ${'x'.repeat(5_000)}`
	server.answer(answerJson(400, { status: 'error', errorType: 'bad_data', error }))
	for (const credentials of ['shop', 'basic']) {
		const reason = String(await reasonOf(prometheus(credentials)))
		expect(reason).toMatch(/^Prometheus answers 400: "bad query "\*\*\*" x+…"$/)
		expect(reason.length).toBeLessThan(200)
	}
})

test.for<{ why: string; answer: unknown; reason: string }>([
	{ why: 'a matrix', answer: { resultType: 'matrix', result: [] }, reason: 'a matrix; expected one value' },
	{ why: 'a string', answer: { resultType: 'string', result: [1, 'a'] }, reason: 'a string; expected one value' },
	{ why: 'infinity', answer: { resultType: 'scalar', result: [1, '+Inf'] }, reason: 'the value is +Inf' },
	{ why: 'no value', answer: { resultType: 'vector', result: [{}] }, reason: 'has no value' },
	{ why: 'an empty value', answer: { resultType: 'scalar', result: [1, ''] }, reason: 'has no value' },
	{ why: 'a number', answer: { resultType: 'scalar', result: [1, 3] }, reason: 'has no value' },
	{ why: 'no list', answer: { resultType: 'vector', result: null }, reason: 'has no result' },
	{ why: 'no data at all', answer: undefined, reason: 'has no result' },
])('of Prometheus, $why is no data', async ({ answer, reason }) => {
	server.answer(answerJson(200, { status: 'success', data: answer }))
	expect(await reasonOf(prometheus())).toContain(reason)
})

test.for<[unknown, number | string]>([
	['2026-09-21T14:13:20.000Z', 0],
	['2026-09-21T15:13:00+01:00', 20_000],
	[1_790_000_000, 0],
	[1_789_999_940, 60_000],
	[1_790_000_030.5, 0],
	[1_789_999_900, 'the value is 100 s old at /at'],
	[1_790_000_100, 'the value is 100 s ahead of time at /at'],
	['2026-09-21T14:13:20', 'there is no time at /at'],
	['yesterday', 'there is no time at /at'],
	[null, 'there is no time at /at'],
])('of a document of the time %j', async ([at, expected]) => {
	server.answer(answerText(200, JSON.stringify({ v: 5, at })))
	const measured = await json('/at')
	if (typeof expected === 'number') expect(measured).toEqual({ kind: 'value', value: 5, ageMs: expected })
	else expect(measured).toEqual({ kind: 'noData', reason: expected })
})

test.for([['{"v":1e999}'], ['{"v":true}'], ['[]'], ['null'], ['{"v":']])(
	'the document %s has no figure',
	async ([text = '']) => {
		server.answer(answerText(200, text))
		expect(await json()).toMatchObject({ kind: 'noData' })
	},
)

test('what an object inherits is none of its members', async () => {
	server.answer(answerText(200, '{}'))
	const source = {
		kind: 'http',
		url: `${server.origin}/`,
		value: '/constructor/length',
		time: null,
		credentials: null,
	} as const
	expect(await measure(source)).toMatchObject({ kind: 'noData' })
})
