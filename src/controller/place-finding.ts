import type { Diagnostic } from '#base/diagnostic.ts'
import type { DiagnosticCode } from '#base/diagnostic-codes.ts'
import type { Origins, ResourceId } from '#mesh/mesh.ts'
import { decodeText, frameAround } from '#mesh/source-text.ts'

/** What is wrong with a document in itself right, and where in it. */
export type PlacedFinding = {
	readonly code: DiagnosticCode
	readonly id: ResourceId
	/** JSON pointer into its document. */
	readonly pointer: string
	readonly message: string
	readonly hint: string | null
}

/** An error where the document is written, or at its beginning when the place itself has no line. */
export function placeFinding(
	{ code, id, pointer, message, hint }: PlacedFinding,
	{ origins, files }: { readonly origins: Origins; readonly files: ReadonlyMap<string, Uint8Array> },
): Diagnostic {
	const places = origins[id] ?? {}
	const { file = '', line = 0, column = 0 } = places[pointer] ?? places[''] ?? {}
	const text = decodeText(files.get(file) ?? new Uint8Array())
	const frame = 'text' in text && line > 0 ? frameAround(text, line) : []
	return { code, severity: 'error', message, file, line, column, hint, frame }
}
