import type { Hono } from 'hono'
import { limits } from '#base/limits.ts'
import { type Result, succeed } from '#base/result.ts'
import type { ControllerCommand } from '#controller/commands.ts'
import type { ProxyListAnswer } from './api.ts'
import { type CarryOutOptions, carryOut } from './carry-out.ts'
import { type Asked, readCommandBody, readTime } from './read-command-body.ts'

/**
 * `GET /api/v1/proxies?name=…`: connected, expected and excluded proxies, those whose name begins so. `POST …/:key/exclude`
 * and `…/include` take one out of what is expected, and back; keys are percent-encoded.
 */
export function addProxyRoutes(app: Hono, options: CarryOutOptions): void {
	const { face } = options
	app.get('/api/v1/proxies', (context) => {
		const body: ProxyListAnswer = {
			apiVersion: 'sluice/v1',
			kind: 'ProxyList',
			...face.proxies(context.req.query('name') ?? ''),
		}
		return context.json(body)
	})
	app.post('/api/v1/proxies/:key/exclude', async (context) =>
		carryOut(context, options, readExclusion(context.req.param('key'), await context.req.text())),
	)
	app.post('/api/v1/proxies/:key/include', async (context) => {
		const asked = readCommandBody(await context.req.text())
		const proxy = context.req.param('key')
		return carryOut(context, options, asked.ok ? succeed({ kind: 'include', proxy, ...asked.value }) : asked)
	})
}

/** Reads `{"actor": "…", "reason": "…", "forMs": 3600000}`; without `forMs` it lasts until the proxy is included. */
function readExclusion(proxy: string, text: string): Result<ControllerCommand, string> {
	const asked: Result<Asked, string> = readCommandBody(text)
	if (!asked.ok) return asked
	const forMs = readTime('forMs', text, limits.exclusionMs)
	return forMs.ok ? succeed({ kind: 'exclude', proxy, ...asked.value, forMs: forMs.value }) : forMs
}
