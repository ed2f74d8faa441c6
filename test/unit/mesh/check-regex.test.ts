import { expect, test } from 'vitest'
import { checkRegex } from '../../../src/mesh/check-regex.ts'

test.for([
	['a{255}', []],
	['.{499}', ['SL0246']],
	['(a{100}){5}', ['SL0246']],
] as const)('the size of %s', ([regex, codes]) => {
	expect(checkRegex(['spec'], regex).map(({ code }) => code)).toEqual(codes)
})

test.for<[string, boolean]>([
	['/api/v[0-9]+/users/[^/]+', true],
	['^(a+)+$', true],
	['(?i)cart', true],
	['\\pL+', true],
	['(?=a)b', false],
	['(?<!a)b', false],
	['(a)\\1', false],
	['a**', false],
	['[z-a]', false],
	['a{1001}', false],
	['(', false],
])('%s', ([regex, accepted]) => {
	expect(checkRegex(['spec'], regex).map(({ code, path }) => [code, path])).toEqual(
		accepted ? [] : [['SL0210', ['spec']]],
	)
})
