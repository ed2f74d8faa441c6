import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { ServiceDiscovery } from '#mesh/proxy-spec.ts'
import type { Protocol } from '#mesh/route-spec.ts'
import type { TransportSocketSchema } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import {
	TlsParametersSchema,
	TlsParameters_TlsProtocol as TlsProtocol,
} from '#proto/gen/envoy/extensions/transport_sockets/tls/v3/common_pb.ts'
import { UpstreamTlsContextSchema } from '#proto/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts'
import { discoveryNames } from '../cluster/discovery-names.ts'
import { packAny } from '../proto/any.ts'
import { certificateSecret } from './certificate-secret.ts'
import type { ClientTlsInForce } from './client-tls-in-force.ts'
import {
	type SecretContext,
	type SecretReference,
	type SecretUse,
	secretReference,
	secretWaitMs,
} from './secret-use.ts'
import { isIpAddress } from './subject-alternative-names.ts'
import { commonTlsContext, tlsSocketName } from './tls-context.ts'
import { trustSecret } from './trust-secret.ts'

/** TLS towards the hosts of a cluster. Plain data, and all that its transport socket is made of beside the protocol. */
export type UpstreamTls = {
	readonly certificate: SecretReference | null
	readonly validation: {
		readonly trust: SecretReference
		readonly subjectAlternativeNames: readonly string[]
	} | null
	/** `null` where the hosts are known by no name. */
	readonly sni: string | null
}

/** A server that is to prove who it is, and of which no name is written, has to be what it was found as. */
export function upstreamTls(
	{ certificate, validation }: ClientTlsInForce,
	discovery: ServiceDiscovery,
	context: SecretContext,
): { readonly tls: UpstreamTls; readonly uses: readonly SecretUse[] } {
	const names = discoveryNames(discovery)
	const shown = certificate === null ? null : certificateSecret(certificate, context)
	const trust = validation === null ? null : trustSecret(validation.trust, context)
	const written = validation?.subjectAlternativeNames ?? []
	const subjectAlternativeNames = written.length > 0 ? written : names
	return {
		tls: {
			certificate: shown === null ? null : secretReference(shown),
			validation: trust === null ? null : { trust: secretReference(trust), subjectAlternativeNames },
			sni: names.find((name) => !isIpAddress(name)) ?? null,
		},
		uses: [shown, trust].filter((use) => use !== null),
	}
}

export function secretReferencesOf({ certificate, validation }: UpstreamTls): SecretReference[] {
	return [certificate, validation?.trust ?? null].filter((reference) => reference !== null)
}

/** Up to TLS 1.3: left to itself, Envoy as a client stops at 1.2. */
export function upstreamTransportSocket(
	tls: UpstreamTls,
	protocol: Protocol,
): MessageInitShape<typeof TransportSocketSchema> {
	const value = packAny(UpstreamTlsContextSchema, {
		commonTlsContext: {
			...commonTlsContext({ ...tls, protocol, waitMs: secretWaitMs.cluster }),
			tlsParams: create(TlsParametersSchema, { tlsMaximumProtocolVersion: TlsProtocol.TLSv1_3 }),
		},
		...(tls.sni === null ? {} : { sni: tls.sni }),
	})
	return { name: tlsSocketName, configType: { case: 'typedConfig', value } }
}
