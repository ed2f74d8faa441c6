// In what supported versions of Envoy treat requests differently. Only the minor version of a proxy is known.

/** Until 1.38 matchers saw the values of a repeated header as one, joined by commas; since then each by itself. */
export function joinsRepeatedHeaders(envoyMinor: string): boolean {
	return minorOf(envoyMinor) < 39
}

/**
 * Whether `..;x` is `..` in a path. Since 1.40, and since a late patch of each minor version before it, which are taken
 * not to have it: https://nvd.nist.gov/vuln/detail/CVE-2026-73551
 */
export function resolvesDotsWithParameters(envoyMinor: string): boolean {
	return minorOf(envoyMinor) >= 40
}

function minorOf(envoyMinor: string): number {
	const [major = 0, minor = 0] = envoyMinor.split('.').map(Number)
	return major === 1 ? minor : Number.POSITIVE_INFINITY
}
