/** A regular expression that matches the text and nothing else, as RE2 reads it. */
export function escapeRegex(text: string): string {
	return text.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&')
}
