import { dump } from 'js-yaml'
import type { WrittenDocument } from './write-mesh.ts'

/** YAML that reads as these documents: one after the other, in their order. */
export function writeDocuments(documents: readonly WrittenDocument[]): string {
	return documents.map((document) => dump(document, { lineWidth: 120, noRefs: true })).join('---\n')
}
