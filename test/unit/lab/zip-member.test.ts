import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeTempDirectory } from '#lab/temp.ts'
import { extractZipMember } from '#lab/zip-member.ts'
import { zipOf } from './zip-of.ts'

const large = Buffer.from('an envoy, roughly '.repeat(50_000))
const zip = zipOf(
	[
		{ name: 'first.txt', content: Buffer.from('first'), method: 'stored' },
		{ name: 'bin/large', content: large, method: 'deflated' },
	],
	'a comment',
)

async function extract(bytes: Buffer, name: string): Promise<Buffer> {
	using folder = makeTempDirectory('test')
	const file = join(folder.path, 'a.zip')
	const target = join(folder.path, 'out')
	writeFileSync(file, bytes)
	await extractZipMember(file, name, target, 0o755)
	expect(statSync(target).mode & 0o777).toBe(0o755)
	return readFileSync(target)
}

test('takes out stored and deflated members', async () => {
	expect(String(await extract(zip, 'first.txt'))).toBe('first')
	expect((await extract(zip, 'bin/large')).equals(large)).toBe(true)
})

/** The end record of a file with the comment above; its directory follows the packed members. */
const endRecord = zip.length - 22 - 'a comment'.length
const directory = zip.readUInt32LE(endRecord + 16)

function withChange(change: (copy: Buffer) => void): Buffer {
	const copy = Buffer.from(zip)
	change(copy)
	return copy
}

test.for<[string, Buffer, string]>([
	['a name that is not there', zip, 'has no member'],
	['an empty file', Buffer.alloc(0), 'not a ZIP file'],
	['text', Buffer.from('<html>not found</html>'.repeat(9)), 'not a ZIP file'],
	['a directory past the end', withChange((copy) => copy.writeUInt32LE(0xfffffff, endRecord + 16)), 'damaged ZIP file'],
	[
		'a member where none begins',
		withChange((copy) => copy.writeUInt32LE(1, directory + 46 + 9 + 42)),
		'damaged ZIP file',
	],
	['an unknown method', withChange((copy) => copy.writeUInt16LE(93, directory + 46 + 9 + 10)), 'unknown ZIP method 93'],
	['a wrong length', withChange((copy) => copy.writeUInt32LE(5, directory + 46 + 9 + 24)), 'instead of 5'],
	['bytes that do not inflate', withChange((copy) => copy.fill(0xff, 100, 140)), 'invalid'],
])('refuses %s', async ([, bytes, message]) => {
	const name = message === 'has no member' ? 'bin/small' : 'bin/large'
	await expect(extract(bytes, name)).rejects.toThrow(message)
})
