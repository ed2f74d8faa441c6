import { errorAt, type Finding, type Path, pathToText } from '../finding.ts'

/** A URL that the daemon is to ask: nothing secret in it, and no variable where it says whom. */
export function checkAskedUrl(url: string, path: Path): Finding[] {
	const wrong = whatIsWrongWith(url)
	return wrong === null ? [] : [errorAt(path, 'SL0250', `${pathToText(path)} ${wrong}`)]
}

function whatIsWrongWith(url: string): string | null {
	const [authority = ''] = /^https?:\/\/[^/?#]*/.exec(url) ?? []
	if (authority.includes('{{')) return 'has a variable in its host; expected one in its path or query'
	if (authority.includes('@'))
		return 'has a user or password in it; expected the name of credentials that the daemon knows'
	if (url.includes('#')) return 'has a hash, which is never sent'
	return URL.canParse(url.replaceAll(/[{}]/g, '')) ? null : 'is no URL that can be asked'
}
