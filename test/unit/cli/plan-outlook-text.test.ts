import { expect, test } from 'vitest'
import { renderOutlook, renderStepTime } from '#cli/plan-outlook-text.ts'

type Shift = Parameters<typeof renderOutlook>[0]
type Outlook = NonNullable<Shift['outlook']>

const outlook: Outlook = {
	requestsPerSecond: 10,
	errorShare: 0.001,
	steps: [
		{ canaryRequests: 760, durationMs: 1_536_000 },
		{ canaryRequests: 1, durationMs: 300_000 },
	],
	totalMs: 1_836_000,
	deadlineMs: 3_600_000,
	failures: [
		{ errorShare: 0.002, fate: { kind: 'letThrough' } },
		{ errorShare: 0.005, fate: { kind: 'held', step: 0 } },
		{ errorShare: 1, fate: { kind: 'found', step: 0, afterMs: 36_000 } },
	],
}

function shiftWith(given: Outlook | null, unit: Shift['unit'] = 'requests'): Shift {
	const lanes = [{ routes: ['r'], before: 'a', after: 'b' }] as const
	const rest = { kind: 'shift', rollout: 'r', lanes, overflow: 0, steps: [], bakeMs: 0, leastMs: 0 } as const
	return {
		...rest,
		unit,
		clusters: { kind: 'theirs' },
		guardedBy: 'failed requests',
		front: null,
		users: null,
		outlook: given,
	}
}

test('with traffic: how long, what is found and when, what cannot be seen', () => {
	expect(renderOutlook(shiftWith(outlook))).toEqual([
		'at 10 requests/s, of which 0.1 % fail, it takes about 31m',
		'a canary is found that fails 100 % after about 36s, at step 1',
		'CANNOT BE FOUND within the deadline: a canary that fails 0.5 % (it stays at step 1)',
		'CANNOT BE SEEN at this traffic: a canary that fails 0.2 % is let through',
	])
	expect([0, 1, 2].map((index) => renderStepTime(shiftWith(outlook), index))).toEqual([': about 26m', ': about 5m', ''])
})

test('what takes longer than the deadline says so', () => {
	expect(renderOutlook(shiftWith({ ...outlook, deadlineMs: 1_800_000 }))[0]).toBe(
		'at 10 requests/s, of which 0.1 % fail, it takes about 31m, and the deadline of 30m will hold it',
	)
})

test('without any traffic the first step never ends', () => {
	const idle: Outlook = {
		...outlook,
		requestsPerSecond: 0,
		steps: [{ canaryRequests: 760, durationMs: null }],
		totalMs: null,
		failures: outlook.failures.map(({ errorShare }) => ({ errorShare, fate: { kind: 'held', step: 0 } })),
	}
	expect(renderOutlook(shiftWith(idle))).toEqual([
		'at 0 requests/s, of which 0.1 % fail, the proof never comes, and the deadline of 1h will hold it',
		'CANNOT BE FOUND within the deadline: a canary that fails 0.2 % (it stays at step 1) or 0.5 % (it stays at step 1) or 100 % (it stays at step 1)',
	])
	expect(renderStepTime(shiftWith(idle), 0)).toBe(': it never ends')
})

test('where nothing is known of the traffic it says what it supposes, in the unit of the route', () => {
	expect(renderOutlook(shiftWith(null, 'connections'))).toEqual([
		'no traffic is known: the proof supposes that one of 1,000 connections fails. --rps N, or --daemon where proxies count some, says how long it takes and what cannot be seen',
	])
	expect(renderStepTime(shiftWith(null), 0)).toBe('')
})
