import { unreachable } from '#base/assert.ts'
import type { Trust } from '#mesh/proxy-spec.ts'
import { fileSource, textSource } from '../proto/file-or-text.ts'
import { compileSecret, type SecretType } from './compile-secret.ts'
import { acmSecretName, trustFileName, trustSecretName } from './secret-names.ts'
import type { SecretContext, SecretUse } from './secret-use.ts'

/** Whom the other end's certificate has to come from, by name. */
export function trustSecret(trust: Trust, context: SecretContext): SecretUse {
	switch (trust.kind) {
		case 'file':
			return fileSecret(trust.certificateChain, context)
		case 'sds':
			return namedSecret([trust.secretName], context)
		case 'acm':
			return namedSecret(trust.certificateAuthorityArns.map(acmSecretName), context)
		default:
			return unreachable(trust)
	}
}

/** Read by the proxy itself, and again when something is moved into the file's folder. */
function fileSecret(file: string, context: SecretContext): SecretUse {
	const name = trustFileName(context.owner)
	return {
		from: 'ads',
		name,
		resource: compileSecret({ name, key: file, context, type: () => trusted(fileSource(file)) }),
	}
}

/** Several names are one secret, of all their authorities: a TLS context takes no more than one. */
function namedSecret(secretNames: readonly string[], context: SecretContext): SecretUse {
	if (context.secrets === 'socket') return { from: 'socket', name: secretNames.join(',') }
	const name = trustSecretName(context.user, secretNames)
	const materials = secretNames.map((secretName) => context.discovered.secrets.get(secretName))
	const authorities = materials.map((material) => material?.authorities ?? null)
	if (!authorities.every((text) => text !== null)) return { from: 'ads', name, resource: null }
	const key = materials.map((material) => material?.hash).join(' ')
	const type = () => trusted(textSource(joined(authorities)))
	return { from: 'ads', name, resource: compileSecret({ name, key, context, type }) }
}

/** PEM texts one after the other; one that ends without a line break would run into the next. */
function joined(texts: readonly string[]): string {
	return texts.map((text) => (text.endsWith('\n') ? text : `${text}\n`)).join('')
}

function trusted(authorities: ReturnType<typeof fileSource>): SecretType {
	return { case: 'validationContext', value: { trustedCa: authorities } }
}
