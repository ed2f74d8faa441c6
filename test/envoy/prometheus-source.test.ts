// The source of figures on a real Prometheus that scrapes this process.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAllowedOrigins } from '#base/allowed-origins.ts'
import { assert } from '#base/assert.ts'
import { findPrometheus } from '#lab/find-prometheus.ts'
import { type Prometheus, startPrometheus } from '#lab/prometheus.ts'
import { createAskHttp } from '#telemetry/ask-http.ts'
import { createCredentials } from '#telemetry/credentials.ts'
import { createMeasurementSource } from '#telemetry/measure.ts'
import type { MeasurementSource, Question } from '#telemetry/measurement.ts'
import { describeMeasurementSource } from '../conformance/measurement-source.ts'
import { answerText, type FigureServer, startFigureServer } from '../fakes/figure-server.ts'
import { noCloudWatch } from '../fakes/no-cloud-watch.ts'

let exporter: FigureServer
let prometheus: Prometheus
let source: MeasurementSource

beforeAll(async () => {
	exporter = await startFigureServer()
	const found = await findPrometheus({ onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	prometheus = await startPrometheus({
		prometheus: found.value,
		target: exporter.origin.replace('http://', ''),
		scrapeMs: 200,
	})
	const allowed = parseAllowedOrigins('metric-sources', prometheus.address)
	assert(allowed.ok, 'an origin is allowed')
	const ask = createAskHttp({
		allowed: allowed.value,
		credentials: createCredentials({ directory: null, environment: {} }),
	})
	source = createMeasurementSource({ ask, cloudWatch: noCloudWatch, wallMs: Date.now })
})
afterAll(async () => {
	await prometheus[Symbol.asyncDispose]()
	await exporter.close()
})

const question = (query: string): Question => ({
	source: { kind: 'prometheus', address: prometheus.address, query, credentials: null },
	windowMs: 60_000,
})
const ask = (asked: Question) => source.ask(asked, AbortSignal.timeout(10_000))
const expose = (text: string) => exporter.answer(answerText(200, `${text}\n`, { 'content-type': 'text/plain' }))
const answered = (asked: Question, answer: unknown) =>
	expect.poll(() => ask(asked), { timeout: 20_000, interval: 50 }).toMatchObject(answer as object)

describeMeasurementSource('a real Prometheus', {
	open: async () => ({
		source,
		question: question('figure'),
		async give(figure) {
			expose(`figure ${figure}`)
			await answered(question('figure'), { value: figure })
		},
		troubles: {
			async nothing() {
				expose('other 1')
				await answered(question('figure'), { kind: 'noData' })
			},
			async several() {
				expose('figure{a="1"} 1\nfigure{a="2"} 2')
				await answered(question('figure'), { reason: expect.stringContaining('2 series') })
			},
			async notANumber() {
				expose('figure NaN')
				await answered(question('figure'), { reason: 'the value is NaN' })
			},
			// The exporter fails: what was scraped last is no figure of now.
			async failing() {
				exporter.answer(answerText(500, ''))
				await answered(question('figure'), { kind: 'noData' })
			},
			hanging: async () => prometheus.pause(),
		},
		dispose: async () => prometheus.resume(),
	}),
	figures: [0.25, 0, -3],
	troubles: ['nothing', 'several', 'notANumber', 'failing', 'hanging'],
})

test('a share, a scalar, and a mistake in a query', async () => {
	expose('failed 1\nall 4')
	await answered(question('failed / all'), { value: 0.25 })
	await answered(question('scalar(failed / all)'), { value: 0.25 })
	await answered(question('failed / (all - all)'), { reason: 'the value is +Inf' })
	await answered(question('(failed - failed) / (all - all)'), { reason: 'the value is NaN' })
	await answered(question('failed and all > 5'), { reason: 'the query gives nothing' })
	await answered(question('sum(failed'), { reason: expect.stringMatching(/^Prometheus answers 400: ".*parse error/) })
	await answered(question('failed[1m]'), { reason: 'the query gives a matrix; expected one value' })
})
