import type { HostnameMatch } from '#mesh/route-spec.ts'
import { escapeRegex } from './escape-regex.ts'
import { type HeaderMatcherInit, headerMatcher } from './header-match.ts'

/** The host that a client dialled, whatever its case, and whatever port it names. */
export function hostnameMatcher({ kind, value }: HostnameMatch): HeaderMatcherInit {
	const start = kind === 'suffix' ? '.*' : ''
	const regex = `(?i)${start}${escapeRegex(value)}(:[0-9]+)?`
	return headerMatcher({ name: ':authority', invert: false, match: { kind: 'regex', value: regex } })
}
