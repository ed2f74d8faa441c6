import { expect, test } from 'vitest'
import { readHostRewrite, readPathRewrite, type WrittenRewrite } from '../../../../src/mesh/kind/gateway-rewrite.ts'
import { readPath, type WrittenPath } from '../../../../src/mesh/kind/path-match.ts'

const none = { kind: 'none' }

test.for<[WrittenPath, WrittenRewrite | undefined, object]>([
	[{ prefix: '/cart' }, undefined, { kind: 'prefix', prefix: '/' }],
	[{ prefix: '/cart' }, { prefix: { defaultPrefix: 'ENABLED' } }, { kind: 'prefix', prefix: '/' }],
	[{ prefix: '/cart' }, { hostname: {} }, { kind: 'prefix', prefix: '/' }],
	[{ prefix: '/cart' }, { prefix: { defaultPrefix: 'DISABLED' } }, none],
	[{ prefix: '/cart' }, { prefix: { value: '/v2/' } }, { kind: 'prefix', prefix: '/v2/' }],
	[{ prefix: '/cart' }, { prefix: { value: '/cart' } }, none],
	[{ prefix: '/' }, undefined, none],
	[{ prefix: '/' }, { prefix: { value: '/v2/' } }, { kind: 'prefix', prefix: '/v2/' }],
	[{}, undefined, none],
	[{ path: { exact: '/cart' } }, undefined, none],
	[{ path: { exact: '/cart' } }, { path: { exact: '/v2' } }, { kind: 'path', path: '/v2' }],
	[{ path: { regex: '/v[12]' } }, { path: { exact: '/v3' } }, { kind: 'path', path: '/v3' }],
])('%j with %j', ([match, rewrite, outcome]) => {
	expect(readPathRewrite(readPath(match), rewrite)).toEqual(outcome)
})

test("the host becomes the virtual service's unless that is switched off", () => {
	expect(readHostRewrite()).toBe('virtualService')
	expect(readHostRewrite({ hostname: {} })).toBe('virtualService')
	expect(readHostRewrite({ hostname: { defaultTargetHostname: 'ENABLED' } })).toBe('virtualService')
	expect(readHostRewrite({ hostname: { defaultTargetHostname: 'DISABLED' } })).toBe('none')
})
