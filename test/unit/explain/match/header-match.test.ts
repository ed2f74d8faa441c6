import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { judgeHeader } from '#explain/match/header-match.ts'
import { HeaderMatcherSchema } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'

type Specifier = NonNullable<MessageInitShape<typeof HeaderMatcherSchema>['headerMatchSpecifier']>
const text = (matchPattern: { case: 'exact' | 'prefix' | 'suffix' | 'contains'; value: string }): Specifier => ({
	case: 'stringMatch',
	value: { matchPattern },
})
const exact = (value: string) => text({ case: 'exact', value })
const regex = (value: string): Specifier => ({
	case: 'stringMatch',
	value: { matchPattern: { case: 'safeRegex', value: { regex: value } } },
})
const range = (start: bigint, end: bigint): Specifier => ({ case: 'rangeMatch', value: { start, end } })
const present: Specifier = { case: 'presentMatch', value: true }

const judge = (
	headerMatchSpecifier: Specifier | undefined,
	values: readonly string[],
	more: { invertMatch?: boolean; treatMissingHeaderAsEmpty?: boolean } = {},
) => {
	const specifier = headerMatchSpecifier === undefined ? {} : { headerMatchSpecifier }
	const matcher = create(HeaderMatcherSchema, { name: 'X-Test', ...specifier, ...more })
	const valuesOf = (name: string) => (name === 'x-test' ? values : [])
	const request = { method: 'GET', authority: 'a', path: '/', values: valuesOf, sent: valuesOf }
	return judgeHeader(matcher, request)
}
const inverted = { invertMatch: true }

// As Envoy 1.40 answered each: measured.
test.for<[string, Specifier | undefined, readonly string[], boolean]>([
	['exact', exact('1'), ['1'], true],
	['exact', exact('1'), ['11'], false],
	['exact, case counts', exact('a'), ['A'], false],
	['exact, not there', exact('1'), [], false],
	['exact, one of two', exact('1'), ['2', '1'], true],
	['exact, joined by nobody', exact('1,2'), ['1', '2'], false],
	['exact, with a comma', exact('1,2'), ['1,2'], true],
	['prefix', text({ case: 'prefix', value: 'ab' }), ['abc'], true],
	['suffix', text({ case: 'suffix', value: 'bc' }), ['abc'], true],
	['contains', text({ case: 'contains', value: 'b' }), ['abc'], true],
	['regex, all of it', regex('[0-9]+'), ['12'], true],
	['regex, a part is not enough', regex('[0-9]+'), ['12a'], false],
	['regex, letters beyond ASCII', regex('é.'), ['éx'], true],
	['there', present, [''], true],
	['there, not', present, [], false],
	['no condition is presence', undefined, ['x'], true],
	['range, its start', range(-10n, 100n), ['-10'], true],
	['range, its end', range(-10n, 100n), ['100'], false],
	['range, plus', range(1n, 9n), ['+5'], true],
	['range, zeros', range(1n, 9n), ['007'], true],
	['range, nothing', range(0n, 9n), [''], false],
	['range, a fraction', range(0n, 9n), ['5.0'], false],
	['range, an exponent', range(0n, 99n), ['1e1'], false],
	['range, hexadecimal', range(0n, 99n), ['0x5'], false],
	['range, beyond 64 bits', range(0n, 2n ** 63n - 1n), ['9223372036854775808'], false],
	['range, one of two', range(2n, 3n), ['1', '2'], true],
])('%s', ([_, specifier, values, met]) => {
	expect(judge(specifier, values).met).toBe(met)
})

test.for<[string, Specifier, readonly string[], boolean]>([
	['exact', exact('1'), ['2'], true],
	['exact', exact('1'), ['1'], false],
	['exact, one of two is one too many', exact('1'), ['1', '2'], false],
	['exact, not there', exact('1'), [], false],
	['exact, empty', exact('1'), [''], true],
	['range', range(2n, 3n), ['x'], true],
	['there', present, [], true],
	['there', present, ['1'], false],
])('inverted: %s', ([_, specifier, values, met]) => {
	expect(judge(specifier, values, inverted).met).toBe(met)
})

test('a missing header may count as an empty one', () => {
	const asEmpty = { treatMissingHeaderAsEmpty: true }
	expect(judge(exact(''), [], asEmpty).met).toBe(true)
	expect(judge(exact('1'), [], { ...asEmpty, ...inverted }).met).toBe(true)
	expect(judge(exact('1'), [], asEmpty).met).toBe(false)
})

test('a field that Envoy has deprecated is met by nothing', () => {
	expect(judge({ case: 'exactMatch', value: '1' }, ['1'])).toMatchObject({ met: false })
})

test('what was found and wanted, for people', () => {
	expect(judge(exact('1'), [])).toMatchObject({ name: 'header X-Test', wanted: 'exactly "1"', found: null })
	expect(judge(exact('1'), ['2'], inverted)).toMatchObject({ wanted: 'there, and not exactly "1"', found: '2' })
	expect(judge(present, ['1'], inverted)).toMatchObject({ wanted: 'not there' })
	expect(judge(range(1n, 5n), ['7'])).toMatchObject({ wanted: 'a whole number from 1 to below 5' })
})
