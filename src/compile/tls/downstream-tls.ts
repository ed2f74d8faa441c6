import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ListenerTls } from '#mesh/proxy-spec.ts'
import type { Protocol } from '#mesh/route-spec.ts'
import type { TransportSocketSchema } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import { DownstreamTlsContextSchema } from '#proto/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts'
import { packAny } from '../proto/any.ts'
import { certificateSecret } from './certificate-secret.ts'
import { type SecretContext, type SecretUse, secretWaitMs } from './secret-use.ts'
import { commonTlsContext, tlsSocketName } from './tls-context.ts'
import { trustSecret } from './trust-secret.ts'

export type DownstreamTls = {
	/** Of a filter chain. Made of the listener's `tls`, its protocol and the names of `uses`. */
	readonly transportSocket: MessageInitShape<typeof TransportSocketSchema>
	readonly uses: readonly SecretUse[]
}

/**
 * What a listener shows of itself, and what it asks of its clients: with a validation a certificate that it accepts,
 * else none. Whether plain connections are taken beside it (PERMISSIVE) is a matter of filter chains.
 */
export function downstreamTls(
	tls: ListenerTls,
	options: Omit<SecretContext, 'user' | 'owner'> & { readonly protocol: Protocol; readonly port: number },
): DownstreamTls {
	const { protocol, port, ...known } = options
	const context = { ...known, user: 'listener', owner: `ingress_${port}` } as const
	const certificate = certificateSecret(tls.certificate, context)
	const trust = tls.validation === null ? null : trustSecret(tls.validation.trust, context)
	const validation =
		tls.validation === null || trust === null
			? null
			: { trust, subjectAlternativeNames: tls.validation.subjectAlternativeNames }
	const value = packAny(DownstreamTlsContextSchema, {
		commonTlsContext: commonTlsContext({ protocol, certificate, validation, waitMs: secretWaitMs.listener }),
		...(validation === null ? {} : { requireClientCertificate: true }),
	})
	return {
		transportSocket: { name: tlsSocketName, configType: { case: 'typedConfig', value } },
		uses: trust === null ? [certificate] : [certificate, trust],
	}
}
