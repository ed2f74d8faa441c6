// What a worker says of a revision that it has read. Most of a mesh is as it was in the revision before: to hand it over
// would cost more than to read what has changed.
import { compareText, type Diagnostic } from '#base/diagnostic.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { deepFreeze } from '#mesh/deep-freeze.ts'
import type { Expectation, Origins, ReadOutcome, Resource, ResourceId } from '#mesh/mesh.ts'

export type ReadMesh = Extract<ReadOutcome, { kind: 'ok' }>

export type ReadingAnswer =
	| Extract<ReadOutcome, { kind: 'refused' }>
	| {
			readonly kind: 'ok'
			/** Of the whole mesh. */
			readonly hash: string
			readonly resources: Difference<Resource>
			readonly origins: Difference<Origins[ResourceId]>
			readonly expectations: readonly Expectation[]
			readonly warnings: readonly Diagnostic[]
	  }

type ById<Value> = Readonly<Record<ResourceId, Value>>
/** `others`: what is new, or not the same object as before. */
type Difference<Value> = { readonly others: ById<Value>; readonly gone: readonly ResourceId[] }

/** @param before what the worker has told before; null: nothing, or what it told is not remembered */
export function answerOf(after: ReadMesh, before: ReadMesh | null): ReadingAnswer {
	return {
		kind: 'ok',
		hash: after.mesh.hash,
		resources: differenceBetween(before?.mesh.resources ?? {}, after.mesh.resources),
		origins: differenceBetween(before?.origins ?? {}, after.origins),
		expectations: after.expectations,
		warnings: after.warnings,
	}
}

/** What was read, frozen; null when that is not the mesh which was meant: one of both remembers something else. */
export function readingOf(answer: ReadingAnswer, before: ReadMesh | null): ReadOutcome | null {
	if (answer.kind === 'refused') return answer
	const { hash, resources, origins, expectations, warnings } = answer
	const mesh = composeMesh(withDifference(before?.mesh.resources ?? {}, resources))
	if (mesh.hash !== hash) return null
	return {
		kind: 'ok',
		mesh,
		origins: Object.freeze(withDifference(before?.origins ?? {}, { ...origins, others: deepFreeze(origins.others) })),
		expectations,
		warnings,
	}
}

function differenceBetween<Value>(before: ById<Value>, after: ById<Value>): Difference<Value> {
	const others = idsOf(after).filter((id) => before[id] !== after[id])
	return {
		others: Object.fromEntries(others.map((id) => [id, after[id] as Value])),
		gone: idsOf(before).filter((id) => after[id] === undefined),
	}
}

/** @param before sorted by id, as what comes of it */
function withDifference<Value>(before: ById<Value>, { others, gone }: Difference<Value>): ById<Value> {
	const isGone = new Set(gone)
	const added = idsOf(others).filter((id) => !Object.hasOwn(before, id))
	const ids = added.length === 0 ? idsOf(before) : [...idsOf(before), ...added].sort(compareText)
	const all: Record<ResourceId, Value> = {}
	for (const id of ids) if (!isGone.has(id)) all[id] = others[id] ?? (before[id] as Value)
	return all
}

function idsOf(values: ById<unknown>): ResourceId[] {
	return Object.keys(values) as ResourceId[]
}
