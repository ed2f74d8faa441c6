// Messages of protobuf that are nearly what they should be, and such that are nothing at all.

import type { Random } from '#base/random.ts'
import { drawBelow, drawBytes, drawOne, drawWeighted, type Weighted } from './draw.ts'

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array

const mutations: Weighted<Mutation> = [
	[4, flipBits],
	[2, (bytes, random) => bytes.subarray(0, drawBelow(random, bytes.length + 1))],
	[2, repeatPart],
	[2, (bytes, random) => insert(bytes, drawBytes(random, 1 + drawBelow(random, 12)), random)],
	[1, (bytes, random) => insert(bytes, longVarint(random), random)],
	[1, (bytes, random) => Buffer.concat([bytes, drawOddField(random)])],
	[1, (bytes, random) => Buffer.concat([drawOddField(random), bytes])],
	[1, (bytes, random) => Buffer.concat([bytes, bytes.subarray(drawBelow(random, bytes.length + 1))])],
]

/** One to three of: flipped bits, cut, parts doubled or put in, varints that never end, fields of wrong kinds. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
	let mutated = bytes
	for (let times = 1 + drawBelow(random, 3); times > 0; times -= 1) {
		mutated = drawWeighted(random, mutations)(mutated, random)
	}
	return mutated
}

function flipBits(bytes: Uint8Array, random: Random): Uint8Array {
	const flipped = Uint8Array.from(bytes)
	if (flipped.length === 0) return flipped
	for (let times = 1 + drawBelow(random, 8); times > 0; times -= 1) {
		const at = drawBelow(random, flipped.length)
		flipped[at] = (flipped[at] ?? 0) ^ (1 << drawBelow(random, 8))
	}
	return flipped
}

function repeatPart(bytes: Uint8Array, random: Random): Uint8Array {
	const from = drawBelow(random, bytes.length + 1)
	const part = bytes.subarray(from, from + drawBelow(random, 64))
	const parts = Array.from({ length: 1 + drawBelow(random, 20) }, () => part)
	return Buffer.concat([bytes.subarray(0, from), ...parts, bytes.subarray(from)])
}

function insert(bytes: Uint8Array, part: Uint8Array, random: Random): Uint8Array {
	const at = drawBelow(random, bytes.length + 1)
	return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)])
}

/** 0xff … ends nowhere, or beyond what any number has. */
function longVarint(random: Random): Uint8Array {
	return Uint8Array.from({ length: 1 + drawBelow(random, 12) }, () => 0xff)
}

const textThatIsNone = Uint8Array.of(0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xff)

/** A field with any number and kind: groups, lengths beyond the end, text that is none, messages in messages. */
export function drawOddField(random: Random): Uint8Array {
	const field = drawWeighted(random, [
		[8, 1 + drawBelow(random, 11)],
		[1, 1 + drawBelow(random, 2 ** 20)],
	])
	const kind = drawBelow(random, 8)
	const content = drawOne(random, [
		() => longVarint(random),
		() => textThatIsNone,
		() => drawBytes(random, drawBelow(random, 20)),
		() => nested(random, 1 + drawBelow(random, 300)),
	])()
	const length = drawOne(random, [content.length, content.length + 1, 2 ** 31 - 1, 2 ** 32 - 1, 0])
	const head = drawOne(random, [true, false]) ? [tag(field, 2), varint(length)] : [tag(field, kind)]
	return Buffer.concat([...head, content])
}

/** Messages within each other, of one field. */
function nested(random: Random, depth: number): Uint8Array {
	const field = 1 + drawBelow(random, 10)
	let inner: Uint8Array = new Uint8Array()
	for (let level = 0; level < depth; level += 1) inner = within(field, inner)
	return inner
}

/** One field that is this message. */
export function within(field: number, message: Uint8Array): Uint8Array {
	return Buffer.concat([tag(field, 2), varint(message.length), message])
}

/** Nothing but one short field, as often as fits. */
export function filled(random: Random, bytes: number): Uint8Array {
	const field = Buffer.concat([tag(1 + drawBelow(random, 11), drawOne(random, [2, 2, 2, 0, 3, 5])), Uint8Array.of(0)])
	return Buffer.alloc(bytes, field)
}

function tag(field: number, kind: number): Uint8Array {
	return varint(field * 8 + kind)
}

function varint(value: number): Uint8Array {
	const bytes: number[] = []
	let left = value
	for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128)
	return Uint8Array.of(...bytes, left)
}
