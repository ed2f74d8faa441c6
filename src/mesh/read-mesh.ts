// Stage 2: the files of a revision → the mesh they mean, or everything that is wrong with them, at once.
// Pure and bounded, whatever the files hold; it does not fetch them, and does not know what is applied.

import { compareText } from '#base/diagnostic.ts'
import { nearestName } from '#base/nearest-name.ts'
import { composeMesh } from './compose-mesh.ts'
import type { Declared } from './declared.ts'
import { deepFreeze } from './deep-freeze.ts'
import { checkExpectation, readExpectation } from './expectation.ts'
import { findBrokenExpectations } from './expectation-links.ts'
import { errorAt, pathToPointer } from './finding.ts'
import { findLinks } from './known-links.ts'
import { findBrokenLinks } from './link.ts'
import { lastName } from './link-finding.ts'
import { linkPath } from './link-path.ts'
import type { Expectation, Origin, Origins, ReadOutcome, Resource, ResourceId } from './mesh.ts'
import { type PlacedFinding, placeFindings } from './place-findings.ts'
import { type MeshDocument, placeInDocument, type ReadDocuments, readDocuments } from './read-documents.ts'
import { createReadMemory, type KnownResource, type Look, type ReadMemory } from './read-memory.ts'
import { checkResource, type ResourceManifest, readResource } from './read-resource.ts'
import { placeAt, type SourceText } from './source-text.ts'
import { offsetOfEntry, type YamlNode } from './yaml-node.ts'

/**
 * Reads the files of a revision (path → bytes; YAML, any number of documents a file, any layout). The outcome depends
 * on content alone: neither the order of files nor of documents changes the mesh. Refused are also files without a
 * single resource.
 * @param memory what the reading before left: the outcome is the same with it, and what did not change is the same object
 */
export function readMesh(files: ReadonlyMap<string, Uint8Array>, memory: ReadMemory = createReadMemory()): ReadOutcome {
	const read = readDocuments(files, memory.files)
	const findings: PlacedFinding[] = [...read.findings]
	const documents = refuseRepeated(read.documents, read.sources, findings)
	const resources = readResources(documents, findings, memory)
	const expectations = readExpectations(documents, findings)
	findings.push(...findWrongLinks({ resources, documents, read }, memory))
	findings.push(...findWrongExpectations(expectations, { resources, documents, read }))
	if (findings.length === 0 && documents.size === 0) findings.push(nothingToRead)

	const diagnostics = placeFindings(findings, read.sources)
	if (findings.some((finding) => finding.severity === 'error')) return { kind: 'refused', diagnostics }
	return {
		kind: 'ok',
		mesh: composeMesh(resources),
		origins: originsOf(documents, read.sources, memory),
		expectations: deepFreeze(expectations),
		warnings: diagnostics,
	}
}

const nothingToRead: PlacedFinding = {
	code: 'SL0003',
	severity: 'error',
	message: 'the files declare no resource',
	file: '',
	offset: null,
	hint: () => 'a mesh begins with a document of the kind Mesh: apiVersion: sluice/v1, kind: Mesh, metadata: {name: …}',
}

type Documents = ReadonlyMap<ResourceId, MeshDocument>

/** The documents by id. A later one with the id of an earlier one is refused. */
function refuseRepeated(
	documents: readonly MeshDocument[],
	sources: ReadonlyMap<string, SourceText>,
	findings: PlacedFinding[],
): Documents {
	const byId = new Map<ResourceId, MeshDocument>()
	for (const document of documents) {
		const first = byId.get(document.id)
		if (first === undefined) {
			byId.set(document.id, document)
			continue
		}
		const { line } = placeOf(first.root.start, sources.get(first.file))
		const message = `the ${document.manifest.kind} "${lastName(document.id)}" is declared twice`
		const finding = errorAt(['metadata', 'name'], 'SL0302', message, `the first one is at ${first.file}:${line}`)
		findings.push(placeInDocument(finding, document.file, document.root))
	}
	return byId
}

/** Routes last: they need the nodes, routers and gateways of the revision. */
function readResources(
	documents: Documents,
	findings: PlacedFinding[],
	memory: ReadMemory,
): Record<ResourceId, Resource> {
	const resources = new Map<ResourceId, Resource>()
	const isRoute = ({ manifest }: MeshDocument) => manifest.kind === 'Route' || manifest.kind === 'GatewayRoute'
	const [others, routes] = [
		[...documents.values()].filter((each) => !isRoute(each)),
		[...documents.values()].filter(isRoute),
	]
	for (const document of [...others, ...routes]) {
		if (document.manifest.kind === 'Expectation') continue
		const known = memory.resources.get(document.manifest)
		const made = known?.looks.every(({ id, found }) => resources.get(id) === found)
			? known
			: readOne(document.manifest, document, resources)
		memory.resources.set(document.manifest, made)
		for (const finding of made.findings) findings.push(finding)
		resources.set(document.id, made.resource)
	}
	return Object.fromEntries(resources)
}

function readOne(manifest: ResourceManifest, { file, root }: MeshDocument, declared: Declared): KnownResource {
	const looks: Look[] = []
	const noted: Declared = {
		get(id) {
			const found = declared.get(id)
			looks.push({ id, found })
			return found
		},
	}
	const findings = checkResource(manifest, noted).map((finding) => placeInDocument(finding, file, root))
	return { resource: readResource(manifest, noted), findings, looks }
}

/** Sorted by id. */
function readExpectations(documents: Documents, findings: PlacedFinding[]): Expectation[] {
	const expectations: Expectation[] = []
	for (const { file, root, manifest } of documents.values()) {
		if (manifest.kind !== 'Expectation') continue
		for (const finding of checkExpectation(manifest)) findings.push(placeInDocument(finding, file, root))
		expectations.push(readExpectation(manifest))
	}
	return expectations.sort((left, right) => compareText(left.id, right.id))
}

type Known = {
	readonly resources: Readonly<Record<ResourceId, Resource>>
	readonly documents: Documents
	readonly read: ReadDocuments
}

/** Names in expectations that stand for nothing, unless what they name could not be read. */
function findWrongExpectations(expectations: readonly Expectation[], { resources, documents, read }: Known) {
	const isUnread = unreadIn(read)
	const broken = new Set([...read.brokenIds].map(lastName))
	return findBrokenExpectations(expectations, resources)
		.filter(({ name }) => !broken.has(name) && !isUnread(name))
		.flatMap(({ expectation, finding }) => {
			const document = documents.get(expectation)
			return document === undefined ? [] : [placeInDocument(finding, document.file, document.root)]
		})
}

/** Whether something of this name may be declared where it could not be read. */
function unreadIn(read: ReadDocuments): (name: string) => boolean {
	// A file that was not read at all may declare anything.
	const unknownFile = read.findings.some((finding) => finding.offset === null)
	return (name) => unknownFile || read.unreadNames.has(name)
}

/** Links that are broken, and loose ones; none that may only look so because what they name could not be read. */
function findWrongLinks({ resources, documents, read }: Known, memory: ReadMemory): readonly PlacedFinding[] {
	// Of a mesh that is read, and of no mixture, there is more to say.
	const found = read.findings.length === 0 ? findLinks(resources, memory.links) : null
	memory.links = found ?? memory.links
	const isUnread = unreadIn(read)
	const mayExist = (id: ResourceId) => read.brokenIds.has(id) || isUnread(lastName(id))
	const broken = found?.broken ?? findBrokenLinks(resources)
	return [
		...broken.map((link) => ({ ...link, severity: 'error' as const })),
		...(found?.loose ?? []).map((link) => ({ ...link, severity: 'warning' as const })),
	]
		.filter((link) => link.missing === null || !mayExist(link.missing))
		.flatMap((link) => {
			const document = documents.get(link.resource)
			if (document === undefined) return []
			const path = linkPath(document.manifest, link.place)
			const hint = () => (link.missing === null ? null : hintFor(link.missing, documents))
			const { code, severity, message } = link
			return [placeInDocument({ code, severity, message, path, at: 'value', hint }, document.file, document.root)]
		})
}

/** The nearest declared name of the same kind and mesh. */
function hintFor(missing: ResourceId, documents: Documents): string | null {
	const name = lastName(missing)
	const parent = missing.slice(0, missing.length - name.length)
	const names = [...documents.keys()].filter((id) => id === parent + lastName(id)).map(lastName)
	const nearest = nearestName(name, names)
	if (nearest !== null) return `did you mean "${nearest}"?`
	if (parent === 'mesh/') return `add a document: apiVersion: sluice/v1, kind: Mesh, metadata: {name: ${name}}`
	if (names.length === 0 || names.length > 8) return null
	return `declared are ${names.map((known) => `"${known}"`).join(', ')}`
}

/** Sorted by id. */
function originsOf(documents: Documents, sources: ReadonlyMap<string, SourceText>, { places }: ReadMemory): Origins {
	const sorted = [...documents].sort(([left], [right]) => compareText(left, right))
	const origins = sorted.map(([id, { file, root }]) => {
		const made = places.get(root) ?? placesOf(root, file, sources.get(file))
		places.set(root, made)
		return [id, made] as const
	})
	return Object.fromEntries(origins)
}

function placesOf(root: YamlNode, file: string, source: SourceText | undefined): Readonly<Record<string, Origin>> {
	const places: Record<string, Origin> = { '': { file, ...placeOf(root.start, source) } }
	collectPlaces(root, '', (pointer, offset) => {
		places[pointer] = { file, ...placeOf(offset, source) }
	})
	return places
}

function collectPlaces(node: YamlNode, pointer: string, add: (pointer: string, offset: number) => void): void {
	for (const [token, entry] of node.children) {
		const inner = pointer + pathToPointer([token])
		add(inner, offsetOfEntry(entry))
		collectPlaces(entry.node, inner, add)
	}
}

function placeOf(offset: number, source: SourceText | undefined): { readonly line: number; readonly column: number } {
	return source === undefined ? { line: 0, column: 0 } : placeAt(source, offset)
}
