import { isSameList } from '#base/same-list.ts'
import type { Snapshot, TypeSnapshot } from '#snapshot/snapshot.ts'
import { perType } from './order.ts'

/** A type that did not change keeps its object, so that what was worked out for it holds on. */
export function keepEqualTypes(before: Snapshot, next: Snapshot): Snapshot {
	const types = perType((typeUrl) => {
		const [old, present] = [before.types[typeUrl], next.types[typeUrl]]
		return old === present || (old.version === present.version && namesTheSame(old, present)) ? old : present
	})
	return { version: next.version, types }
}

/** The same bytes may be said to need other resources than before. */
function namesTheSame(old: TypeSnapshot, present: TypeSnapshot): boolean {
	if (old.resources.size !== present.resources.size) return false
	return [...present.resources].every(([name, { references }]) => {
		const before = old.resources.get(name)?.references
		if (before === undefined || before === references) return before === references
		return referredTypes.every((type) => isSameList(before[type], references[type]))
	})
}

const referredTypes = ['clusters', 'routes', 'endpoints', 'secrets'] as const
