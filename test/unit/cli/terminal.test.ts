import { expect, test } from 'vitest'
import { wantsColor } from '#cli/terminal.ts'

test.for([
	[{}, true, true],
	[{}, false, false],
	[{}, undefined, false],
	[{ NO_COLOR: '1' }, true, false],
	[{ NO_COLOR: '' }, true, true],
	[{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
	[{ FORCE_COLOR: '1' }, false, true],
	[{ FORCE_COLOR: '0' }, true, false],
	[{ TERM: 'dumb' }, true, false],
] as const)('%j on a terminal: %s', ([environment, isTty, expected]) => {
	expect(wantsColor(environment, isTty)).toBe(expected)
})
