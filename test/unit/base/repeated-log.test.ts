import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import type { LogFields } from '#base/log.ts'
import { createRepeatedLog } from '#base/repeated-log.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'

function setUp() {
	const clock = createManualClock()
	const lines: [string, string, LogFields][] = []
	const write =
		(level: string) =>
		(event: string, fields: LogFields = {}) =>
			void lines.push([level, event, fields])
	const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
	const repeated = createRepeatedLog({ clock, log })
	function refuse(who: string, port = 1) {
		repeated.tell({ level: 'warn', event: 'refused', fields: { who, port } }, [who])
	}
	return { clock, lines, refuse }
}

test('the first is told at once, and those that follow as a number, once a minute', () => {
	const { clock, lines, refuse } = setUp()
	for (let port = 0; port < 240; port += 1) {
		refuse('a', port)
		if (port === 3) refuse('b')
		clock.advance(500)
	}
	expect(lines).toEqual([
		['warn', 'refused', { who: 'a', port: 0 }],
		['warn', 'refused', { who: 'b', port: 1 }],
		['warn', 'refused', { who: 'a', port: 119, again: 119 }],
		['warn', 'refused', { who: 'a', port: 239, again: 120 }],
	])
})

test('after a minute without one the next is a first one, and nothing waits any more', () => {
	const { clock, lines, refuse } = setUp()
	refuse('a')
	clock.advance(limits.repeatedLogMs)
	expect(clock.pendingMs()).toEqual([])
	refuse('a', 2)
	expect(lines.map(([, , fields]) => fields)).toEqual([
		{ who: 'a', port: 1 },
		{ who: 'a', port: 2 },
	])
})

test('who comes under ever new names fills neither log nor memory', () => {
	const { clock, lines, refuse } = setUp()
	for (let name = 0; name < 10_000; name += 1) refuse(`n${name}`)
	expect(lines).toHaveLength(limits.repeatedLogSubjects)
	clock.advance(limits.repeatedLogMs)
	expect(lines.at(-1)).toEqual(['warn', 'refused', { others: 10_000 - limits.repeatedLogSubjects }])
	expect(lines).toHaveLength(limits.repeatedLogSubjects + 1)
})
