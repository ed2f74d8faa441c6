import { describe, expect, test } from 'vitest'
import { describeAlarm, describeEvidence, formatAbout } from '#guard/evidence-text.ts'
import type { Counts, EvidenceNumbers } from '#guard/look.ts'

const numbers: EvidenceNumbers = {
	target: 'v2',
	metric: 'final',
	edgeMs: null,
	endpoints: 0,
	canary: { requests: 830, errors: 12 },
	baseline: { requests: 15_800, errors: 9 },
	evidence: 41.9,
	needed: 100,
	phi: { value: 3, source: 'default' },
}

describe('evidence', () => {
	test('is told with both arms and what is needed', () => {
		const text = 'canary 12/830 errors (1.4 %) against baseline 9/15,800 (0.06 %); evidence 41 of 100 needed'
		expect(describeEvidence(numbers)).toBe(text)
	})

	test('names attempts, and what has no requests', () => {
		const nothing: Counts = { requests: 0, errors: 0 }
		expect(
			describeEvidence({ ...numbers, metric: 'attempts', canary: nothing, baseline: nothing, evidence: 0.26 }),
		).toBe('canary 0/0 failed attempts against no baseline; evidence 0.2 of 100 needed')
	})

	test.for([
		[99.99, 'evidence 99 of 100'],
		[1234.5, 'evidence 1,234 of 100'],
		[2.7e43, 'evidence more than 1,000,000 of 100'],
	] as const)('%f is rounded down', ([evidence, text]) => {
		expect(describeEvidence({ ...numbers, evidence })).toContain(text)
	})

	test.for([
		[0, 10, '(0 %)'],
		[10, 10, '(100 %)'],
		[1, 1_000_000, '(< 0.01 %)'],
		[999_999, 1_000_000, '(99.99 %)'],
		[995, 1000, '(99.50 %)'],
		[333, 1000, '(33 %)'],
		[2 ** 53, 2 ** 53, '(100 %)'],
	] as const)('%i of %i', ([errors, requests, text]) => {
		expect(describeEvidence({ ...numbers, canary: { requests, errors } })).toContain(text)
	})
})

describe('an alarm', () => {
	const counts = { canary: { requests: 60, errors: 50 }, baseline: { requests: 300, errors: 2 } }

	test('names the canary and the proxy', () => {
		expect(describeAlarm({ kind: 'errors', by: 'shares', canary: 'v2', proxy: 'a#1', counts })).toBe(
			'v2 fails at a#1: 50/60 errors (83 %) against baseline 2/300 (0.67 %)',
		)
	})

	test('says when only the fleet as a whole shows it', () => {
		const noBaseline = { ...counts, baseline: { requests: 0, errors: 0 } }
		expect(describeAlarm({ kind: 'errors', by: 'shares', canary: 'v2', proxy: null, counts: noBaseline })).toBe(
			'v2 fails over all proxies: 50/60 errors (83 %) against no baseline',
		)
	})

	test('tells a stall', () => {
		const stalled = { canary: { requests: 24, errors: 0 }, baseline: { requests: 300, errors: 0 } }
		expect(describeAlarm({ kind: 'stall', by: 'shares', canary: 'v2', proxy: 'a#1', counts: stalled })).toBe(
			'v2 answers nothing at a#1: 24 requests begun, none answered; baseline 0/300 (0 %)',
		)
	})
})

test.for([
	[1, '1'],
	[99, '99'],
	[101, '110'],
	[756, '760'],
	[999, '1,000'],
	[123_456, '130,000'],
] as const)('about %i is %s', ([given, text]) => {
	expect(formatAbout(given)).toBe(text)
})
