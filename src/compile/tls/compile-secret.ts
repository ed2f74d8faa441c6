import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { SecretSchema } from '#proto/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts'
import { type CompiledResource, typeUrls } from '../compiled.ts'
import { compiledResource } from '../compiled-resource.ts'
import type { SecretContext } from './secret-use.ts'

export type SecretType = NonNullable<MessageInitShape<typeof SecretSchema>['type']>

export type SecretParts = {
	readonly name: string
	/** Names what it holds: never the thing itself. */
	readonly key: string
	readonly context: Pick<SecretContext, 'madeOf'>
	/** What it holds, made when the secret is built. */
	readonly type: () => SecretType
}

/** A secret that we serve. */
export function compileSecret({ name, key, context, type }: SecretParts): CompiledResource {
	return compiledResource({
		typeUrl: typeUrls.secret,
		name,
		key,
		schema: SecretSchema,
		madeOf: context.madeOf,
		make: () => create(SecretSchema, { name, type: type() }),
	})
}
