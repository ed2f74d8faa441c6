import { BinaryReader } from '@bufbuild/protobuf/wire'
import type { Variant } from '../fixtures/xds-dialogue.ts'

/** Of a response only what an answer to it repeats. */
export function lightlyRead(variant: Variant, bytes: Uint8Array): { typeUrl: string; nonce: string; version: string } {
	const read = { typeUrl: '', nonce: '', version: '' }
	const reader = new BinaryReader(bytes)
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 1) read.version = reader.string()
		else if (field === 4) read.typeUrl = reader.string()
		else if (field === 5) read.nonce = reader.string()
		else reader.skip(wireType, field)
	}
	return variant === 'delta' ? { ...read, version: '' } : read
}
