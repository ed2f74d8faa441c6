import type { Certificate, ClientTls, ListenerTls, Trust } from '#mesh/proxy-spec.ts'
import { acmSecretName } from './secret-names.ts'
import type { SecretContext } from './secret-use.ts'

/** How a caller's proxy speaks TLS to a target. */
export type ClientTlsInForce = {
	readonly certificate: Certificate | null
	/** `null`: whoever answers is taken. Empty names: the target's discovery names. */
	readonly validation: { readonly trust: Trust; readonly subjectAlternativeNames: readonly string[] } | null
}

/**
 * App Mesh's rules, for all backends by which a caller reaches one listener; null: no TLS. All of them share one
 * cluster, so where their policies differ the strictest holds: one that enforces TLS, else one that has something to
 * say about this port, else the server's own mode. Of equals it is the first as written.
 */
export function clientTlsInForce(
	policies: readonly (ClientTls | null)[],
	listener: { readonly port: number; readonly tls: ListenerTls | null },
	context: SecretContext,
): ClientTlsInForce | null {
	const { port, tls } = listener
	const applying = policies.filter((policy) => policy !== null).filter((policy) => appliesTo(policy, port))
	const enforced = applying.find((policy) => policy.enforce)
	if (enforced !== undefined) return enforced
	if (tls === null || tls.mode === 'DISABLED' || tls.offered === false) return null
	return applying[0] ?? serversOwn(tls.certificate, context)
}

function appliesTo({ ports }: ClientTls, port: number): boolean {
	return ports.length === 0 || ports.includes(port)
}

/**
 * No policy: TLS because the server offers it. App Mesh checked a certificate of ACM against its authority, and others
 * not at all. Here the authority is what stands beside the certificate in its secret. Until that was read the caller
 * waits (nobody can serve the certificate before either); where it holds no authority there is nothing to check by, and
 * an SDS server cannot tell a certificate from an authority of the same name.
 */
function serversOwn(certificate: Certificate, { secrets, discovered }: SecretContext): ClientTlsInForce {
	const unchecked = { certificate: null, validation: null }
	if (certificate.kind !== 'acm' || secrets === 'socket') return unchecked
	const known = discovered.secrets.get(acmSecretName(certificate.certificateArn))
	if (known !== undefined && known.authorities === null) return unchecked
	const trust = { kind: 'acm', certificateAuthorityArns: [certificate.certificateArn] } as const
	return { certificate: null, validation: { trust, subjectAlternativeNames: [] } }
}
