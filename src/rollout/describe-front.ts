import { unreachable } from '#base/assert.ts'
import type { FrontMatch, HeaderMatch, QueryParameterMatch } from '#mesh/route-spec.ts'

/** Which requests are in front, for people: `header x-tester exactly "yes" and query parameter beta, or header x-beta`. */
export function describeFront(matches: readonly FrontMatch[]): string {
	return matches.map((match) => conditionsOf(match).join(' and ')).join(', or ')
}

function conditionsOf(match: FrontMatch): string[] {
	switch (match.kind) {
		case 'http':
			return [
				...match.headers.map((header) => describeHeader('header', header)),
				...match.queryParameters.map(describeParameter),
			]
		case 'grpc':
			return match.metadata.map((header) => describeHeader('metadata', header))
		default:
			return unreachable(match)
	}
}

function describeHeader(noun: string, { name, invert, match }: HeaderMatch): string {
	switch (match.kind) {
		case 'present':
			return invert ? `no ${noun} ${name}` : `${noun} ${name}`
		case 'range':
			return `${noun} ${name} ${invert ? 'not ' : ''}from ${match.start} to below ${match.end}`
		case 'exact':
		case 'prefix':
		case 'suffix':
		case 'regex':
			return `${noun} ${name} ${invert ? 'not ' : ''}${wordOf[match.kind]} ${JSON.stringify(match.value)}`
		default:
			return unreachable(match)
	}
}

const wordOf = {
	exact: 'exactly',
	prefix: 'beginning with',
	suffix: 'ending with',
	regex: 'all of it matching',
} as const

function describeParameter({ name, exact }: QueryParameterMatch): string {
	return exact === null ? `query parameter ${name}` : `query parameter ${name} exactly ${JSON.stringify(exact)}`
}
