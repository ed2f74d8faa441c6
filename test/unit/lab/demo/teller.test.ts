import { expect, test } from 'vitest'
import { createTeller, formatElapsed } from '#lab/demo/teller.ts'
import { createManualClock } from '../../../fakes/manual-clock.ts'

test('each line has the time since the start, in a plain palette without escapes', () => {
	const clock = createManualClock()
	const lines: string[] = []
	const teller = createTeller({ clock, palette: 'plain', say: (line) => lines.push(line) })
	teller.title('Title')
	clock.advance(1500)
	teller.tell('first\nsecond')
	clock.advance(100_000)
	teller.good('holds')
	clock.advance(250)
	expect(teller.quietMs()).toBe(250)
	teller.bad('does not')
	expect(lines).toEqual(['Title', '   1.5 s   first', '            second', ' 101.5 s ✓ holds', ' 101.8 s ✗ does not'])
})

test('colours are escapes around the same text', () => {
	const lines: string[] = []
	const teller = createTeller({ clock: createManualClock(), palette: 'colour', say: (line) => lines.push(line) })
	teller.bad('does not')
	// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what is looked for.
	expect(lines[0]).toMatch(/\u001b\[31m/)
})

test('the seconds keep their width', () => {
	expect(['   0.0 s', '  59.9 s', ' 600.0 s']).toEqual([0, 59_940, 600_000].map(formatElapsed))
})
