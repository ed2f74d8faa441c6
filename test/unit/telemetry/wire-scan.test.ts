import type { BinaryReader } from '@bufbuild/protobuf/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BoundedReader } from '#base/bounded-reader.ts'
import {
	enter,
	leave,
	readDouble,
	readInt64,
	readTag,
	readUint32,
	readUint64,
	scanOf,
	skipField,
	type WireScan,
} from '#telemetry/wire-scan.ts'
import { count, seed } from '../../depth.ts'

const mostFields = 3

type Read = { readonly value: number; readonly at: number } | 'refused'

function byScan(bytes: Uint8Array, read: (scan: WireScan) => number): Read {
	const scan = scanOf(bytes, mostFields)
	try {
		return { value: read(scan), at: scan.at }
	} catch {
		return 'refused'
	}
}

function byReader(bytes: Uint8Array, read: (reader: BinaryReader) => number): Read {
	const reader = new BoundedReader(bytes, { left: mostFields })
	try {
		const value = read(reader)
		// Past the end protobuf-es reads zeros, and leaves it to whoever reads on to notice.
		return reader.pos > reader.len ? 'refused' : { value, at: reader.pos }
	} catch {
		return 'refused'
	}
}

/** Tags, long numbers and nested lengths are made of few bits that matter. */
const wireBytes = fc
	.array(fc.oneof(fc.constantFrom(0x00, 0x80, 0xff, 0x7f, 0x0b, 0x0c, 0x13, 0x14, 0x08, 0x0f, 0x10), fc.nat(255)), {
		maxLength: 14,
	})
	.map((bytes) => Uint8Array.from(bytes))

function skipNext(read: { tag: () => number; skip: (tag: number) => void }): number {
	const tag = read.tag()
	read.skip(tag)
	return tag
}

describe('reads what protobuf-es reads', () => {
	test.for<[string, (scan: WireScan) => number, (reader: BinaryReader) => number]>([
		['a number of 32 bits', readUint32, (reader) => reader.uint32()],
		['one of 64 bits, with a sign', readInt64, (reader) => Number(reader.int64())],
		['one of 64 bits, without', readUint64, (reader) => Number(reader.uint64())],
		['a double', readDouble, (reader) => reader.double()],
		['a tag', readTag, (reader) => tagOf(reader)],
		[
			'a field, to pass over it',
			(scan) => skipNext({ tag: () => readTag(scan), skip: (tag) => skipField(scan, tag) }),
			(reader) => skipNext({ tag: () => tagOf(reader), skip: (tag) => reader.skip(tag & 7, tag >>> 3) }),
		],
	])('%s', ([, scan, read]) => {
		fc.assert(
			fc.property(wireBytes, (bytes) => {
				expect(byScan(bytes, scan)).toEqual(byReader(bytes, read))
			}),
			{ numRuns: count(1_000, 200_000), seed: seed() },
		)
	})
})

function tagOf(reader: BinaryReader): number {
	const [field, wireType] = reader.tag()
	return field * 8 + wireType
}

test('a nested message ends where it says, and not where what is in it says', () => {
	// Two bytes, in which a text says that it has five; the bytes are there, but beyond.
	const scan = scanOf(Uint8Array.of(2, 5, 1, 1, 1, 1, 1, 1), mostFields)
	const end = enter(scan)
	expect(() => enter(scan)).toThrow('too early')
	leave(scan, end)
	expect([scan.at, scan.end]).toEqual([3, 8])
	expect(() => enter(scanOf(Uint8Array.of(3, 1, 1), mostFields))).toThrow('too early')
})

test('no more fields are read than there may be', () => {
	const scan = scanOf(new Uint8Array(20).fill(0x08), mostFields)
	for (let index = 0; index < mostFields; index += 1) skipField(scan, readTag(scan))
	expect(() => readTag(scan)).toThrow('more fields')
})
