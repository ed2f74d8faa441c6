import { unreachable } from '#base/assert.ts'
import { canonicalJson } from '#base/hash.ts'
import type { SecretMaterial } from '#discovery/discovered.ts'
import type { Certificate } from '#mesh/proxy-spec.ts'
import type { CompiledResource } from '../compiled.ts'
import { fileSource, textSource } from '../proto/file-or-text.ts'
import { compileSecret, type SecretType } from './compile-secret.ts'
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
	const type = () => shown(fileSource(certificateChain), fileSource(privateKey))
	return { from: 'ads', name, resource: compileSecret({ name, key: canonicalJson(files), context, type }) }
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
	const type = () => shown(textSource(certificate.chain), textSource(certificate.privateKey))
	return compileSecret({ name, key: hash, context, type })
}

type Source = ReturnType<typeof fileSource>

function shown(certificateChain: Source, privateKey: Source): SecretType {
	return { case: 'tlsCertificate', value: { certificateChain, privateKey } }
}
