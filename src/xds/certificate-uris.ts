// The URI names of a certificate, out of the text in which Node gives all of its names: `DNS:a.local, URI:spiffe://a/b`.
// A name that has a comma or a quote in it stands in quotes there, so that none can pretend to be two.

const entryPattern = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y

/** Null for a text that is not written so: nothing in it is believed then. Quoted names are left out: no URI needs it. */
export function urisOfNames(subjectAltName: string): readonly string[] | null {
	const uris: string[] = []
	entryPattern.lastIndex = 0
	while (entryPattern.lastIndex < subjectAltName.length) {
		const [, kind, name = ''] = entryPattern.exec(subjectAltName) ?? []
		if (kind === undefined) return null
		if (kind === 'URI' && !name.startsWith('"')) uris.push(name)
	}
	return uris
}
