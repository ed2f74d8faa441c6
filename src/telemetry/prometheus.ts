import type { Measurement } from '#guard/look.ts'
import type { ThresholdSource } from '#mesh/mesh.ts'
import type { AskHttp, HttpAnswer } from './ask-http.ts'
import { noData } from './measurement.ts'

// An instant query of Prometheus, or of what speaks its API (Thanos, Mimir, VictoriaMetrics). Only one value is an answer:
// of several series none is the right one, and an empty result may be a counter that was never raised, or one that nobody
// scrapes any more.

type Options = { readonly windowMs: number; readonly ask: AskHttp; readonly signal: AbortSignal }

export async function askPrometheus(
	{ address, query, credentials }: Extract<ThresholdSource, { kind: 'prometheus' }>,
	{ windowMs, ask, signal }: Options,
): Promise<Measurement> {
	// By itself Prometheus takes a sample that is up to five minutes old for one of now. Versions that do not know the
	// parameter pass it over.
	const form = new URLSearchParams({ query, lookback_delta: `${windowMs}ms` })
	const answer = await ask({ url: `${address.replace(/\/+$/, '')}/api/v1/query`, form, credentials }, signal)
	return answer.ok ? readAnswer(answer.value) : noData(answer.error)
}

function readAnswer({ status, json, words }: HttpAnswer): Measurement {
	if (!isObject(json)) return noData(`Prometheus answers ${status} and no JSON`)
	if (json.status !== 'success') {
		const said = typeof json.error === 'string' ? `: "${words(json.error)}"` : ''
		return noData(`Prometheus answers ${status}${said}`)
	}
	const data = isObject(json.data) ? json.data : {}
	switch (data.resultType) {
		case 'scalar':
			return readSample(data.result)
		case 'vector':
			return readVector(data.result)
		case undefined:
			return noData('the answer of Prometheus has no result')
		default:
			return noData(`the query gives a ${words(String(data.resultType))}; expected one value`)
	}
}

function readVector(result: unknown): Measurement {
	if (!Array.isArray(result)) return noData('the answer of Prometheus has no result')
	if (result.length === 0) return noData('the query gives nothing')
	if (result.length > 1) return noData(`the query gives ${result.length} series; expected one: sum them, or choose`)
	const [series] = result
	return readSample(isObject(series) ? series.value : undefined)
}

/** `[time, "value"]`. */
function readSample(sample: unknown): Measurement {
	const text: unknown = Array.isArray(sample) ? sample[1] : undefined
	if (typeof text !== 'string' || text.trim() === '') return noData('the answer of Prometheus has no value')
	const value = Number(text)
	return Number.isFinite(value) ? { kind: 'value', value, ageMs: 0 } : noData(`the value is ${text.slice(0, 10)}`)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return value !== null && typeof value === 'object' && !Array.isArray(value)
}
