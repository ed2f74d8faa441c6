export type Severity = 'error' | 'warning'

/**
 * One finding about what a user wrote. The same object is shown by the command line, the API and a pull request.
 * `line` and `column` count from 1; both are 0 when the finding is about a whole file or revision.
 */
export type Diagnostic = {
	/** From the table in `diagnostic-codes.ts`. */
	readonly code: string
	readonly severity: Severity
	/** What is wrong and what was expected. One sentence, no trailing stop. */
	readonly message: string
	/** Path inside the repository; empty when the finding is about the revision as a whole. */
	readonly file: string
	readonly line: number
	readonly column: number
	/** The way out: nearest valid name, or what to write instead. */
	readonly hint: string | null
	/** Up to three source lines around the place, with `line` among them; empty without a place. */
	readonly frame: readonly FrameLine[]
}

export type FrameLine = { readonly line: number; readonly text: string }

/** Order in which findings are shown: by file, place, then code. */
export function compareDiagnostics(left: Diagnostic, right: Diagnostic): number {
	return (
		compareText(left.file, right.file) ||
		left.line - right.line ||
		left.column - right.column ||
		compareText(left.code, right.code) ||
		compareText(left.message, right.message)
	)
}

/** Order of code units: the same on every machine, whatever its locale. */
export function compareText(left: string, right: string): number {
	if (left === right) return 0
	return left < right ? -1 : 1
}

/** `file:line:column`, or as much of it as is known. */
export function placeOf(diagnostic: Pick<Diagnostic, 'file' | 'line' | 'column'>): string {
	if (diagnostic.file === '') return 'revision'
	return diagnostic.line === 0 ? diagnostic.file : `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}`
}
