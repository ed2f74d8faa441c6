import { checkRegex } from '../check-regex.ts'
import { errorAt, type Finding, type Path } from '../finding.ts'
import type { RouteHeaderMatch, RouteQueryParameter } from '../manifest.generated.ts'
import type { HeaderMatch, QueryParameterMatch } from '../route-spec.ts'

/** Header names come out in lower case: HTTP knows no other difference. gRPC's metadata are headers. */
export function readHeaders(headers: readonly RouteHeaderMatch[] = []): HeaderMatch[] {
	return headers.map(readHeader)
}

function readHeader({ name, invert = false, match }: RouteHeaderMatch): HeaderMatch {
	const common = { name: name.toLowerCase(), invert }
	if (match?.range !== undefined) {
		const { start, end } = match.range
		return { ...common, match: { kind: 'range', start, end } }
	}
	for (const kind of ['exact', 'prefix', 'suffix', 'regex'] as const) {
		const value = match?.[kind]
		if (value !== undefined) return { ...common, match: { kind, value } }
	}
	return { ...common, match: { kind: 'present' } }
}

export function readQueryParameters(parameters: readonly RouteQueryParameter[] = []): QueryParameterMatch[] {
	return parameters.map(({ name, match }) => ({ name, exact: match?.exact ?? null }))
}

/** `at` is the list of conditions. */
export function checkHeaders(at: Path, headers: readonly RouteHeaderMatch[] = []): readonly Finding[] {
	return headers.flatMap(({ match }, index) => {
		const regex = match?.regex === undefined ? [] : checkRegex([...at, index, 'match', 'regex'], match.regex)
		return [...regex, ...checkRange([...at, index, 'match', 'range'], match?.range)]
	})
}

function checkRange(at: Path, range: { start: number; end: number } | undefined): readonly Finding[] {
	if (range === undefined || range.start < range.end) return []
	return [errorAt(at, 'SL0217', `the range from ${range.start} to ${range.end} is empty: end is not in it`)]
}
