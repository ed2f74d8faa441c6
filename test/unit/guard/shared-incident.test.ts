import { expect, test } from 'vitest'
import type { CanaryLook, Counts, IncidentState } from '#guard/look.ts'
import { noIncident, watchIncident } from '#guard/shared-incident.ts'

const well: Counts = { requests: 100, errors: 1 }
const failing: Counts = { requests: 100, errors: 30 }
const thin: Counts = { requests: 12, errors: 4 }
const idle: Counts = { requests: 0, errors: 0 }
type Seen = readonly [canary: Counts, baseline: Counts]

function lookOf([canary, baseline]: Seen): CanaryLook {
	const metric = { canary, baseline, logFactors: [], proofs: [] }
	return {
		final: metric,
		attempts: metric,
		absolute: { logFactors: [], proofs: [] },
		latency: [],
		share: null,
		withoutWorst: null,
	}
}

function watch(looks: readonly Seen[], from: IncidentState = noIncident, baselineHasTraffic = true): IncidentState {
	const limits = { absoluteLimitPpm: 50_000, baselineHasTraffic }
	return looks.reduce((state, seen) => watchIncident(state, [lookOf(seen)], limits), from)
}

test.for<[why: string, looks: Seen[], kind: IncidentState['kind']]>([
	[
		'both fail in two windows',
		[
			[failing, failing],
			[failing, failing],
		],
		'shared',
	],
	['one window is none', [[failing, failing]], 'none'],
	[
		'two windows that are not in a row are none',
		[
			[failing, failing],
			[well, well],
			[failing, failing],
		],
		'none',
	],
	[
		'the canary alone fails',
		[
			[failing, well],
			[failing, well],
		],
		'none',
	],
	[
		'the baseline alone fails',
		[
			[well, failing],
			[well, failing],
		],
		'none',
	],
	[
		'thin traffic is gathered',
		[
			[thin, failing],
			[thin, failing],
			[thin, failing],
			[thin, failing],
		],
		'shared',
	],
	[
		'a canary without traffic says nothing',
		[
			[idle, failing],
			[idle, failing],
			[idle, failing],
		],
		'none',
	],
])('%s', ([, looks, kind]) => {
	expect(watch(looks).kind).toBe(kind)
})

const shared = watch([
	[failing, failing],
	[failing, failing],
])

test('says what the windows that show it counted', () => {
	expect(shared.shown).toEqual([200, 60, 200, 60])
})

test.for<[why: string, looks: Seen[], kind: IncidentState['kind']]>([
	[
		'ends with a baseline that is well in two windows, whatever the canary does',
		[
			[idle, well],
			[failing, well],
		],
		'none',
	],
	['one window does not end it', [[well, well]], 'shared'],
	[
		'a baseline that fails again goes on',
		[
			[well, well],
			[well, failing],
			[well, well],
		],
		'shared',
	],
	[
		'no traffic does not end it',
		[
			[idle, idle],
			[idle, idle],
		],
		'shared',
	],
])('%s', ([, looks, kind]) => {
	expect(watch(looks, shared).kind).toBe(kind)
})

test('where the baseline has no traffic nothing is shared', () => {
	expect(watch([[failing, idle]], shared, false)).toEqual(noIncident)
})

test('the canaries count together', () => {
	const half: Counts = { requests: 10, errors: 5 }
	const two = [lookOf([half, failing]), lookOf([half, failing])]
	const limits = { absoluteLimitPpm: 50_000, baselineHasTraffic: true }
	const after = watchIncident(watchIncident(noIncident, two, limits), two, limits)
	expect(after).toMatchObject({
		kind: 'shared',
		shown: [40, 20, 200, 60],
	})
})
