/** A programmer's mistake: the daemon stops and starts again from its store. Never thrown for bad input. */
export class AssertionError extends Error {
	override name = 'AssertionError'
}

/** Throws an AssertionError when `condition` does not hold; `message` says what must always be true. */
export function assert(condition: unknown, message: string): asserts condition {
	if (!condition) throw new AssertionError(message)
}

/** The `default` of a switch over a union: a compile error while a case is missing, an AssertionError at run time. */
export function unreachable(value: never): never {
	throw new AssertionError(`unreachable case: ${JSON.stringify(value)}`)
}
