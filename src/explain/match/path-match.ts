import type { RouteMatch } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import { splitQuery } from '../plain-path.ts'
import type { Judged } from './judged.ts'
import { lowerAscii, quote, regexTest, type TextTest } from './string-match.ts'

/** What a route wants of the path; the query is never looked at. */
export function judgePath(match: RouteMatch, seenPath: string): Judged {
	const { path } = splitQuery(seenPath)
	const { wanted, matches } = pathTest(match)
	return { name: 'path', wanted, found: path, met: matches(path) }
}

/** The pattern as it is written; empty when there is none. */
export function pathPatternOf(match: RouteMatch | undefined): string {
	switch (match?.pathSpecifier.case) {
		case 'prefix':
		case 'path':
		case 'pathSeparatedPrefix':
			return match.pathSpecifier.value
		case 'safeRegex':
			return match.pathSpecifier.value.regex
		default:
			return ''
	}
}

function pathTest({ pathSpecifier, caseSensitive }: RouteMatch): TextTest {
	const ignoresCase = caseSensitive === false
	const fold = (text: string) => (ignoresCase ? lowerAscii(text) : text)
	const inAnyCase = ignoresCase ? ', in any case' : ''
	switch (pathSpecifier.case) {
		case 'prefix': {
			const prefix = fold(pathSpecifier.value)
			const wanted = `beginning with ${quote(pathSpecifier.value)}${inAnyCase}`
			return { wanted, matches: (path) => fold(path).startsWith(prefix) }
		}
		case 'path': {
			const exact = fold(pathSpecifier.value)
			return { wanted: `exactly ${quote(pathSpecifier.value)}${inAnyCase}`, matches: (path) => fold(path) === exact }
		}
		case 'pathSeparatedPrefix': {
			const prefix = fold(pathSpecifier.value)
			const wanted = `${quote(pathSpecifier.value)} or something below it${inAnyCase}`
			return { wanted, matches: (path) => fold(path) === prefix || fold(path).startsWith(`${prefix}/`) }
		}
		case 'safeRegex':
			return regexTest(pathSpecifier.value)
		default:
			return { wanted: 'something that explain does not know', matches: () => false }
	}
}
