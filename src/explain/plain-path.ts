import { fail, type Result, succeed } from '#base/result.ts'
import { resolvesDotsWithParameters } from './envoy-version.ts'

// How Envoy makes a path plain before routes see it (`normalize_path`, `merge_slashes`), measured byte by byte on the real
// one: dots are resolved, escaped letters, digits and `-._~` are written out, `\` is a slash, and slashes are merged last.

const escapedUnreserved = /^(?:2[de]|3\d|4[1-9a-f]|5[0-9a]|5f|6[1-9a-f]|7[0-9a]|7e)$/i
const dotsWithParameters = /(?<=\/)(\.\.?);[^/]*/g
/** What must not stand in a path as it is. */
const toEscape = /["<>^`{|}]/g

/** The path of `text`, which may have a query that stays as it is. Fails on an escaped NUL: Envoy answers 400. */
export function normalizePath(text: string, envoyMinor: string): Result<string, string> {
	const { path: written, query } = splitQuery(text)
	// Before anything is unescaped: `%2e%2e;` is no such segment.
	const path = resolvesDotsWithParameters(envoyMinor) ? written.replaceAll(dotsWithParameters, '$1') : written
	if (/%00/.test(path)) return fail('its path holds an escaped NUL')
	const plain = path
		.replaceAll(/%([0-9a-f]{2})/gi, (escape, hex: string) =>
			escapedUnreserved.test(hex) ? String.fromCharCode(Number.parseInt(hex, 16)) : escape,
		)
		.replaceAll('\\', '/')
		.replaceAll(toEscape, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
	return succeed(resolveDots(plain) + query)
}

function resolveDots(path: string): string {
	const resolved: string[] = []
	const segments = path.split('/').slice(1)
	for (const [index, segment] of segments.entries()) {
		const isLast = index === segments.length - 1
		if (segment === '..') resolved.pop()
		if (segment !== '.' && segment !== '..') resolved.push(segment)
		else if (isLast) resolved.push('')
	}
	return `/${resolved.join('/')}`
}

/** `//a//b` → `/a/b`. Of nothing but slashes, Envoy leaves two. */
export function mergeSlashes(text: string): string {
	const { path, query } = splitQuery(text)
	if (!path.includes('//')) return text
	const segments = path.split('/').filter((segment) => segment !== '')
	return `${path.startsWith('/') ? '/' : ''}${segments.join('/')}${path.endsWith('/') ? '/' : ''}${query}`
}

/** A path and its query, which begins with its `?`. */
export function splitQuery(text: string): { readonly path: string; readonly query: string } {
	const at = text.indexOf('?')
	return at < 0 ? { path: text, query: '' } : { path: text.slice(0, at), query: text.slice(at) }
}
