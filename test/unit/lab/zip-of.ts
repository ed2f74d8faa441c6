import { deflateRawSync } from 'node:zlib'

export type ZipEntry = { readonly name: string; readonly content: Buffer; readonly method: 'stored' | 'deflated' }

/** A ZIP file as `wheel` writes it, without checksums (nobody reads them here), with a comment at its end. */
export function zipOf(entries: readonly ZipEntry[], comment = ''): Buffer {
	const locals: Buffer[] = []
	const directory: Buffer[] = []
	let at = 0
	for (const { name, content, method } of entries) {
		const packed = method === 'deflated' ? deflateRawSync(content) : content
		const code = method === 'deflated' ? 8 : 0
		const local = Buffer.alloc(30)
		local.writeUInt32LE(0x04034b50, 0)
		local.writeUInt16LE(name.length, 26)
		// An extra field in the local header only: the two headers' lengths differ in real files.
		local.writeUInt16LE(4, 28)
		const central = Buffer.alloc(46)
		central.writeUInt32LE(0x02014b50, 0)
		central.writeUInt16LE(code, 10)
		central.writeUInt32LE(packed.length, 20)
		central.writeUInt32LE(content.length, 24)
		central.writeUInt16LE(name.length, 28)
		central.writeUInt32LE(at, 42)
		const written = [local, Buffer.from(name), Buffer.alloc(4), packed]
		locals.push(...written)
		directory.push(central, Buffer.from(name))
		at += written.reduce((sum, part) => sum + part.length, 0)
	}
	const end = Buffer.alloc(22)
	end.writeUInt32LE(0x06054b50, 0)
	end.writeUInt16LE(entries.length, 10)
	end.writeUInt32LE(
		directory.reduce((sum, part) => sum + part.length, 0),
		12,
	)
	end.writeUInt32LE(at, 16)
	end.writeUInt16LE(comment.length, 20)
	return Buffer.concat([...locals, ...directory, end, Buffer.from(comment)])
}
