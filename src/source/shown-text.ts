import { limits } from '#base/limits.ts'

// Text from outside (commits, paths, git's errors) on its way to people. What steers a terminal or turns the reading
// direction is taken out here, once, so that no face has to.

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
const steering = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** One line of bounded length: runs of space become one, steering characters go. */
export function toShownLine(text: string): string {
	const line = text.replace(/\s+/g, ' ').replace(steering, '').trim()
	return line.length > limits.shownTextCharacters ? `${line.slice(0, limits.shownTextCharacters)}…` : line
}

/** A path with steering characters written as `\u001b`: odd names stay recognisable. */
export function toShownPath(path: string): string {
	const shown = path.replace(steering, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
	return shown.length > limits.shownTextCharacters ? `${shown.slice(0, limits.shownTextCharacters)}…` : shown
}

export function hasSteering(text: string): boolean {
	return text.search(steering) !== -1
}
