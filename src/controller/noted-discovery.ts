import type { Discovered } from '#discovery/discovered.ts'

// What was found changes somewhere all the time, and each proxy is told of a little of it. What compiling for a group has
// asked for says whether a change concerns the group at all.

/** What was asked, and the answers. It keeps nothing else of what was known then. */
export type Asked = { readonly endpoints: Answers; readonly secrets: Answers }

type Answers = {
	readonly byKey: Map<string, unknown>
	/** `all`: somebody went through everything, and depends on everything. */
	of: 'keys' | 'all'
}

/** The same, and what is asked of it is noted in `asked`. */
export function noteDiscovery({ endpoints, secrets }: Discovered): {
	readonly discovered: Discovered
	readonly asked: Asked
} {
	const asked: Asked = { endpoints: noAnswers(), secrets: noAnswers() }
	const discovered = { endpoints: notedMap(endpoints, asked.endpoints), secrets: notedMap(secrets, asked.secrets) }
	return { discovered, asked }
}

/** Whether everything that was asked would be answered alike. */
export function isAnsweredAlike({ endpoints, secrets }: Asked, later: Discovered): boolean {
	return isAlike(endpoints, later.endpoints) && isAlike(secrets, later.secrets)
}

function noAnswers(): Answers {
	return { byKey: new Map(), of: 'keys' }
}

function isAlike({ byKey, of }: Answers, later: ReadonlyMap<string, unknown>): boolean {
	return of === 'keys' && [...byKey].every(([key, value]) => later.get(key) === value)
}

function notedMap<Value>(inner: ReadonlyMap<string, Value>, answers: Answers): ReadonlyMap<string, Value> {
	const ask = (key: string): Value | undefined => {
		const value = inner.get(key)
		answers.byKey.set(key, value)
		return value
	}
	const all = (): ReadonlyMap<string, Value> => {
		answers.of = 'all'
		return inner
	}
	return {
		get: ask,
		has: (key) => ask(key) !== undefined,
		get size() {
			return all().size
		},
		forEach: (visit) => all().forEach(visit),
		entries: () => all().entries(),
		keys: () => all().keys(),
		values: () => all().values(),
		[Symbol.iterator]: () => all()[Symbol.iterator](),
	}
}
