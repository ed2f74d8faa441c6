// What is wrong between the resources of a mesh is found again only where something that it is about has changed.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findLinks } from '#mesh/known-links.ts'
import type { Mesh, Resource } from '#mesh/mesh.ts'
import { readMesh } from '#mesh/read-mesh.ts'
import { count, seed } from '../depth.ts'
import { arbitraryMesh, filesOfDocuments } from '../fixtures/arbitrary-mesh.ts'

/** Parts of one resource that are taken from another of its kind. */
const edits = fc.array(
	fc.record({
		to: fc.nat({ max: 50 }),
		from: fc.nat({ max: 50 }),
		parts: fc.nat({ max: 255 }),
		weight: fc.nat({ max: 3 }),
	}),
	{ minLength: 1, maxLength: 3 },
)

function edited(
	resources: Mesh['resources'],
	{ to, from, parts, weight }: { to: number; from: number; parts: number; weight: number },
): Mesh['resources'] {
	const all = Object.values(resources)
	const target = all[to % all.length]
	const alike = all.filter(({ kind }) => kind === target?.kind)
	const source = alike[from % Math.max(1, alike.length)]
	if (target === undefined || source === undefined) return resources
	const entries = Object.entries(target.spec).map(([name, value], index) => [
		name,
		(parts >> (index % 8)) & 1 ? (source.spec as unknown as Record<string, unknown>)[name] : value,
	])
	const spec = Object.fromEntries(entries)
	// Of four, one leads to nowhere.
	const elsewhere = weight === 0 ? { virtualNode: 'mesh/apps/virtualNode/nowhere' } : {}
	if (target.kind === 'Route')
		spec.targets = spec.targets.map((one: object) => ({ ...one, ...elsewhere, weight: weight + 1 }))
	return { ...resources, [target.id]: { ...target, spec } as Resource }
}

test('what is found with what was found before is what is found without', () => {
	let kept = 0
	fc.assert(
		fc.property(arbitraryMesh(), edits, (documents, changes) => {
			const read = readMesh(filesOfDocuments(documents))
			if (read.kind !== 'ok') return
			let resources = read.mesh.resources
			let known = findLinks(resources, null)
			for (const change of changes) {
				resources = edited(resources, change)
				const found = findLinks(resources, known)
				expect(found).toEqual(findLinks(resources, null))
				if (found.loose === known.loose) kept += 1
				known = found
			}
		}),
		{ numRuns: count(150, 20_000), seed: seed() },
	)
	expect(kept).toBeGreaterThan(10)
})
