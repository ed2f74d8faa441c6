import { expect, test } from 'vitest'
import { checkRetryPolicy, readRetryPolicy } from '../../../../src/mesh/kind/retry-policy.ts'

const perRetryTimeout = { unit: 's' as const, value: 2 }

test('events come out sorted, each once', () => {
	const policy = {
		maxRetries: 1,
		perRetryTimeout,
		httpRetryEvents: ['stream-error' as const, 'client-error' as const, 'stream-error' as const],
		grpcRetryEvents: ['unavailable' as const, 'cancelled' as const],
	}
	expect(readRetryPolicy(policy)).toEqual({
		maxRetries: 1,
		perRetryTimeoutMs: 2000,
		httpRetryEvents: ['client-error', 'stream-error'],
		tcpRetryEvents: [],
		grpcRetryEvents: ['cancelled', 'unavailable'],
	})
	expect(readRetryPolicy(undefined)).toBeNull()
})

test('a policy that retries nothing is warned of, unless it says so', () => {
	const codes = (maxRetries: number) =>
		checkRetryPolicy(['spec'], { maxRetries, perRetryTimeout }).map(({ code }) => code)
	expect([codes(0), codes(1)]).toEqual([[], ['SL0243']])
})
