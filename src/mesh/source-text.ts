import type { FrameLine } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'

/** A file's text, with the offset at which each of its lines begins. */
export type SourceText = { readonly text: string; readonly lineStarts: readonly number[] }

export type NotText = { readonly reason: string; readonly hint: string | null }

/** The text of a file: UTF-8, a byte order mark allowed, no NUL. */
export function decodeText(bytes: Uint8Array): SourceText | NotText {
	if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
		return { reason: 'the file is UTF-16, not UTF-8', hint: 'save it as UTF-8' }
	}
	if (bytes.includes(0)) return { reason: 'the file holds NUL bytes: it is no text', hint: null }
	let text: string
	try {
		text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
	} catch (error) {
		if (!(error instanceof TypeError)) throw error
		return { reason: 'the file is not UTF-8', hint: 'save it as UTF-8' }
	}
	return sourceText(text)
}

export function sourceText(text: string): SourceText {
	const lineStarts = [0]
	for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1)
	return { text, lineStarts }
}

/** Line and column, both from 1, columns in UTF-16 units as editors count them. */
export function placeAt(source: SourceText, offset: number): { readonly line: number; readonly column: number } {
	let low = 0
	let high = source.lineStarts.length - 1
	while (low < high) {
		const middle = Math.ceil((low + high) / 2)
		if ((source.lineStarts[middle] ?? 0) <= offset) low = middle
		else high = middle - 1
	}
	return { line: low + 1, column: Math.max(0, offset - (source.lineStarts[low] ?? 0)) + 1 }
}

/** The line and its neighbours, long ones cut. */
export function frameAround(source: SourceText, line: number): readonly FrameLine[] {
	return [line - 1, line, line + 1]
		.filter((number) => number >= 1 && number <= source.lineStarts.length)
		.map((number) => ({ line: number, text: lineText(source, number) }))
		.filter((shown) => shown.line === line || shown.text.trim() !== '')
}

function lineText(source: SourceText, line: number): string {
	const start = source.lineStarts[line - 1] ?? 0
	const end = (source.lineStarts[line] ?? source.text.length + 1) - 1
	const text = source.text.slice(start, Math.min(end, start + limits.frameChars)).replace(/\r$/, '')
	return maskUserInfo(end - start > limits.frameChars ? `${text}…` : text)
}

/** A frame goes into logs and answers, where a user and password of a URL do not belong. As long as before, for the caret. */
function maskUserInfo(text: string): string {
	return text.replaceAll(/(?<=https?:\/\/)[^\s/'"@]*(?=@)/g, (userInfo) => '*'.repeat(userInfo.length))
}
