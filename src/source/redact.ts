/**
 * Takes the given secrets out of a text, whatever the case of their percent-encoding, and the user part of every URL
 * in it.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
	// The longest first: a secret may be part of another.
	const forms = [...new Set(secrets)].filter((secret) => secret !== '').sort((a, b) => b.length - a.length)
	const known = forms.length === 0 ? null : new RegExp(forms.map(escapePattern).join('|'), 'gi')
	return (text) => {
		const withoutKnown = known === null ? text : text.replace(known, '***')
		return withoutKnown.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/'"]*@/gi, '$1***@')
	}
}

function escapePattern(text: string): string {
	return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
