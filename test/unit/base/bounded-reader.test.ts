import { WireType } from '@bufbuild/protobuf/wire'
import { expect, test } from 'vitest'
import { BoundedReader } from '#base/bounded-reader.ts'

test('counts the fields of a message and of what lies in it together', () => {
	const budget = { left: 3 }
	const outer = new BoundedReader(Uint8Array.of(0x0a, 2, 0x08, 1, 0x10, 1), budget)
	expect(outer.tag()).toEqual([1, WireType.LengthDelimited])
	const inner = new BoundedReader(outer.bytes(), budget)
	expect([inner.tag(), inner.uint32()]).toEqual([[1, WireType.Varint], 1])
	expect([outer.tag(), outer.uint32()]).toEqual([[2, WireType.Varint], 1])
	expect(() => outer.tag()).toThrow('more fields than a message may have')
})

test('passes over no group, whatever is in it', () => {
	const reader = new BoundedReader(Uint8Array.of(0x0b, 0x08, 1, 0x0c), { left: 10 })
	const [field, wireType] = reader.tag()
	expect(() => reader.skip(wireType, field)).toThrow('field 1 is a group')
})
