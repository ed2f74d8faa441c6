import { expect, test } from 'vitest'
import type { RouteAction } from '#explain/explained.ts'
import { forwardedRequest } from '#explain/forwarded-request.ts'

const action: Extract<RouteAction, { kind: 'forward' }> = {
	kind: 'forward',
	destinations: [],
	drawnBy: null,
	copies: [],
	timeoutMs: 0,
	idleTimeoutMs: null,
	retries: null,
	authority: null,
	path: null,
	headersSet: [],
	headersRemoved: [],
}
const header = (name: string, value: string) => ({ name, value })
const request = {
	method: 'GET',
	scheme: 'http' as const,
	authority: 'a',
	path: '/x?y',
	headers: [header('keep', '1'), header('gone', '1'), header('set', 'old'), header('x-envoy-original-path', '/forged')],
}

test('nothing to do: nothing changes', () => {
	expect(forwardedRequest(request, action)).toEqual(request)
})

test('rewritten, with its headers, and its old path noted', () => {
	const headersSet = [header('Set', 'new')]
	const sent = forwardedRequest(request, {
		...action,
		authority: 'b',
		path: '/z',
		headersSet,
		headersRemoved: ['gone'],
	})
	expect(sent).toMatchObject({ authority: 'b', path: '/z' })
	expect(sent.headers).toEqual([header('keep', '1'), header('set', 'new'), header('x-envoy-original-path', '/x?y')])
})
