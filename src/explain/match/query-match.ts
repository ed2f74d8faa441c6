import type { QueryParameterMatcher } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { splitQuery } from '../plain-path.ts'
import type { Judged } from './judged.ts'
import { textTest } from './string-match.ts'

/** Names and values as they are written, still escaped; of a name that comes several times the first counts. */
export function judgeQueryParameter(matcher: QueryParameterMatcher, path: string): Judged {
	const found = firstValue(path, matcher.name)
	const name = `query parameter ${matcher.name}`
	const specifier = matcher.queryParameterMatchSpecifier
	if (specifier.case !== 'stringMatch') return { name, wanted: 'there', found, met: found !== null }
	const { wanted, matches } = textTest(specifier.value)
	return { name, wanted, found, met: found !== null && matches(found) }
}

function firstValue(path: string, wanted: string): string | null {
	for (const part of splitQuery(path).query.slice(1).split('&')) {
		const at = part.indexOf('=')
		const [name, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)]
		if (name === wanted && part !== '') return value
	}
	return null
}
