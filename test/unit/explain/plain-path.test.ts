import { expect, test } from 'vitest'
import { mergeSlashes, normalizePath, splitQuery } from '#explain/plain-path.ts'

// What Envoy 1.40 sent on of each path, with normalize_path and merge_slashes: measured, not read.
test.for([
	['/a/./b', '/a/b'],
	['/a/../b', '/b'],
	['/../b', '/b'],
	['/a/..', '/'],
	['/a/.', '/a/'],
	['/..', '/'],
	['//', '//'],
	['///', '//'],
	['//a', '/a'],
	['/a//b/', '/a/b/'],
	['/a//../b', '/a/b'],
	['/a/b//../../c', '/a/c'],
	['/a/%2e/b', '/a/b'],
	['/a/%2E%2e/b', '/b'],
	['/a/.%2e/b', '/b'],
	['/a/%2e%2e', '/'],
	['/a/..%2fb', '/a/..%2fb'],
	['/a%2Fb', '/a%2Fb'],
	['/a/%2f../b', '/a/%2f../b'],
	['/a\\b', '/a/b'],
	['/a/\\../b', '/a/b'],
	['/a%5cb', '/a%5cb'],
	['/a/...', '/a/...'],
	['/a/..b', '/a/..b'],
	['/%', '/%'],
	['/%4', '/%4'],
	['/%zz/../b', '/b'],
	['/a/%2e%', '/a/.%'],
	['/%252e%252e/b', '/%252e%252e/b'],
	['/%41%7a%30%5F%7E%2d', '/Az0_~-'],
	['/%21%2a%3a%7c', '/%21%2a%3a%7c'],
	['/a"b<c>d^e`f{g|h}', '/a%22b%3Cc%3Ed%5Ee%60f%7Bg%7Ch%7D'],
	["/!$&'()*+,;=:@[]~", "/!$&'()*+,;=:@[]~"],
	['/;a/..;/b', '/b'],
	['/a/..;x=1;y/b', '/b'],
	['/a/.;/b', '/a/b'],
	['/a/..;x', '/'],
	['/a/..%3b/b', '/a/..%3b/b'],
	['/a/%2e%2e;/b', '/a/..;/b'],
	['/a/...;/b', '/a/...;/b'],
	['/a/b;../c', '/a/b;../c'],
	['/a/..;x?y', '/?y'],
	['/a?x//y/../%41', '/a?x//y/../%41'],
	['/a/../?q', '/?q'],
] as const)('%s → %s', ([path, plain]) => {
	const normalized = normalizePath(path, '1.40')
	expect(normalized.ok && mergeSlashes(normalized.value)).toBe(plain)
})

test('dots with parameters are dots only for an Envoy that knows them', () => {
	expect(normalizePath('/a/..;x/b', '1.36')).toEqual({ ok: true, value: '/a/..;x/b' })
})

test('an escaped NUL is refused in the path, and of no interest in the query', () => {
	expect(normalizePath('/%00', '1.40').ok).toBe(false)
	expect(normalizePath('/a?%00', '1.40')).toEqual({ ok: true, value: '/a?%00' })
})

test('a query begins at the first question mark', () => {
	expect(splitQuery('/a?b?c')).toEqual({ path: '/a', query: '?b?c' })
	expect(splitQuery('/a')).toEqual({ path: '/a', query: '' })
})
