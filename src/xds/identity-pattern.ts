import { fail, type Result, succeed } from '#base/result.ts'
import type { ProxyIdentity } from '#compile/compiled.ts'

// How a proxy's name stands in the URI that its certificate is for: `spiffe://*/mesh/{mesh}/{kind}/{name}`. A part
// between slashes is one of `{mesh}`, `{kind}` (virtualNode or virtualGateway) and `{name}`, or `*` for anything, or
// itself. Only whole parts: `{mesh}-{name}` would be the same text for different proxies.

export type IdentityPattern = { readonly parts: readonly string[] }

const partPattern = /^(?:\{(?:mesh|kind|name)\}|\*|[A-Za-z0-9._~:@-]+)$/
const uriPattern = /^[a-z][a-z0-9+.-]*:\/\/[^/]+(?:\/[^/]+)*$/

/** Several with commas between them. Fails with what is wrong. */
export function parseIdentityPatterns(text: string): Result<readonly IdentityPattern[], string> {
	const patterns: IdentityPattern[] = []
	for (const written of text.split(',').map((part) => part.trim())) {
		const [scheme = '', ...rest] = written.split('://')
		const parts = rest.join('://').split('/')
		if (!uriPattern.test(written) || !parts.every((part) => partPattern.test(part)))
			return fail(
				`${JSON.stringify(written)} is no URI of whole parts, {mesh}, {kind}, {name} and *, as spiffe://*/mesh/{mesh}/{kind}/{name}`,
			)
		if (!parts.includes('{name}')) return fail(`${JSON.stringify(written)} lacks {name}: it would be true of any proxy`)
		patterns.push({ parts: [`${scheme}:`, '', ...parts] })
	}
	return succeed(patterns)
}

/** Whether a certificate with these URIs is one of this proxy's. */
export function isCertified(
	identity: ProxyIdentity,
	uris: readonly string[],
	patterns: readonly IdentityPattern[],
): boolean {
	return uris.some((uri) => patterns.some(({ parts }) => isNamedBy(identity, uri.split('/'), parts)))
}

function isNamedBy({ mesh, kind, name }: ProxyIdentity, found: readonly string[], parts: readonly string[]): boolean {
	const own: Readonly<Record<string, string>> = { '{mesh}': mesh, '{kind}': kind, '{name}': name }
	if (found.length !== parts.length) return false
	return parts.every((part, index) => (part === '*' ? found[index] !== '' : found[index] === (own[part] ?? part)))
}
