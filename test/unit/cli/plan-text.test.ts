import { expect, test } from 'vitest'
import { renderPlan } from '#cli/plan-text.ts'
import type { PlannedClusters } from '#controller/planned-clusters.ts'
import type { PlanPreview } from '#controller/preview.ts'

const none = { added: [], changed: [], removed: [] }
const empty: PlanPreview = {
	base: 'origin/main',
	warnings: [],
	traps: [],
	changes: [],
	phases: [],
	resources: { cluster: none, endpoint: none, listener: none, route: none, secret: none },
	identities: { total: 3, changed: 0 },
}

test('no changes are one line', () => {
	expect(renderPlan(empty, { color: false })).toBe('Plan: no changes.')
})

test('a plan tells steps, evidence, resources, and ends with one line', () => {
	const route = 'mesh/apps/virtualRouter/serviceB/route/serviceB'
	const preview: PlanPreview = {
		...empty,
		changes: [
			{ kind: 'prepare', resource: 'mesh/apps/virtualNode/serviceBv2', action: 'add', reason: null },
			{
				kind: 'replace',
				resource: route,
				action: 'change',
				when: 'atOnce',
				waves: null,
				reason: 'timeout of a live route change',
			},
			{
				kind: 'replace',
				resource: 'mesh/apps/virtualNode/serviceB',
				action: 'change',
				when: 'confirmed',
				waves: { sharesPpm: [100_000], minDurationMs: 60_000 },
				reason: 'tls of listener 80 of a live virtual node changes',
			},
			{
				kind: 'shift',
				rollout: 'serviceB/serviceB',
				lanes: [{ routes: [route], before: 'serviceB 100 %', after: 'serviceB 75 % · serviceBv2 25 %' }],
				overflow: 0,
				unit: 'requests',
				clusters: { kind: 'theirs' },
				guardedBy: 'failed requests, as proxies count them',
				front: null,
				users: null,
				bakeMs: 300_000,
				leastMs: 360_000,
				outlook: null,
				steps: [
					{
						canarySharePpm: 50_000,
						mirrorPpm: 0,
						kind: 'rise',
						shares: 'serviceB 95 % · serviceBv2 5 %',
						minDurationMs: 60_000,
						minRequests: 500,
						gate: 'none',
						proofRequests: 976,
					},
					{
						canarySharePpm: 250_000,
						mirrorPpm: 0,
						kind: 'last',
						shares: 'serviceB 75 % · serviceBv2 25 %',
						minDurationMs: 300_000,
						minRequests: 0,
						gate: 'person',
						proofRequests: 'never',
					},
				],
			},
			{ kind: 'remove', resource: 'mesh/apps/virtualNode/old\u001b[2J' },
		],
		resources: {
			...empty.resources,
			cluster: { added: ['serviceA: cds_egress_apps_serviceBv2_http2_80'], changed: [], removed: [] },
			route: { added: [], changed: Array.from({ length: 12 }, (_, index) => `serviceA: route${index}`), removed: [] },
		},
		identities: { total: 3, changed: 1 },
	}
	expect(renderPlan(preview, { color: false })).toBe(`Compared with origin/main:
  prepare  add virtualNode/serviceBv2
  replace  change virtualRouter/serviceB/route/serviceB: timeout of a live route change
  replace  change virtualNode/serviceB: tls of listener 80 of a live virtual node changes; after every proxy has confirmed what is in force; by waves over its proxies: one proxy, 10 %, all, each watched for at least 1m, 2m where nothing can be compared
  shift    virtualRouter/serviceB/route/serviceB: serviceB 100 % → serviceB 75 % · serviceBv2 25 %
             guarded by failed requests, as proxies count them
             1. serviceB 95 % · serviceBv2 5 %: at least 1m, 500 canary requests, about 976 canary requests for the proof
             2. serviceB 75 % · serviceBv2 25 %: watched 5m, until a person approves, HELD: with so many failures no number of canary requests is proof enough
             no traffic is known: the proof supposes that one of 1,000 requests fails. --rps N, or --daemon where proxies count some, says how long it takes and what cannot be seen
  remove   virtualNode/old\ufffd[2J, when nothing holds it any more

Envoy resources when all of it is in force (1 of 3 identities):
  cluster  +1 ~0 -0
    + serviceA: cds_egress_apps_serviceBv2_http2_80
  route    +0 ~12 -0
${Array.from({ length: 10 }, (_, index) => `    ~ serviceA: route${index}`).join('\n')}
    ~ and 2 more

Plan: 1 route shifts in 2 steps (at least 6m), 1 prepared, 2 replaced, 1 removal.`)
})

test('colour adds nothing but colour', () => {
	const changes: PlanPreview['changes'] = [{ kind: 'remove', resource: 'mesh/apps/virtualNode/a' }]
	const colored = renderPlan({ ...empty, changes }, { color: true })
	expect(colored).toContain('\u001b[31m')
	// biome-ignore lint/suspicious/noControlCharactersInRegex: colour is made of them
	expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(renderPlan({ ...empty, changes }, { color: false }))
})

test('a TCP route says for whom its weights hold, and what has no effect says why', () => {
	const step = {
		canarySharePpm: 100_000,
		mirrorPpm: 0,
		kind: 'rise',
		shares: 'db 90 % · db2 10 %',
		minDurationMs: 60_000,
		minRequests: 0,
		gate: 'none',
	} as const
	const shift = {
		kind: 'shift',
		rollout: 'db/db',
		overflow: 0,
		bakeMs: 0,
		leastMs: 60_000,
		outlook: null,
	} as const
	const text = renderPlan(
		{
			...empty,
			changes: [
				{
					kind: 'prepare',
					resource: 'mesh/apps/virtualNode/db',
					action: 'change',
					reason: 'stats with the next bootstrap',
				},
				{
					...shift,
					lanes: [{ routes: ['mesh/apps/virtualRouter/db/route/db'], before: 'db 100 %', after: 'db2 100 %' }],
					unit: 'connections',
					clusters: { kind: 'theirs' },
					guardedBy: 'nothing but time: a toy',
					front: null,
					users: null,
					steps: [
						{ ...step, proofRequests: null },
						{ ...step, proofRequests: 976 },
					],
				},
			],
		},
		{ color: false },
	)
	expect(text).toContain('prepare  change virtualNode/db: stats with the next bootstrap\n')
	expect(text).toContain('TCP: the weights hold for new connections')
	expect(text).toContain('guarded by nothing but time: a toy\n')
	expect(text).toContain('1. db 90 % · db2 10 %: at least 1m\n')
	expect(text).toContain('about 976 canary connections for the proof')
})

test('what is in front says so, what users are drawn by, and what is held back', () => {
	const shift = {
		kind: 'shift',
		rollout: 'shop/all',
		lanes: [{ routes: ['mesh/apps/virtualRouter/shop/route/all'], before: 'v1 100 %', after: 'v2 100 %' }],
		overflow: 0,
		unit: 'requests',
		clusters: { kind: 'theirs' },
		guardedBy: 'failed requests',
		front: 'header x-tester exactly "yes"',
		users: 'drawn by header x-user',
		steps: [
			{
				canarySharePpm: 990_000,
				mirrorPpm: 0,
				kind: 'holdBack',
				shares: 'v1 1 % · v2 99 %',
				minDurationMs: 300_000,
				minRequests: 0,
				gate: 'none',
				proofRequests: null,
			},
		],
		bakeMs: 0,
		leastMs: 0,
		outlook: null,
	} as const
	expect(renderPlan({ ...empty, changes: [shift] }, { color: false })).toContain(
		'1. v1 1 % · v2 99 %: watched 5m, the old version is held back meanwhile\n',
	)
	expect(renderPlan({ ...empty, changes: [shift] }, { color: false })).toContain(
		'in front, whatever the weights, from the first step to the end: header x-tester exactly "yes"\n',
	)
	expect(renderPlan({ ...empty, changes: [shift] }, { color: false })).toContain('users are drawn by header x-user\n')
})

test('a route whose targets others reach says what becomes of its evidence', () => {
	const sharedWith = ['B', 'C', 'D', 'E'].map((name) => `mesh/apps/virtualRouter/${name}/route/${name}`)
	const shift = {
		kind: 'shift',
		rollout: 'a/a',
		lanes: [{ routes: ['mesh/apps/virtualRouter/a/route/a'], before: '', after: '' }],
		overflow: 0,
		bakeMs: 0,
		leastMs: 0,
		outlook: null,
	} as const
	const textOf = (clusters: PlannedClusters) => {
		const change = {
			...shift,
			unit: 'requests',
			guardedBy: 'failed requests',
			front: null,
			users: null,
			clusters,
			steps: [],
		} as const
		return renderPlan({ ...empty, changes: [change] }, { color: false })
	}
	expect(textOf({ kind: 'clones', sharedWith, shares: 'same' })).toContain(
		'clusters of its own while it lasts: virtualRouter/B/route/B, virtualRouter/C/route/C, virtualRouter/D/route/D and 1 more lead to its targets too\n',
	)
	expect(
		textOf({ kind: 'shared', sharedWith: sharedWith.slice(0, 1), shares: 'same', problem: 'its name is too long' }),
	).toContain(
		'HELD before its first step: virtualRouter/B/route/B leads to its targets too, and its name is too long\n',
	)
})
