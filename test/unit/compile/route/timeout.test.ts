import { expect, test } from 'vitest'
import { longestTimeout } from '#compile/route/timeout.ts'

const none = { perRequestMs: null, idleMs: null }

test.for([
	{ given: [none], longest: { perRequestMs: 15_000, idleMs: null } },
	{ given: [none, { perRequestMs: 1_000, idleMs: 1_000 }], longest: { perRequestMs: 15_000, idleMs: null } },
	{ given: [{ perRequestMs: 1_000, idleMs: 1_000 }], longest: { perRequestMs: 1_000, idleMs: 1_000 } },
	{ given: [none, { perRequestMs: 60_000, idleMs: 900_000 }], longest: { perRequestMs: 60_000, idleMs: 900_000 } },
	{
		given: [
			{ perRequestMs: 60_000, idleMs: 0 },
			{ perRequestMs: 0, idleMs: 900_000 },
		],
		longest: { perRequestMs: 0, idleMs: 0 },
	},
])('$given → $longest', ({ given, longest }) => {
	expect(longestTimeout(given)).toEqual(longest)
})

test('there is none before nothing', () => {
	expect(longestTimeout([])).toBeNull()
})
