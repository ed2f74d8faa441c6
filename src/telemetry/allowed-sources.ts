import { fail, type Result, succeed } from '#base/result.ts'

// Whom the daemon may ask for figures, and with whose secret. Who writes to Git chooses URLs; who runs the daemon chooses
// which of them are asked: it stands where others do not, and a URL could be the cloud's metadata service or a neighbour
// without a login. The name of a secret is bound to where it goes, so that no policy can have it sent elsewhere.

export type AllowedSources = {
	/** Half a sentence that says why the URL is not asked, or null. */
	refusal(url: URL, credentials: string | null): string | null
}

type Allowed = { readonly origins: ReadonlySet<string>; readonly secrets: ReadonlySet<string> }

const entryPattern = /^(https?:\/\/[^\s/?#@=]+)\/?(?:=([A-Za-z0-9_-]{1,64}))?$/

/**
 * `http://prometheus:9090, https://shop.example=shop`: origins, with commas between them; what is behind a `=` is the name
 * of credentials that may be sent there. Fails with what is wrong.
 */
export function parseAllowedSources(text: string): Result<AllowedSources, string> {
	const origins = new Set<string>()
	const secrets = new Set<string>()
	for (const entry of text.split(',').map((part) => part.trim())) {
		if (entry === '') continue
		const [, written = '', name] = entryPattern.exec(entry) ?? []
		if (!URL.canParse(written)) {
			const shown = entry.replace(/:\/\/.*@/, '://***@')
			return fail(`${JSON.stringify(shown)} is no http(s)://HOST[:PORT] or http(s)://HOST[:PORT]=CREDENTIALS`)
		}
		const { origin } = new URL(written)
		origins.add(origin)
		if (name !== undefined) secrets.add(`${origin}=${name}`)
	}
	return succeed(allow({ origins, secrets }))
}

function allow({ origins, secrets }: Allowed): AllowedSources {
	return {
		refusal({ origin }, credentials) {
			if (!origins.has(origin)) return `${origin} may not be asked: metric-sources lacks it`
			if (credentials === null || secrets.has(`${origin}=${credentials}`)) return null
			return `the credentials may not be sent there: metric-sources lacks ${origin}=${credentials}`
		},
	}
}
