import type { Certificate, ClientTls, TlsValidation, VirtualNodeListener } from '#mesh/proxy-spec.ts'

/** How a caller's proxy speaks to a listener. */
export type Speech =
	| { readonly kind: 'plaintext' }
	/** `validation` null: it takes whatever certificate the server shows. */
	| { readonly kind: 'tls'; readonly certificate: Certificate | null; readonly validation: TlsValidation | null }

/**
 * App Mesh's rule, for all backends by which a caller reaches one listener, since they share its connections: a policy
 * that enforces TLS holds, else one that names the port where TLS is offered, else the server decides. `PERMISSIVE` is an
 * offer too, and callers take it up. A certificate of ACM brings its authority along.
 */
export function speechTo(listener: VirtualNodeListener, policies: readonly (ClientTls | null)[]): Speech {
	const applying = policies
		.filter((policy) => policy !== null)
		.filter(({ ports }) => ports.length === 0 || ports.includes(listener.port))
	const enforced = applying.find(({ enforce }) => enforce)
	if (enforced !== undefined) return tlsOf(enforced)
	if (!isOffered(listener)) return { kind: 'plaintext' }
	const [first] = applying
	return first === undefined ? serversOwn(listener) : tlsOf(first)
}

export function isHeard(listener: VirtualNodeListener, speech: Speech): boolean {
	return speech.kind === 'tls' ? takesTls(listener) : listener.tls?.mode !== 'STRICT'
}

export function takesTls({ tls }: VirtualNodeListener): boolean {
	return tls?.mode === 'STRICT' || tls?.mode === 'PERMISSIVE'
}

/** Whether callers without a policy of their own speak TLS to it. */
export function isOffered(listener: VirtualNodeListener): boolean {
	return takesTls(listener) && listener.tls?.offered !== false
}

function tlsOf({ certificate, validation }: ClientTls): Speech {
	return { kind: 'tls', certificate, validation }
}

function serversOwn({ tls }: VirtualNodeListener): Speech {
	if (tls?.certificate.kind !== 'acm') return { kind: 'tls', certificate: null, validation: null }
	const trust = { kind: 'acm', certificateAuthorityArns: [tls.certificate.certificateArn] } as const
	return { kind: 'tls', certificate: null, validation: { trust, subjectAlternativeNames: [] } }
}
