import { RE2JS, RE2JSException } from 're2js'
import { unreachable } from '#base/assert.ts'
import type { RegexMatcher } from '#proto/gen/envoy/type/matcher/v3/regex_pb.ts'
import type { StringMatcher } from '#proto/gen/envoy/type/matcher/v3/string_pb.ts'

// Envoy's string matcher. Regular expressions are RE2's, run by RE2: linear in time whatever they are.

/** Whether a text is what a matcher wants, and in words what that is. */
export type TextTest = { readonly wanted: string; readonly matches: (text: string) => boolean }

export function textTest({ matchPattern, ignoreCase }: StringMatcher): TextTest {
	const fold = (text: string) => (ignoreCase ? lowerAscii(text) : text)
	const inAnyCase = ignoreCase ? ', in any case' : ''
	switch (matchPattern.case) {
		case 'exact':
			return {
				wanted: `exactly ${quote(matchPattern.value)}${inAnyCase}`,
				matches: (text) => fold(text) === fold(matchPattern.value),
			}
		case 'prefix':
			return {
				wanted: `beginning with ${quote(matchPattern.value)}${inAnyCase}`,
				matches: (text) => fold(text).startsWith(fold(matchPattern.value)),
			}
		case 'suffix':
			return {
				wanted: `ending with ${quote(matchPattern.value)}${inAnyCase}`,
				matches: (text) => fold(text).endsWith(fold(matchPattern.value)),
			}
		case 'contains':
			return {
				wanted: `containing ${quote(matchPattern.value)}${inAnyCase}`,
				matches: (text) => fold(text).includes(fold(matchPattern.value)),
			}
		case 'safeRegex':
			return regexTest(matchPattern.value)
		case 'custom':
		case undefined:
			return { wanted: 'something that explain does not know', matches: () => false }
		default:
			return unreachable(matchPattern)
	}
}

/** The whole text must match. */
export function regexTest(matcher: RegexMatcher): TextTest {
	const compiled = compiledRegex(matcher)
	return {
		wanted: `all of it matching the regex ${quote(matcher.regex)}`,
		matches: (text) => compiled?.matcher(text).matches() ?? false,
	}
}

const compiledRegexes = new WeakMap<RegexMatcher, { readonly regex: RE2JS | null }>()

/** Compiled once a message; null when RE2 does not accept it, and then Envoy has refused it too. */
function compiledRegex(matcher: RegexMatcher): RE2JS | null {
	const known = compiledRegexes.get(matcher) ?? { regex: compile(matcher.regex) }
	compiledRegexes.set(matcher, known)
	return known.regex
}

function compile(regex: string): RE2JS | null {
	try {
		return RE2JS.compile(regex)
	} catch (error) {
		if (error instanceof RE2JSException) return null
		throw error
	}
}

/** For people: nothing is escaped, so that a regex reads as it was written. */
export function quote(text: string): string {
	return `"${text}"`
}

/** As Envoy folds case: nothing but A to Z. */
export function lowerAscii(text: string): string {
	return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}
