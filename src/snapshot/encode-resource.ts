import { toBinary } from '@bufbuild/protobuf'
import { sha256Hex } from '#base/hash.ts'
import type { CompiledResource } from '#compile/compiled.ts'
import type { EncodedResource } from './snapshot.ts'

/** Digits of a version: 64 bits tell any number of configurations apart that a fleet will ever see. */
export const versionDigits = 16

/** As `encodeResource`, or by what it has encoded before. */
export type Encode = (resource: CompiledResource) => EncodedResource

/**
 * Builds a resource and writes its bytes. Fields are written in the order of their numbers and the entries of a map in
 * the order in which the compiler put them in, so equal keys give equal bytes.
 */
export function encodeResource({ typeUrl, name, key, references, madeOf, build }: CompiledResource): EncodedResource {
	const { schema, message } = build()
	const bytes = toBinary(schema, message)
	const version = sha256Hex(bytes).slice(0, versionDigits)
	return { typeUrl, name, version, bytes, key, references, madeOf }
}
