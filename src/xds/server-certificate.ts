import { constants } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'

/** What the port shows of itself, and whom it asks for the same. PEM texts; never to be logged or shown. */
export type ServerCertificate = {
	readonly chain: string
	readonly privateKey: string
	/** Who signs the certificates of proxies; null: they are not asked for any. */
	readonly clientAuthorities: string | null
	/** What becomes of a proxy that is asked for one and has none. Not there: `refused`. */
	readonly bareClients?: 'refused' | 'taken'
}

/**
 * No session is resumed: a proxy whose certificate is no longer good would come in by what it once proved. Nor is one
 * renegotiated: who a connection belongs to is settled. Envoy's own default is at most TLS 1.2 towards servers, so that
 * is taken.
 */
export function secureContextOf({ chain, privateKey, clientAuthorities }: ServerCertificate): SecureContextOptions {
	return {
		cert: chain,
		key: privateKey,
		...(clientAuthorities === null ? {} : { ca: clientAuthorities }),
		minVersion: 'TLSv1.2',
		secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
	}
}

/** Why TLS cannot be spoken with it, in half a sentence that holds nothing of it, or null. */
export function whyUnservable(certificate: ServerCertificate): string | null {
	try {
		createSecureContext(secureContextOf(certificate))
		return null
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
		return `is not taken by this machine's TLS (${code})`
	}
}
