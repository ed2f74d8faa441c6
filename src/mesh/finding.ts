import type { Severity } from '#base/diagnostic.ts'
import type { DiagnosticCode } from '#base/diagnostic-codes.ts'

/** Members and indexes from a document's root to one of its values. */
export type Path = readonly (string | number)[]

/** Something to say about one document, before its place in a file is known. */
export type Finding = {
	readonly code: DiagnosticCode
	readonly severity: Severity
	readonly message: string
	readonly path: Path
	/** Whether the key or its value is pointed at. */
	readonly at: 'key' | 'value'
	/** Called only for findings that are shown: looking for the nearest name costs time. */
	readonly hint: () => string | null
}

/** An error at a value. */
export function errorAt(path: Path, code: DiagnosticCode, message: string, hint: string | null = null): Finding {
	return { code, severity: 'error', message, path, at: 'value', hint: () => hint }
}

/** A warning at a value. */
export function warningAt(path: Path, code: DiagnosticCode, message: string, hint: string | null = null): Finding {
	return { ...errorAt(path, code, message, hint), severity: 'warning' }
}

/** A path as RFC 6901 writes it: `/spec/listeners/0`. */
export function pathToPointer(path: Path): string {
	return path.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** A path as people read it: `spec.listeners[0]`; `the document` for the root. */
export function pathToText(path: Path): string {
	if (path.length === 0) return 'the document'
	return path
		.map((token, index) => (typeof token === 'number' ? `[${token}]` : index === 0 ? token : `.${token}`))
		.join('')
}
