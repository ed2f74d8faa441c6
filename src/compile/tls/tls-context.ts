import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Protocol } from '#mesh/route-spec.ts'
import type { CommonTlsContextSchema } from '#proto/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts'
import { type SecretReference, sdsSecretConfig } from './secret-use.ts'
import { subjectAlternativeNames } from './subject-alternative-names.ts'

export const tlsSocketName = 'envoy.transport_sockets.tls'

export type CommonTls = {
	readonly protocol: Protocol
	readonly certificate: SecretReference | null
	/** `null`: whoever the other end is, it is taken. */
	readonly validation: { readonly trust: SecretReference; readonly subjectAlternativeNames: readonly string[] } | null
	readonly waitMs: number
}

/** The half of a TLS context that clients and servers have alike. */
export function commonTlsContext(tls: CommonTls): MessageInitShape<typeof CommonTlsContextSchema> {
	const { protocol, certificate, validation, waitMs } = tls
	return {
		alpnProtocols: alpnProtocols(protocol),
		tlsCertificateSdsSecretConfigs: certificate === null ? [] : [sdsSecretConfig(certificate, waitMs)],
		...(validation === null ? {} : { validationContextType: validationContext(validation, waitMs) }),
	}
}

/** What the two ends may settle on: one protocol, or none at all for TCP. */
export function alpnProtocols(protocol: Protocol): string[] {
	if (protocol === 'tcp') return []
	return protocol === 'http' ? ['http/1.1'] : ['h2']
}

function validationContext(validation: NonNullable<CommonTls['validation']>, waitMs: number) {
	const matchTypedSubjectAltNames = subjectAlternativeNames(validation.subjectAlternativeNames)
	const value = {
		defaultValidationContext: { matchTypedSubjectAltNames },
		validationContextSdsSecretConfig: sdsSecretConfig(validation.trust, waitMs),
	}
	return { case: 'combinedValidationContext', value } as const
}
