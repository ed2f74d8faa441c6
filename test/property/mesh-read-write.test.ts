// A mesh can be written and read again without a change, and does not depend on how its documents lie in files. The
// meshes are drawn over all kinds and fields; that they are is a test of its own.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readMesh } from '#mesh/read-mesh.ts'
import { writeDocuments } from '#mesh/write-documents.ts'
import { writeMesh } from '#mesh/write-mesh.ts'
import { count, seed } from '../depth.ts'
import { arbitraryMesh, type DrawnDocument, filesOfDocuments } from '../fixtures/arbitrary-mesh.ts'

const runs = { numRuns: count(300, 20_000), seed: seed() }

test('a drawn mesh is accepted', () => {
	fc.assert(
		fc.property(arbitraryMesh(), (documents) => {
			const outcome = readMesh(filesOfDocuments(documents))
			expect(outcome.kind === 'ok' ? [] : outcome.diagnostics.filter(({ severity }) => severity === 'error')).toEqual(
				[],
			)
		}),
		runs,
	)
})

test('what is written reads as the same mesh', () => {
	fc.assert(
		fc.property(arbitraryMesh(), (documents) => {
			const first = readMesh(filesOfDocuments(documents))
			fc.pre(first.kind === 'ok')
			const text = writeDocuments(writeMesh(first.mesh))
			const second = readMesh(new Map([['written.yaml', new TextEncoder().encode(text)]]))
			expect(second.kind === 'ok' ? second.mesh : second.diagnostics).toEqual(first.mesh)
		}),
		runs,
	)
})

test('the order of documents and files changes neither the mesh nor what is found', () => {
	const meshes = arbitraryMesh().chain((documents) =>
		fc.tuple(fc.constant(documents), fc.shuffledSubarray([...documents], { minLength: documents.length })),
	)
	fc.assert(
		fc.property(meshes, ([documents, shuffled]) => {
			const [first, second] = [documents, shuffled].map((each) => readMesh(filesOfDocuments(each)))
			const codes = (outcome: typeof first) =>
				(outcome?.kind === 'ok' ? outcome.warnings : (outcome?.diagnostics ?? [])).map(
					({ code, message }) => `${code} ${message}`,
				)
			expect(second?.kind === 'ok' ? second.mesh : null).toEqual(first?.kind === 'ok' ? first.mesh : null)
			expect(codes(second).sort()).toEqual(codes(first).sort())
		}),
		runs,
	)
})

type Schema = { $ref?: string; properties?: Record<string, Schema>; items?: Schema; $defs?: Record<string, Schema> }

/** Every field that a schema knows below `spec`, by its path without indexes. */
function fieldsOf(kind: string): string[] {
	const file = `${kind.replace(/(?<=[a-z])([A-Z])/g, '-$1').toLowerCase()}.schema.json`
	const root: Schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../schemas', file), 'utf8'))
	const walk = (part: Schema, path: string): string[] => {
		const named = part.$ref === undefined ? part : (root.$defs?.[part.$ref.replace('#/$defs/', '')] ?? {})
		const inner = Object.entries(named.properties ?? {}).flatMap(([name, field]) => [
			`${path}.${name}`,
			...walk(field, `${path}.${name}`),
		])
		return named.items === undefined ? inner : [...inner, ...walk(named.items, path)]
	}
	return walk(root.properties?.spec ?? {}, kind)
}

function fieldsIn(value: unknown, path: string): string[] {
	if (Array.isArray(value)) return value.flatMap((each) => fieldsIn(each, path))
	if (value === null || typeof value !== 'object') return []
	return Object.entries(value).flatMap(([name, field]) => [`${path}.${name}`, ...fieldsIn(field, `${path}.${name}`)])
}

test('every field of every kind is drawn', () => {
	const seen = new Set<string>()
	const collect = ({ kind, spec }: DrawnDocument) => {
		for (const field of fieldsIn(spec, kind)) seen.add(field)
	}
	for (const documents of fc.sample(arbitraryMesh(), { numRuns: 1000, seed: seed() })) documents.forEach(collect)
	const kinds = ['Mesh', 'VirtualNode', 'VirtualService', 'VirtualRouter', 'Route', 'VirtualGateway', 'GatewayRoute']
	const missing = [...kinds, 'RolloutPolicy'].flatMap(fieldsOf).filter((field) => !seen.has(field))
	expect(missing).toEqual([])
})
