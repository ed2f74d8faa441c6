import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { TypeUrl } from '#compile/compiled.ts'
import type { EncodedResource } from '#snapshot/snapshot.ts'

// Discovery responses as bytes. Each resource is wrapped once, whatever the number of responses that carry it.
// Field numbers are those of envoy/service/discovery/v3/discovery.proto.

export type DeltaContent = {
	readonly typeUrl: TypeUrl
	readonly version: string
	readonly nonce: string
	readonly resources: readonly EncodedResource[]
	readonly removed: readonly string[]
}

export type StateOfTheWorldContent = Omit<DeltaContent, 'removed'>

export function encodeDelta(content: DeltaContent): Uint8Array {
	const writer = new BinaryWriter()
	writer.tag(1, WireType.LengthDelimited).string(content.version)
	for (const resource of content.resources) writer.raw(wrappedResource(resource))
	writer.tag(4, WireType.LengthDelimited).string(content.typeUrl)
	writer.tag(5, WireType.LengthDelimited).string(content.nonce)
	for (const name of content.removed) writer.tag(6, WireType.LengthDelimited).string(name)
	return writer.finish()
}

export function encodeStateOfTheWorld(content: StateOfTheWorldContent): Uint8Array {
	const writer = new BinaryWriter()
	writer.tag(1, WireType.LengthDelimited).string(content.version)
	for (const resource of content.resources) writer.raw(wrappedAny(resource))
	writer.tag(4, WireType.LengthDelimited).string(content.typeUrl)
	writer.tag(5, WireType.LengthDelimited).string(content.nonce)
	return writer.finish()
}

type Wrapped = { readonly of: EncodedResource; readonly field: Uint8Array }

/** By the bytes within, which one resource has at all groups that are served it. */
const wrappedResources = new WeakMap<Uint8Array, Wrapped>()
const wrappedAnys = new WeakMap<Uint8Array, Wrapped>()

/** Field 2 of a DeltaDiscoveryResponse: a Resource with name, version and Any. */
function wrappedResource(resource: EncodedResource): Uint8Array {
	return wrappedOnce(wrappedResources, resource, () => {
		const writer = new BinaryWriter().tag(2, WireType.LengthDelimited).fork()
		writer.tag(1, WireType.LengthDelimited).string(resource.version)
		writeAny(writer, resource)
		writer.tag(3, WireType.LengthDelimited).string(resource.name)
		return writer.join().finish()
	})
}

/** Field 2 of a DiscoveryResponse: the Any itself. */
function wrappedAny(resource: EncodedResource): Uint8Array {
	return wrappedOnce(wrappedAnys, resource, () => writeAny(new BinaryWriter(), resource).finish())
}

function wrappedOnce(
	known: WeakMap<Uint8Array, Wrapped>,
	resource: EncodedResource,
	wrap: () => Uint8Array,
): Uint8Array {
	const { typeUrl, name, version, bytes } = resource
	const before = known.get(bytes)
	const isSame = before?.of.version === version && before.of.name === name && before.of.typeUrl === typeUrl
	if (before !== undefined && isSame) return before.field
	const field = wrap()
	known.set(bytes, { of: resource, field })
	return field
}

/** Both messages have the Any in a field with number 2. */
function writeAny(writer: BinaryWriter, resource: EncodedResource): BinaryWriter {
	return writer
		.tag(2, WireType.LengthDelimited)
		.fork()
		.tag(1, WireType.LengthDelimited)
		.string(resource.typeUrl)
		.tag(2, WireType.LengthDelimited)
		.bytes(resource.bytes)
		.join()
}
