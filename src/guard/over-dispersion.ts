import { addCounts, noCounts } from './arms.ts'
import type { Counts, GuardParameters } from './look.ts'

// φ, measured: how much more than by chance do a version's errors vary, before anything is compared with it? They come in
// bursts, at one proxy or at all. Twice the same version is compared with itself: one random half of the proxies with the
// other, in each look; and each look with the one before, which a rate that only drifts does not raise. Of the two the
// larger is taken. Errors that are independent give 1 in both.
// Memory of one cluster is of fixed size: looks are summed into blocks, and the oldest block is let go.

export type Dispersion = {
	/** Of the running look: both halves. */
	halves: readonly [Counts, Counts]
	/** The look before; null when it had no requests. */
	before: Counts | null
	blocks: readonly Block[]
}

type Block = { readonly looks: number; readonly requests: number; readonly halves: Mean; readonly time: Mean }
type Mean = { readonly sum: number; readonly count: number }

/** 30 minutes of looks of 5 s are six blocks; the seventh is the one that is filling. */
const looksOfBlock = 60
const looksNeeded = 360
const blocksKept = 7
/** Looks with an error that a figure is made of at least; of fewer it is chance. */
const fewestLooks = 30

export const defaultPhi: GuardParameters['phi'] = { value: 3, source: 'default' }

const noBlock: Block = { looks: 0, requests: 0, halves: { sum: 0, count: 0 }, time: { sum: 0, count: 0 } }

export function createDispersion(): Dispersion {
	return { halves: [noCounts, noCounts], before: null, blocks: [noBlock] }
}

/** What a proxy of that half counted in a flush. */
export function addToDispersion(memory: Dispersion, half: 0 | 1, counted: Counts): void {
	const [left, right] = memory.halves
	memory.halves = half === 0 ? [addCounts(left, counted), right] : [left, addCounts(right, counted)]
}

/** Ends the running look. */
export function closeDispersionLook(memory: Dispersion): void {
	const [left, right] = memory.halves
	const look = addCounts(left, right)
	const last = memory.blocks.at(-1) ?? noBlock
	const begun = last.looks < looksOfBlock
	const block = begun ? last : noBlock
	const next: Block = {
		looks: block.looks + 1,
		requests: block.requests + look.requests,
		halves: addSpread(block.halves, left, right),
		time: memory.before === null ? block.time : addSpread(block.time, memory.before, look),
	}
	memory.blocks = [...(begun ? memory.blocks.slice(0, -1) : memory.blocks), next].slice(-blocksKept)
	memory.before = look.requests === 0 ? null : look
	memory.halves = [noCounts, noCounts]
}

/**
 * (x − xπ)² / (xπ(1 − π)) of the errors of one of two, given those of both: π is its share of the requests. Expected to be
 * 1 where errors are independent.
 */
function addSpread(mean: Mean, one: Counts, other: Counts): Mean {
	const errors = Math.min(one.errors, one.requests) + Math.min(other.errors, other.requests)
	if (errors === 0 || one.requests === 0 || other.requests === 0) return mean
	const share = one.requests / (one.requests + other.requests)
	const expected = errors * share
	const spread = (Math.min(one.errors, one.requests) - expected) ** 2 / (expected * (1 - share))
	return { sum: mean.sum + spread, count: mean.count + 1 }
}

/** The default while there are not 30 minutes of looks, or too few of them with errors. */
export function phiOf({ blocks }: Dispersion): GuardParameters['phi'] {
	const looks = blocks.reduce((sum, block) => sum + block.looks, 0)
	const time = meanOf(blocks.map((block) => block.time))
	if (looks < looksNeeded || time === null) return defaultPhi
	const halves = meanOf(blocks.map((block) => block.halves))
	if (halves !== null && halves >= time) return { value: asPhi(halves), source: 'proxies' }
	return { value: asPhi(time), source: 'baseline' }
}

/** Two digits, rounded up. */
function asPhi(spread: number): number {
	return Math.max(1, Math.ceil(spread * 100) / 100)
}

/** For as long as it remembers it had no request. */
export function isIdle({ blocks }: Dispersion): boolean {
	return blocks.length === blocksKept && blocks.every(({ requests }) => requests === 0)
}

function meanOf(means: readonly Mean[]): number | null {
	const count = means.reduce((total, mean) => total + mean.count, 0)
	return count < fewestLooks ? null : means.reduce((total, { sum }) => total + sum, 0) / count
}
