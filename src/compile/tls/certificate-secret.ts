import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { unreachable } from '#base/assert.ts'
import { canonicalJson } from '#base/hash.ts'
import type { SecretMaterial } from '#discovery/discovered.ts'
import type { Certificate } from '#mesh/proxy-spec.ts'
import type { TlsCertificateSchema } from '#proto/gen/envoy/extensions/transport_sockets/tls/v3/common_pb.ts'
import { SecretSchema } from '#proto/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import { fileSource, textSource } from '../proto/file-or-text.ts'
import { acmSecretName, certificateFilesName, certificateSecretName } from './secret-names.ts'
import type { SecretContext, SecretUse } from './secret-use.ts'

/** What a listener or a client shows of itself, by name. */
export function certificateSecret(certificate: Certificate, context: SecretContext): SecretUse {
	switch (certificate.kind) {
		case 'file':
			return filesSecret(certificate, context)
		case 'sds':
			return namedSecret(certificate.secretName, context)
		case 'acm':
			return namedSecret(acmSecretName(certificate.certificateArn), context)
		default:
			return unreachable(certificate)
	}
}

/**
 * The proxy reads the files itself, so a key never leaves its machine. It watches the folder of each and reads both
 * again when something is moved into one of them: a rename over the file, or the switch of a symbolic link.
 */
function filesSecret(files: Extract<Certificate, { kind: 'file' }>, context: SecretContext): SecretUse {
	const { certificateChain, privateKey } = files
	const name = certificateFilesName(context.owner)
	const content = () => ({ certificateChain: fileSource(certificateChain), privateKey: fileSource(privateKey) })
	return { from: 'ads', name, resource: secretOf({ name, key: canonicalJson(files), context, content }) }
}

function namedSecret(secretName: string, context: SecretContext): SecretUse {
	if (context.secrets === 'socket') return { from: 'socket', name: secretName }
	const name = certificateSecretName(context.user, secretName)
	const material = context.discovered.secrets.get(secretName)
	return { from: 'ads', name, resource: material === undefined ? null : materialSecret(name, material, context) }
}

/** Null when what is known under the name is authorities only. */
function materialSecret(name: string, material: SecretMaterial, context: SecretContext): CompiledResource | null {
	const { hash, certificate } = material
	if (certificate === null) return null
	const content = () => ({
		certificateChain: textSource(certificate.chain),
		privateKey: textSource(certificate.privateKey),
	})
	return secretOf({ name, key: hash, context, content })
}

function secretOf(parts: {
	readonly name: string
	readonly key: string
	readonly context: SecretContext
	readonly content: () => MessageInitShape<typeof TlsCertificateSchema>
}): CompiledResource {
	const { name, key, context, content } = parts
	return compiledResource({
		typeUrl: typeUrls.secret,
		name,
		key,
		schema: SecretSchema,
		madeOf: context.madeOf,
		make: () => create(SecretSchema, { name, type: { case: 'tlsCertificate', value: content() } }),
	})
}
