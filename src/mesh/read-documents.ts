// Files → the resources they declare as people wrote them: size, text, YAML, kind and schema of each document.
import { compareText } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import { checkSchema } from './check-schema.ts'
import type { Finding } from './finding.ts'
import { identifyDocument, idOfBrokenDocument } from './identify-document.ts'
import type { Manifest } from './manifest.generated.ts'
import type { ResourceId } from './mesh.ts'
import { parseYaml } from './parse-yaml.ts'
import type { PlacedFinding } from './place-findings.ts'
import { idOfManifest } from './read-resource.ts'
import { decodeText, type SourceText } from './source-text.ts'
import { offsetAt, type YamlNode } from './yaml-node.ts'

/** A document whose schema holds. */
export type MeshDocument = {
	readonly id: ResourceId
	readonly file: string
	readonly root: YamlNode
	readonly manifest: Manifest
}

/** What the files hold, by path and then by place. */
export type ReadDocuments = {
	readonly documents: readonly MeshDocument[]
	readonly findings: readonly PlacedFinding[]
	readonly sources: ReadonlyMap<string, SourceText>
	/** Ids of documents that are there and wrong: naming them is no mistake. */
	readonly brokenIds: ReadonlySet<ResourceId>
	/** Words of files whose documents could not be read: what they may declare. */
	readonly unreadNames: ReadonlySet<string>
}

/** What one file holds. Nothing of it depends on another file. */
type ReadFile = {
	readonly documents: MeshDocument[]
	readonly findings: PlacedFinding[]
	/** Null: it is no text, or too long. */
	source: SourceText | null
	readonly brokenIds: ResourceId[]
	readonly unreadNames: string[]
	nodes: number
}

/** Files as they were read before, by path. */
export type KnownFiles = Map<string, { readonly bytes: Uint8Array; readonly read: ReadFile }>

/** @param known a file in it that has the same bytes is not read again; afterwards it holds these files and no others */
export function readDocuments(files: ReadonlyMap<string, Uint8Array>, known: KnownFiles): ReadDocuments {
	const reading = {
		documents: [] as MeshDocument[],
		findings: checkRevisionSize(files),
		sources: new Map<string, SourceText>(),
		brokenIds: new Set<ResourceId>(),
		unreadNames: new Set<string>(),
	}
	if (reading.findings.length > 0) return reading
	for (const file of known.keys()) if (!files.has(file)) known.delete(file)
	let nodes = 0
	for (const file of [...files.keys()].sort(compareText)) {
		const read = readOrRecall(file, files.get(file) ?? new Uint8Array(), known)
		for (const document of read.documents) reading.documents.push(document)
		for (const finding of read.findings) reading.findings.push(finding)
		if (read.source !== null) reading.sources.set(file, read.source)
		for (const id of read.brokenIds) reading.brokenIds.add(id)
		for (const name of read.unreadNames) reading.unreadNames.add(name)
		nodes += read.nodes
		if (nodes > limits.revisionNodes) {
			reading.findings.push(
				aboutFile('', 'SL0005', `the revision holds more than ${limits.revisionNodes} values`, null),
			)
			break
		}
	}
	return reading
}

function readOrRecall(file: string, bytes: Uint8Array, known: KnownFiles): ReadFile {
	const before = known.get(file)
	if (before !== undefined && isSame(before.bytes, bytes)) return before.read
	const read = readFile(file, bytes)
	known.set(file, { bytes, read })
	return read
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
	if (left.length !== right.length) return false
	for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false
	return true
}

function checkRevisionSize(files: ReadonlyMap<string, Uint8Array>): PlacedFinding[] {
	const findings: PlacedFinding[] = []
	if (files.size > limits.revisionFiles) {
		const message = `the revision holds ${files.size} files; at most ${limits.revisionFiles} are read`
		findings.push(aboutFile('', 'SL0005', message, null))
	}
	let bytes = 0
	for (const content of files.values()) bytes += content.byteLength
	if (bytes > limits.revisionBytes) {
		const message = `the files of the revision hold ${bytes} bytes; at most ${limits.revisionBytes} are read`
		findings.push(aboutFile('', 'SL0005', message, null))
	}
	return findings
}

function readFile(file: string, bytes: Uint8Array): ReadFile {
	const reading: ReadFile = { documents: [], findings: [], source: null, brokenIds: [], unreadNames: [], nodes: 0 }
	if (bytes.byteLength > limits.fileBytes) {
		const message = `the file holds ${bytes.byteLength} bytes; at most ${limits.fileBytes} are read`
		reading.findings.push(aboutFile(file, 'SL0005', message, 'split it: documents may lie in any number of files'))
		return reading
	}
	const source = decodeText(bytes)
	if ('reason' in source) {
		reading.findings.push(aboutFile(file, 'SL0101', source.reason, source.hint))
		return reading
	}
	reading.source = source
	const { documents, faults, nodes } = parseYaml(source.text)
	reading.nodes = nodes
	if (faults.length > 0) {
		for (const [word] of source.text.matchAll(/[A-Za-z0-9_.-]+/g)) reading.unreadNames.push(word)
	}
	for (const fault of faults) reading.findings.push({ ...fault, severity: 'error', file })
	for (const root of documents) readDocument(reading, file, root)
	return reading
}

function readDocument(reading: ReadFile, file: string, root: YamlNode): void {
	const identified = identifyDocument(root.value)
	if ('finding' in identified) {
		reading.findings.push(placeInDocument(identified.finding, file, root))
		return
	}
	const checked = checkSchema(identified.kind, root.value)
	if (checked.ok) {
		reading.documents.push({ id: idOfManifest(checked.manifest), file, root, manifest: checked.manifest })
		return
	}
	const id = idOfBrokenDocument(identified.kind, root.value)
	if (id !== null) reading.brokenIds.push(id)
	for (const finding of checked.findings) reading.findings.push(placeInDocument(finding, file, root))
}

/** A finding about one document, at its place in the file. */
export function placeInDocument(finding: Finding, file: string, root: YamlNode): PlacedFinding {
	const { code, severity, message, hint, path, at } = finding
	return { code, severity, message, hint, file, offset: offsetAt(root, path, at) }
}

function aboutFile(file: string, code: PlacedFinding['code'], message: string, hint: string | null): PlacedFinding {
	return { code, severity: 'error', message, file, offset: null, hint: () => hint }
}
