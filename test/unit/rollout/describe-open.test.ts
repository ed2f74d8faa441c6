import { expect, test } from 'vitest'
import { describeOpen } from '#rollout/describe-open.ts'

test.for([
	[null, ''],
	[{ open: 0, untold: 0 }, ''],
	[{ open: 1, untold: 0 }, '; 1 connection to the canary still open'],
	[{ open: 12, untold: 2 }, '; 12 connections to the canary still open; 2 proxies do not tell of theirs'],
	[{ open: 0, untold: 1 }, '; 1 proxy does not tell of theirs'],
] as const)('%o: %s', ([connections, text]) => {
	expect(describeOpen(connections)).toBe(text)
})
