import { limits } from '#base/limits.ts'
import { type Encode, encodeResource } from './encode-resource.ts'

type Encoding = { readonly key: string; readonly version: string; readonly bytes: WeakRef<Uint8Array> }

/**
 * As `encodeResource`, for all groups: what is compiled for one of them as for another is built and written once, and its
 * bytes are one object, so that what is made of them is made once. What a resource is made of stays each group's own.
 */
export function createSharedEncoding(): Encode {
	/** The newest, by type and name. Bytes that nobody is served any more are not held on to. */
	const newest = new Map<string, Encoding>()
	return (resource) => {
		const { typeUrl, name, key, references, madeOf } = resource
		const place = `${typeUrl} ${name}`
		const known = newest.get(place)
		const bytes = known?.key === key ? known.bytes.deref() : undefined
		if (known !== undefined && bytes !== undefined) {
			return { typeUrl, name, version: known.version, bytes, key: known.key, references, madeOf }
		}
		const encoded = encodeResource(resource)
		if (newest.size >= limits.encodingsShared) newest.clear()
		newest.set(place, { key, version: encoded.version, bytes: new WeakRef(encoded.bytes) })
		return encoded
	}
}
