import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { type IncomingRequest, seenRequest, unknownOf } from '#explain/seen-request.ts'
import { HttpConnectionManagerSchema } from '#proto/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts'

const manager = (more: MessageInitShape<typeof HttpConnectionManagerSchema> = {}) =>
	create(HttpConnectionManagerSchema, {
		normalizePath: true,
		mergeSlashes: true,
		upgradeConfigs: [{ upgradeType: 'websocket' }],
		...(more as object),
	})
const request = (more: Partial<IncomingRequest> = {}): IncomingRequest => ({
	method: 'GET',
	scheme: 'http',
	authority: 'a.local',
	path: '/',
	headers: [],
	...more,
})
const see = (more: Partial<IncomingRequest>, envoyMinor = '1.40') => {
	const seen = seenRequest(request(more), manager(), envoyMinor)
	if (!seen.ok) throw new Error(seen.error.reason)
	return seen.value
}
const headers = (...lines: string[]) =>
	lines.map((line) => ({ name: line.split(':')[0] ?? '', value: line.split(':')[1] ?? '' }))

test('the pseudo headers, and the host by both of its names', () => {
	const { values } = see({ path: '/a/../b?x', scheme: 'https' })
	expect([':method', ':scheme', ':authority', 'host', ':path'].map((name) => values(name)[0])).toEqual([
		'GET',
		'https',
		'a.local',
		'a.local',
		'/b?x',
	])
})

test('what the proxy always adds is there', () => {
	const { values } = see({})
	expect(values('x-forwarded-proto')).toEqual(['http'])
	expect(values('x-request-id')).toHaveLength(1)
	expect(values('x-forwarded-for')).toEqual([])
})

test('what stands in front says the scheme', () => {
	const { values } = see({ headers: headers('x-forwarded-proto:HTTPS') })
	expect([values(':scheme'), values('x-forwarded-proto')]).toEqual([['https'], ['HTTPS']])
})

// Measured on Envoy 1.40: which headers of a client routes do not see.
test.for([
	['x-envoy-retry-on:5xx', []],
	['x-envoy-upstream-rq-timeout-ms:1', []],
	['x-envoy-internal:true', []],
	['x-forwarded-client-cert:x', []],
	['keep-alive:1', []],
	['proxy-connection:x', []],
	['connection:close', []],
	['upgrade:x', []],
	['te:gzip', []],
	['te:trailers', ['trailers']],
	['x-envoy-original-path:/x', ['/x']],
	['x-envoy-attempt-count:1', ['1']],
	['via:x', ['x']],
] as const)('%s is seen as %j', ([line, seen]) => {
	expect(see({ headers: headers(line) }).values(line.split(':')[0] ?? '')).toEqual(seen)
})

test('a repeated header has several values since Envoy 1.39, and one before', () => {
	const twice = { headers: headers('x-a:1', 'x-a:2') }
	expect(see(twice, '1.39').values('x-a')).toEqual(['1', '2'])
	expect(see(twice, '1.38').values('x-a')).toEqual(['1,2'])
})

describe('upgrades', () => {
	test.for([
		['connection:Upgrade', 'upgrade:websocket', null],
		['connection:keep-alive, upgrade', 'upgrade:WebSocket', null],
		['connection:upgrade', 'upgrade:other', 403],
		['connection:upgrade', 'upgrade:h2c', null],
		['connection:close', 'upgrade:other', null],
	] as const)('%s, %s → %s', ([connection, upgrade, status]) => {
		const seen = seenRequest(request({ headers: headers(connection, upgrade) }), manager(), '1.40')
		expect(seen.ok ? null : seen.error.status).toBe(status)
	})

	test('routes see the headers of one that is allowed', () => {
		const { values } = see({ headers: headers('connection:upgrade', 'upgrade:websocket') })
		expect(values('upgrade')).toEqual(['websocket'])
	})
})

test('a path that cannot be made plain is refused', () => {
	const seen = seenRequest(request({ path: '/%00' }), manager(), '1.40')
	expect(seen).toMatchObject({ ok: false, error: { status: 400 } })
})

test('a path stays as it is where the manager is not set to make it plain', () => {
	const seen = seenRequest(
		request({ path: '//a/../b' }),
		manager({ normalizePath: false, mergeSlashes: false }),
		'1.40',
	)
	expect(seen.ok && seen.value.path).toBe('//a/../b')
})

test('what of a manager is not known is said', () => {
	expect(unknownOf(manager())).toEqual([])
	const strange = manager({ httpFilters: [{ name: 'envoy.filters.http.lua' }, { name: 'envoy.filters.http.router' }] })
	expect(unknownOf(strange)).toEqual([expect.stringContaining('envoy.filters.http.lua')])
	expect(unknownOf(manager({ stripPortMode: { case: 'stripAnyHostPort', value: true } }))).toHaveLength(1)
})
