import { fail, type Result, succeed } from './result.ts'

// Whom the daemon may ask something, and with whose secret. Who writes to Git chooses URLs; who runs the daemon chooses
// which of them are asked: it stands where others do not, and a URL could be the cloud's metadata service or a neighbour
// without a login. The name of a secret is bound to where it goes, so that no policy can have it sent elsewhere.

export type AllowedOrigins = {
	/** Half a sentence that says why the URL is not asked, or null. */
	refusal(url: URL, credentials: string | null): string | null
}

type Allowed = { readonly origins: ReadonlySet<string>; readonly secrets: ReadonlySet<string> }

const entryPattern = /^(https?:\/\/[^\s/?#@=]+)\/?(?:=([A-Za-z0-9_-]{1,64}))?$/

/**
 * `http://prometheus:9090, https://shop.example=shop`: origins, with commas between them; what is behind a `=` is the name
 * of credentials that may be sent there. Fails with what is wrong.
 * @param setting name of the daemon's setting that says it, for those who are refused
 */
export function parseAllowedOrigins(setting: string, text: string): Result<AllowedOrigins, string> {
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
	return succeed(allow(setting, { origins, secrets }))
}

function allow(setting: string, { origins, secrets }: Allowed): AllowedOrigins {
	return {
		refusal({ origin }, credentials) {
			if (!origins.has(origin)) return `${origin} may not be asked: ${setting} lacks it`
			if (credentials === null || secrets.has(`${origin}=${credentials}`)) return null
			return `the credentials may not be sent there: ${setting} lacks ${origin}=${credentials}`
		},
	}
}
