// Findings with an offset in a file → diagnostics with line, column and source lines: sorted, and no more than a person
// can use.

import { compareDiagnostics, compareText, type Diagnostic, type Severity } from '#base/diagnostic.ts'
import type { DiagnosticCode } from '#base/diagnostic-codes.ts'
import { limits } from '#base/limits.ts'
import { frameAround, placeAt, type SourceText } from './source-text.ts'

export type PlacedFinding = {
	readonly code: DiagnosticCode
	readonly severity: Severity
	readonly message: string
	/** Empty: about the revision as a whole. */
	readonly file: string
	/** null: about the file as a whole. */
	readonly offset: number | null
	readonly hint: () => string | null
}

/**
 * All findings as diagnostics, in their order; above `limits.diagnostics` the errors come before the warnings, the rest
 * is counted in one last error.
 */
export function placeFindings(
	findings: readonly PlacedFinding[],
	sources: ReadonlyMap<string, SourceText>,
): readonly Diagnostic[] {
	const bySeverity = Map.groupBy([...findings].sort(comparePlaced), (finding) => finding.severity)
	const ranked = [...(bySeverity.get('error') ?? []), ...(bySeverity.get('warning') ?? [])]
	const shown = ranked.slice(0, limits.diagnostics).map((finding) => placeFinding(finding, sources.get(finding.file)))
	const hidden = ranked.slice(limits.diagnostics)
	const sorted = shown.sort(compareDiagnostics)
	const [first] = hidden
	return first === undefined ? sorted : [...sorted, countHidden(hidden.length, first.severity)]
}

function placeFinding(finding: PlacedFinding, source: SourceText | undefined): Diagnostic {
	const { code, severity, message, file, offset } = finding
	const known = offset === null || source === undefined ? null : placeAt(source, offset)
	const frame = known === null || source === undefined ? [] : frameAround(source, known.line)
	return {
		code,
		severity,
		message,
		file,
		line: known?.line ?? 0,
		column: known?.column ?? 0,
		hint: finding.hint(),
		frame,
	}
}

function countHidden(count: number, severity: Severity): Diagnostic {
	const message = `${count} more findings are not shown: only the first ${limits.diagnostics} are`
	return { code: 'SL0005', severity, message, file: '', line: 0, column: 0, hint: null, frame: [] }
}

function comparePlaced(left: PlacedFinding, right: PlacedFinding): number {
	return (
		compareText(left.file, right.file) ||
		(left.offset ?? -1) - (right.offset ?? -1) ||
		compareText(left.code, right.code) ||
		compareText(left.message, right.message)
	)
}
