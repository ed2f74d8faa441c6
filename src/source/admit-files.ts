import { compareDiagnostics, type Diagnostic } from '#base/diagnostic.ts'
import type { DiagnosticCode } from '#base/diagnostic-codes.ts'
import { limits } from '#base/limits.ts'
import { hasSteering, toShownPath } from './shown-text.ts'

// What both sources ask of a revision before a byte of it is read: kinds, names, sizes and counts.

/** A mesh file as its source lists it; `odd` says in words what is not a plain file inside the source. */
export type ListedFile =
	| { readonly kind: 'plain'; readonly path: string; readonly bytes: number }
	| { readonly kind: 'odd'; readonly path: string; readonly because: string }

/**
 * Whether a path (below the configured one) is mesh YAML: `*.yaml` or `*.yml`, with no hidden file or folder on the
 * way. `.github/workflows/ci.yml` is none, and neither is what a mounted ConfigMap keeps under `..data`.
 */
export function isMeshPath(path: string): boolean {
	return /\.ya?ml$/.test(path) && !path.split('/').some((segment) => segment.startsWith('.'))
}

/** Everything that keeps these files from being a revision: SL0005 and SL0006, sorted, at most 20 named and the rest counted. */
export function findRefusals(files: readonly ListedFile[]): readonly Diagnostic[] {
	const findings = files.flatMap(findFileRefusal).sort(compareDiagnostics)
	const totalBytes = files.reduce((sum, file) => sum + (file.kind === 'plain' ? file.bytes : 0), 0)
	const whole: Diagnostic[] = []
	if (files.length > limits.revisionFiles) {
		whole.push(describeRefusal('SL0005', '', `${files.length} mesh files; ${limits.revisionFiles} are accepted`))
	}
	if (totalBytes > limits.revisionBytes) {
		const message = `${totalBytes} bytes of mesh YAML; ${limits.revisionBytes} are accepted`
		whole.push(describeRefusal('SL0005', '', message))
	}
	const unnamed = findings.length - limits.refusalFindings
	if (unnamed > 0) whole.push(describeRefusal('SL0006', '', `${unnamed} more files are not accepted`))
	return [...whole, ...findings.slice(0, limits.refusalFindings)]
}

function findFileRefusal(file: ListedFile): readonly Diagnostic[] {
	if (file.kind === 'odd') return [describeRefusal('SL0006', file.path, `${toShownPath(file.path)} ${file.because}`)]
	const oddity = findNameOddity(file.path)
	if (oddity !== null) return [describeRefusal('SL0006', file.path, `the name ${oddity}`, 'rename the file')]
	if (file.bytes <= limits.fileBytes) return []
	const message = `${file.bytes} bytes; a file may have ${limits.fileBytes}`
	return [describeRefusal('SL0005', file.path, message, 'split it: any number of files is read')]
}

/** Names that read differently on another machine, or to another person. */
function findNameOddity(path: string): string | null {
	if (path.includes('\ufffd')) return 'is not UTF-8'
	if (hasSteering(path)) return 'holds a control character'
	if (path.includes('\\')) return 'holds a backslash'
	if (path.normalize('NFC') !== path) return 'is not in Unicode normal form C'
	if (path.length > limits.pathCharacters) return `is longer than ${limits.pathCharacters} characters`
	return null
}

/** A finding about a source as a whole (`file` empty) or one of its files: without line, column and frame. */
export function describeRefusal(
	code: DiagnosticCode,
	file: string,
	message: string,
	hint: string | null = null,
): Diagnostic {
	return { code, severity: 'error', message, file: toShownPath(file), line: 0, column: 0, hint, frame: [] }
}
