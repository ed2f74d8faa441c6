import { expect, test } from 'vitest'
import { describeFront } from '#rollout/describe-front.ts'

test('any of the matches, all of its conditions', () => {
	const exact = { name: 'x-tester', invert: false, match: { kind: 'exact', value: 'yes' } } as const
	const absent = { name: 'x-bot', invert: true, match: { kind: 'present' } } as const
	const range = { name: 'x-group', invert: true, match: { kind: 'range', start: 1, end: 5 } } as const
	const text = describeFront([
		{ kind: 'http', headers: [exact, absent], queryParameters: [{ name: 'beta', exact: null }] },
		{ kind: 'http', headers: [], queryParameters: [{ name: 'v', exact: '2' }] },
		{ kind: 'grpc', metadata: [range] },
	])
	expect(text).toBe(
		'header x-tester exactly "yes" and no header x-bot and query parameter beta, or query parameter v exactly "2", or metadata x-group not from 1 to below 5',
	)
})
