import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { limits } from '#base/limits.ts'
import { answerError } from './answer-error.ts'
import type { ApiOptions, TrafficAnswer } from './api.ts'
import { addEventRoutes } from './event-routes.ts'
import { addExplainRoutes } from './explain-routes.ts'
import { guardRequests } from './guard-requests.ts'
import { addHealthRoutes } from './health-routes.ts'
import { createJournalReader } from './journal-reader.ts'
import { createMetrics } from './metrics.ts'
import { addProxyRoutes } from './proxy-routes.ts'
import { addRolloutRoutes } from './rollout-routes.ts'
import { addScopedRoutes } from './scoped-routes.ts'

export type AppOptions = ApiOptions & {
	/** The API is about to close: streams end. */
	readonly closing: AbortSignal
}

/** All routes of the API, without a socket. */
export function createApp(options: AppOptions): Hono {
	const { face, log } = options
	const app = new Hono()
	app.use(guardRequests(options.address.host))
	app.use(
		bodyLimit({
			maxSize: limits.apiBodyBytes,
			onError: (context) => answerError(context, 'TOO_LARGE', `a body has at most ${limits.apiBodyBytes} bytes`),
		}),
	)
	const metrics = createMetrics(options)
	const journal = createJournalReader(face)
	addHealthRoutes(app, face)
	app.get('/metrics', async (context) =>
		context.body(await metrics.render(), 200, { 'content-type': metrics.contentType }),
	)
	app.get('/api/v1/status', (context) => context.json(face.status()))
	app.get('/api/v1/traffic', (context) => {
		const body: TrafficAnswer = { apiVersion: 'sluice/v1', kind: 'Traffic', ...face.traffic() }
		return context.json(body)
	})
	addExplainRoutes(app, face)
	addProxyRoutes(app, options)
	addRolloutRoutes(app, { ...options, journal })
	addScopedRoutes(app, options)
	addEventRoutes(app, { ...options, journal })
	app.notFound((context) => answerError(context, 'NOT_FOUND', `there is no ${context.req.method} ${context.req.path}`))
	app.onError((error, context) => {
		log.error('api.failed', {
			method: context.req.method,
			path: context.req.path,
			message: error.stack ?? error.message,
		})
		return answerError(context, 'INTERNAL', 'the request failed by a fault of Sluice; its log says more')
	})
	return app
}
