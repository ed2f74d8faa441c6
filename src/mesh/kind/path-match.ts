import { checkRegex } from '../check-regex.ts'
import { errorAt, type Finding, type Path, pathToText, warningAt } from '../finding.ts'
import type { PathMatch } from '../route-spec.ts'

/** How a route and a gateway route write which paths they take. */
export type WrittenPath = { prefix?: string; path?: { exact?: string; regex?: string } }

/** A match without a path takes every path. */
export function readPath({ prefix, path }: WrittenPath): PathMatch {
	if (path?.exact !== undefined) return { kind: 'exact', path: path.exact }
	if (path?.regex !== undefined) return { kind: 'regex', regex: path.regex }
	return { kind: 'prefix', prefix: prefix ?? '/' }
}

/** `at` is the match that holds the path. */
export function checkPath(at: Path, { prefix, path }: WrittenPath): readonly Finding[] {
	const findings: Finding[] = []
	if (prefix !== undefined && path !== undefined) {
		findings.push(errorAt(at, 'SL0209', `${pathToText(at)} has both prefix and path; expected one of them`))
	}
	if (path?.regex !== undefined) findings.push(...checkRegex([...at, 'path', 'regex'], path.regex))
	if (prefix !== undefined) findings.push(...checkIsPath([...at, 'prefix'], prefix))
	if (path?.exact !== undefined) findings.push(...checkIsPath([...at, 'path', 'exact'], path.exact))
	return findings
}

/**
 * Envoy matches the path alone: what comes after a question mark or a hash is no part of it. It also makes the path plain
 * before: `//`, `/./` and `/../` are gone by then.
 */
function checkIsPath(at: Path, path: string): readonly Finding[] {
	const [foreign] = /[?#]|\/\/|\/\.\.?\//.exec(path) ?? []
	if (foreign === undefined) return []
	const message = `${pathToText(at)} holds "${foreign}", which no path does: the route takes no request`
	const isQuery = foreign === '?' || foreign === '#'
	return [
		warningAt(at, 'SL0241', message, isQuery ? 'match the query by queryParameters' : 'write the path without it'),
	]
}
