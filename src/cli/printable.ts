// Text from a repository, a proxy or a person on its way to a terminal. What could move the cursor, colour the screen or
// turn the direction of writing is made visible instead.

const steering = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** One line of text. A tab becomes a space. */
export function toPrintable(text: string): string {
	return text.replaceAll('\t', ' ').replace(steering, '\ufffd')
}

/** JSON for a program, of which a terminal understands nothing either: steering characters are written as escapes. */
export function toPrintableJson(value: unknown): string {
	const escape = (character: string) =>
		character === '\n'
			? character
			: Array.from({ length: character.length }, (_, index) => escapeUnit(character, index)).join('')
	return JSON.stringify(value, null, 2).replace(steering, escape)
}

function escapeUnit(text: string, index: number): string {
	return `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`
}
