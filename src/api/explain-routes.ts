import type { Hono } from 'hono'
import type { DaemonFace } from '#controller/face.ts'
import { answerError } from './answer-error.ts'
import type { ExplanationAnswer } from './api.ts'

/**
 * `GET /api/v1/proxies/:key/explain?method=GET&url=…&header=name:value`: how a connected proxy treats a request, by the
 * configuration that it has ACKed. `header` may come several times; the key is percent-encoded.
 */
export function addExplainRoutes(app: Hono, face: DaemonFace): void {
	app.get('/api/v1/proxies/:key/explain', (context) => {
		const url = context.req.query('url')
		if (url === undefined) return answerError(context, 'BAD_REQUEST', 'url says what is asked for: ?url=http://…')
		const headers = (context.req.queries('header') ?? []).map((line) => {
			const at = line.indexOf(':')
			return at < 0 ? { name: line, value: '' } : { name: line.slice(0, at), value: line.slice(at + 1) }
		})
		const method = context.req.query('method') ?? 'GET'
		const outcome = face.explain({ proxy: context.req.param('key'), method, url, headers })
		switch (outcome.kind) {
			case 'noProxy':
				return answerError(context, 'NOT_FOUND', outcome.message)
			case 'mistaken':
				return answerError(context, 'BAD_REQUEST', outcome.message)
			case 'explained': {
				const { proxy, explained } = outcome
				const body: ExplanationAnswer = { apiVersion: 'sluice/v1', kind: 'Explanation', key: proxy, explained }
				return context.json(body)
			}
		}
	})
}
