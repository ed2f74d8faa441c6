import type { RouteAction } from './explained.ts'
import type { IncomingRequest } from './seen-request.ts'

/** The request as it is sent on: rewritten, its headers removed and then set, its old path noted as Envoy does. */
export function forwardedRequest(
	request: IncomingRequest,
	{ authority, path, headersSet, headersRemoved }: Extract<RouteAction, { kind: 'forward' }>,
): IncomingRequest {
	const replaced = new Set([...headersRemoved, ...headersSet.map(({ name }) => name)].map((name) => name.toLowerCase()))
	const kept = request.headers.filter(({ name }) => !replaced.has(name))
	const rewritten = path === null ? [] : [{ name: 'x-envoy-original-path', value: request.path }]
	return {
		...request,
		authority: authority ?? request.authority,
		path: path ?? request.path,
		headers: [
			...kept.filter(({ name }) => rewritten.length === 0 || name !== 'x-envoy-original-path'),
			...headersSet.map(({ name, value }) => ({ name: name.toLowerCase(), value })),
			...rewritten,
		],
	}
}
