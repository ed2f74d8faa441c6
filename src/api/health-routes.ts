import type { Context, Hono } from 'hono'
import type { DaemonFace } from '#controller/face.ts'

/** `/livez`: restart it when this fails. `/readyz`: send proxies to it while this holds. Whether Git answers is neither. */
export function addHealthRoutes(app: Hono, face: DaemonFace): void {
	app.get('/livez', (context) => answer(context, face.health().stuck))
	app.get('/readyz', (context) => answer(context, face.health().notReady))
}

function answer(context: Context, problem: string | null): Response {
	return context.text(`${problem ?? 'ok'}\n`, problem === null ? 200 : 503)
}
