import { expect, test } from 'vitest'
import { joinsRepeatedHeaders, resolvesDotsWithParameters } from '#explain/envoy-version.ts'

test.for([
	['1.36', true, false],
	['1.38', true, false],
	['1.39', false, false],
	['1.40', false, true],
	['2.0', false, true],
] as const)('%s', ([minor, joins, resolves]) => {
	expect([joinsRepeatedHeaders(minor), resolvesDotsWithParameters(minor)]).toEqual([joins, resolves])
})
