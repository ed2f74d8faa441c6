import type { Random } from '#base/random.ts'

/** A whole number from 0 up to, and without, `below`. */
export function drawBelow(random: Random, below: number): number {
	return Math.floor(random() * below)
}

export function drawOne<Item>(random: Random, items: readonly Item[]): Item {
	const item = items[drawBelow(random, items.length)]
	if (item === undefined) throw new Error('nothing to draw from')
	return item
}

/** How often each is drawn, beside the others. */
export type Weighted<Item> = readonly (readonly [weight: number, Item])[]

export function drawWeighted<Item>(random: Random, weighted: Weighted<Item>): Item {
	let left = random() * weighted.reduce((sum, [weight]) => sum + weight, 0)
	for (const [weight, item] of weighted) {
		left -= weight
		if (left < 0) return item
	}
	throw new Error('nothing to draw from')
}

export function drawBytes(random: Random, count: number): Uint8Array {
	return Uint8Array.from({ length: count }, () => drawBelow(random, 256))
}
