const shownChars = 60

/** A written value for a message: short, in quotes when it is text, and without control characters. */
export function showValue(value: unknown): string {
	if (value === null || value === undefined) return 'nothing'
	if (Array.isArray(value)) return 'a list'
	if (typeof value === 'object') return 'a mapping'
	if (typeof value !== 'string') return String(value)
	return JSON.stringify(value.length > shownChars ? `${value.slice(0, shownChars)}…` : value)
}
