import type { Clock } from './clock.ts'
import { limits } from './limits.ts'
import type { Log, LogFields } from './log.ts'

// Log lines that somebody outside can cause as often as he likes. The first about a subject is told at once; of those that
// follow, once a minute, how many they were. A minute without one, and the next is a first one again.

export type RepeatedLog = {
	/** `subject`: who does what, so far as it is the same each time; without the port of a connection. */
	tell(line: RepeatedLine, subject: readonly (string | null)[]): void
}

export type RepeatedLine = {
	readonly level: 'info' | 'warn'
	readonly event: string
	readonly fields: LogFields
}

/** Beside the fields of the newest, later lines have `again`; where there are too many subjects, `others` alone. */
export function createRepeatedLog({ clock, log }: { readonly clock: Clock; readonly log: Log }): RepeatedLog {
	const told = new Map<string, { line: RepeatedLine; again: number }>()
	const others = new Map<string, { line: RepeatedLine; count: number }>()
	let isDue = false

	function write({ level, event }: RepeatedLine, fields: LogFields): void {
		log[level](event, fields)
	}

	function setDue(): void {
		isDue = true
		clock.setTimer(limits.repeatedLogMs, tellAgain)
	}

	function tellAgain(): void {
		for (const [subject, { line, again }] of told) {
			if (again === 0) told.delete(subject)
			else {
				write(line, { ...line.fields, again })
				told.set(subject, { line, again: 0 })
			}
		}
		for (const { line, count } of others.values()) write(line, { others: count })
		others.clear()
		isDue = false
		if (told.size > 0) setDue()
	}

	return {
		tell(line, subject) {
			if (!isDue) setDue()
			const key = JSON.stringify([line.event, ...subject])
			const known = told.get(key)
			if (known !== undefined) {
				known.line = line
				known.again += 1
			} else if (told.size < limits.repeatedLogSubjects) {
				told.set(key, { line, again: 0 })
				write(line, line.fields)
			} else {
				const count = (others.get(line.event)?.count ?? 0) + 1
				others.set(line.event, { line, count })
			}
		},
	}
}
