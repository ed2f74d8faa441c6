import { limits } from '#base/limits.ts'
import { createByteNames } from './byte-names.ts'

/** Strings of names that are written again and again. Which names it remembers changes no answer. */
export type NameMemory = {
	/** The text, in UTF-8; null where it is longer than the name of anything of ours. */
	textAt(bytes: Uint8Array, from: number, to: number): string | null
	size(): number
}

/** In UTF-8, for one of a string's characters. */
const mostBytesOfCharacter = 3

/** Bounded: with more names than anybody has it begins anew. */
export function createNameMemory(): NameMemory {
	const names = createByteNames<string>()
	// A leading U+FEFF is text.
	const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
	return {
		textAt(bytes, from, to) {
			if (to - from > mostBytesOfCharacter * limits.clusterNameChars) return null
			const known = names.find(bytes, from, to)
			if (known !== undefined) return known
			// A copy: what came from the network is not to be kept.
			const name = new Uint8Array(bytes.subarray(from, to))
			const text = decoder.decode(name)
			if (text.length > limits.clusterNameChars) return null
			if (names.size() >= limits.metricNames) names.clear()
			names.add(name, text)
			return text
		},
		size: names.size,
	}
}
