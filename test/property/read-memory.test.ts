// A revision that is read with what the reading before has left is read as it would be by itself, whatever came before.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answerOf, type ReadMesh, readingOf } from '#controller/reading-answer.ts'
import type { ReadOutcome } from '#mesh/mesh.ts'
import { createReadMemory } from '#mesh/read-memory.ts'
import { readMesh } from '#mesh/read-mesh.ts'
import { count, seed } from '../depth.ts'
import { arbitraryMesh, filesOfDocuments } from '../fixtures/arbitrary-mesh.ts'

const hostile = [
	'a: [',
	'kind: Nothing',
	'\0',
	'',
	'# nothing\n',
	'__proto__: { polluted: yes }',
	'apiVersion: sluice/v1\nkind: VirtualNode\nmetadata: { mesh: apps, name: web }\nspec: { listeners: 3 }',
	'apiVersion: sluice/v1\nkind: VirtualNode\nmetadata: { mesh: apps, name: web }\nspec: {}',
	'apiVersion: sluice/v1\nkind: VirtualRouter\nmetadata: { mesh: apps, name: added }\nspec: {}',
].map((text) => ({ kind: 'text', bytes: new TextEncoder().encode(text) }) as const)

/** A file of it is one of the mesh drawn first, or what another revision has in its place. */
const edits = fc.array(
	fc.tuple(fc.nat({ max: 30 }), fc.constantFrom(...hostile, { kind: 'other' } as const, { kind: 'gone' } as const)),
	{ maxLength: 3 },
)

/** Of what was drawn, the first most of the time; each revision has it in another mixture. */
const histories = fc
	.tuple(arbitraryMesh(), arbitraryMesh(), fc.array(edits, { minLength: 2, maxLength: 5 }))
	.map(([first, other, revisions]) => {
		const [files, others] = [filesOfDocuments(first), filesOfDocuments(other)]
		return revisions.map((edited) => {
			const revision = new Map(files)
			for (const [index, edit] of edited) {
				const name = `${index}.yaml`
				const bytes = edit.kind === 'text' ? edit.bytes : others.get(name)
				if (edit.kind === 'gone' || bytes === undefined) revision.delete(name)
				else revision.set(name, bytes)
			}
			return revision
		})
	})

/** As it comes out of another thread. */
function handedOver(outcome: ReadOutcome, told: ReadMesh | null, heard: ReadMesh | null): ReadOutcome | null {
	return readingOf(structuredClone(outcome.kind === 'ok' ? answerOf(outcome, told) : outcome), heard)
}

test('what is remembered changes nothing of what is read, nor of what is told', () => {
	const seen = { ok: 0, refused: 0 }
	fc.assert(
		fc.property(histories, (revisions) => {
			const memory = createReadMemory()
			let [told, heard]: [ReadMesh | null, ReadMesh | null] = [null, null]
			for (const files of revisions) {
				const alone = readMesh(files)
				const remembering = readMesh(files, memory)
				const outcome = handedOver(remembering, told, heard)
				// The order in which things stand is part of what is stored.
				const text = JSON.stringify(alone)
				expect([JSON.stringify(remembering), JSON.stringify(outcome)]).toEqual([text, text])
				seen[alone.kind] += 1
				if (remembering.kind === 'ok') told = remembering
				if (outcome?.kind === 'ok') heard = outcome
			}
		}),
		{ numRuns: count(80, 10_000), seed: seed() },
	)
	expect(Object.values(seen).every((times) => times > 10)).toBe(true)
})

test('of a revision in which nothing has changed, nothing is made or told again', () => {
	fc.assert(
		fc.property(arbitraryMesh(), (documents) => {
			const memory = createReadMemory()
			const [first, second] = [documents, documents].map((each) => readMesh(filesOfDocuments(each), memory))
			if (first?.kind !== 'ok' || second?.kind !== 'ok') return
			expect(answerOf(second, first)).toMatchObject({
				resources: { others: {}, gone: [] },
				origins: { others: {}, gone: [] },
			})
		}),
		{ numRuns: count(20, 1_000), seed: seed() },
	)
})

test('who remembers another mesh than was told from is found out', () => {
	const [documents] = fc.sample(arbitraryMesh(), { numRuns: 1, seed: 1 })
	const outcome = readMesh(filesOfDocuments(documents ?? []))
	if (outcome.kind !== 'ok') throw new Error('a drawn mesh is accepted')
	expect(readingOf(answerOf(outcome, outcome), null)).toBeNull()
})
