import type { MiddlewareHandler } from 'hono'
import { isLoopback } from '#base/loopback.ts'
import { answerError } from './answer-error.ts'

/**
 * What every request must satisfy before anything looks at it. A page that a browser on this machine has open can send
 * requests here: by its own name that it made lead to loopback (DNS rebinding), so the Host must be ours; or as a form
 * of another origin (CSRF), so a write must be JSON, which no form can send, and of our own origin.
 */
export function guardRequests(boundHost: string): MiddlewareHandler {
	return async (context, next) => {
		const { req } = context
		const host = req.header('host') ?? new URL(req.url).host
		const name = hostName(host)
		if (!isLoopback(name) && name !== boundHost.toLowerCase()) {
			return answerError(context, 'WRONG_HOST', `this API is not ${name}: use localhost or its address`)
		}
		if (req.method !== 'GET' && req.method !== 'HEAD') {
			if (isForeign(req.header('origin'), req.header('sec-fetch-site'), host)) {
				return answerError(context, 'FORBIDDEN', 'a page of another origin may not write here')
			}
			if (!/^application\/json(?:$|\s*;)/i.test(req.header('content-type') ?? '')) {
				return answerError(context, 'UNSUPPORTED_MEDIA_TYPE', 'send application/json')
			}
		}
		await next()
		context.header('x-content-type-options', 'nosniff')
		context.header('cache-control', 'no-store')
		context.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
		return undefined
	}
}

/** The name in a Host header, without its port. */
function hostName(host: string): string {
	return host.replace(/:\d+$/, '').toLowerCase()
}

function isForeign(origin: string | undefined, fetchSite: string | undefined, host: string): boolean {
	if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') return true
	if (origin === undefined) return false
	return !URL.canParse(origin) || new URL(origin).host !== host.toLowerCase()
}
