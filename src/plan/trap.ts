import type { DiagnosticCode } from '#base/diagnostic-codes.ts'
import type { ResourceId } from '#mesh/mesh.ts'

/** A change that breaks traffic whichever end takes it up first, since no two proxies change in the same instant. */
export type Trap = {
	readonly code: DiagnosticCode
	/** Where it is written. */
	readonly resource: ResourceId
	/** JSON pointers into its document, the most exact first: the first that is there is meant. */
	readonly pointers: readonly string[]
	/** What changes. */
	readonly what: string
	/** Who sends traffic this way, by name. */
	readonly callers: readonly string[]
	/** Why that breaks. */
	readonly why: string
	/** The same in commits of their own. */
	readonly way: string
}

/** One trap for all callers that are caught in it, in the order of code and resource. */
export function joinCallers(traps: readonly Trap[]): Trap[] {
	const alike = Map.groupBy(traps, ({ code, resource, what }) => JSON.stringify([code, resource, what]))
	return [...alike]
		.sort(([left], [right]) => (left < right ? -1 : 1))
		.flatMap(([, group]) => {
			const [first] = group
			const callers = [...new Set(group.flatMap((trap) => trap.callers))].sort()
			return first === undefined ? [] : [{ ...first, callers }]
		})
}
