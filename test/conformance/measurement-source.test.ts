import { parseAllowedOrigins } from '#base/allowed-origins.ts'
import { assert } from '#base/assert.ts'
import type { ThresholdSource } from '#mesh/mesh.ts'
import { createAskHttp } from '#telemetry/ask-http.ts'
import { createCredentials } from '#telemetry/credentials.ts'
import { createMeasurementSource } from '#telemetry/measure.ts'
import { answerJson, answerText, startFigureServer } from '../fakes/figure-server.ts'
import { noCloudWatch } from '../fakes/no-cloud-watch.ts'
import { describeMeasurementSource, type SourceUnderTest } from './measurement-source.ts'

const nowMs = 1_790_000_000_000

/** A source over HTTP whose answers are made up: `answerOf` says how a figure looks in one. */
async function openScripted(
	sourceAt: (origin: string) => ThresholdSource,
	answers: {
		figure: (figure: number) => unknown
		nothing: unknown
		several: unknown
		notANumber: unknown
		old: unknown
	},
): Promise<SourceUnderTest> {
	const server = await startFigureServer()
	const allowed = parseAllowedOrigins('metric-sources', server.origin)
	assert(allowed.ok, 'an origin is allowed')
	const ask = createAskHttp({
		allowed: allowed.value,
		credentials: createCredentials({ directory: null, environment: {} }),
	})
	return {
		source: createMeasurementSource({ ask, cloudWatch: noCloudWatch, wallMs: () => nowMs }),
		question: { source: sourceAt(server.origin), windowMs: 60_000 },
		give: async (figure) => server.answer(answerJson(200, answers.figure(figure))),
		troubles: {
			nothing: async () => server.answer(answerJson(200, answers.nothing)),
			several: async () => server.answer(answerJson(200, answers.several)),
			notANumber: async () => server.answer(answerJson(200, answers.notANumber)),
			old: async () => server.answer(answerJson(200, answers.old)),
			failing: async () => server.answer(answerText(503, '<html>upstream\u0007 connect error</html>')),
			hanging: async () => server.answer(() => undefined),
			gone: () => server.close(),
		},
		dispose: () => server.close(),
	}
}

const vector = (...values: string[]) => ({
	status: 'success',
	data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [nowMs / 1000, value] })) },
})

describeMeasurementSource('Prometheus, scripted', {
	open: () =>
		openScripted((address) => ({ kind: 'prometheus', address, query: 'up', credentials: null }), {
			figure: (figure) => vector(String(figure)),
			nothing: vector(),
			several: vector('1', '2'),
			notANumber: vector('NaN'),
			old: vector(),
		}),
	figures: [0.25, 0, -3, 1e300],
	troubles: ['nothing', 'several', 'notANumber', 'failing', 'hanging', 'gone'],
})

const document = (figure: unknown, atMs = nowMs) => ({ at: new Date(atMs).toISOString(), 'a/b': [{ '~': figure }] })

describeMeasurementSource('a JSON document', {
	open: () =>
		openScripted(
			(origin) => ({ kind: 'http', url: `${origin}/x.json`, value: '/a~1b/0/~0', time: '/at', credentials: null }),
			{
				figure: (figure) => document(figure),
				nothing: { at: new Date(nowMs).toISOString() },
				several: document([1, 2]),
				notANumber: document('12'),
				old: document(1, nowMs - 61_000),
			},
		),
	figures: [0.25, 0, -3, 1e300],
	troubles: ['nothing', 'several', 'notANumber', 'failing', 'hanging', 'gone', 'old'],
})
