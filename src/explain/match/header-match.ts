import type { HeaderMatcher } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import type { SeenRequest } from '../seen-request.ts'
import type { Judged } from './judged.ts'
import { type TextTest, textTest } from './string-match.ts'

// Envoy's header matchers, as measured: of several values one that fits is enough. `invert` turns that round, but a header
// that is not there meets no condition on its value.

export function judgeHeader(matcher: HeaderMatcher, request: SeenRequest): Judged {
	const values = request.values(matcher.name.toLowerCase())
	const name = nameOf(matcher.name)
	const found = values.length === 0 ? null : values.join('", "')
	if (isAboutPresence(matcher)) {
		const wanted = matcher.headerMatchSpecifier.value !== false
		const isWanted = wanted !== matcher.invertMatch
		return { name, wanted: isWanted ? 'there' : 'not there', found, met: values.length > 0 === isWanted }
	}
	const { wanted, matches } = valueTest(matcher)
	const looked = values.length === 0 && matcher.treatMissingHeaderAsEmpty ? [''] : values
	const met = looked.length > 0 && looked.some(matches) !== matcher.invertMatch
	return { name, wanted: matcher.invertMatch ? `there, and not ${wanted}` : wanted, found, met }
}

/** Without any condition a matcher wants the header to be there. */
function isAboutPresence({ headerMatchSpecifier }: HeaderMatcher): boolean {
	return headerMatchSpecifier.case === 'presentMatch' || headerMatchSpecifier.case === undefined
}

function valueTest({ headerMatchSpecifier }: HeaderMatcher): TextTest {
	switch (headerMatchSpecifier.case) {
		case 'stringMatch':
			return textTest(headerMatchSpecifier.value)
		case 'rangeMatch': {
			const { start, end } = headerMatchSpecifier.value
			return { wanted: `a whole number from ${start} to below ${end}`, matches: (text) => isInRange(text, start, end) }
		}
		// The fields that Envoy has deprecated: Sluice writes none of them.
		default:
			return { wanted: 'something that explain does not know', matches: () => false }
	}
}

const greatest = 2n ** 63n

function isInRange(text: string, start: bigint, end: bigint): boolean {
	// More digits than 64 bits have only with zeros in front, which nobody sends.
	if (!/^[+-]?\d{1,40}$/.test(text)) return false
	const value = BigInt(text.replace('+', ''))
	return value >= -greatest && value < greatest && value >= start && value < end
}

function nameOf(name: string): string {
	switch (name.toLowerCase()) {
		case ':method':
			return 'method'
		case ':scheme':
			return 'scheme'
		case ':authority':
		case 'host':
			return 'host'
		default:
			return `header ${name}`
	}
}
