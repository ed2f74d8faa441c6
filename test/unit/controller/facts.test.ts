import { expect, test } from 'vitest'
import { type ProxyGroup, proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import type { Concern } from '#controller/concerns.ts'
import { createEvidence } from '#controller/evidence.ts'
import { factsOfRollout } from '#controller/facts.ts'
import type { FleetPort } from '#controller/ports.ts'
import { resourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec } from '#mesh/rollout-policy.ts'
import { splitOfWeights } from '#plan/split.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import type { ClusterFlush } from '#telemetry/flush.ts'
import type { GroupView, Proxy } from '#xds/fleet-view.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'
import { idleCluster } from '../../fixtures/cluster-flush.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'

const stable = { virtualNode: resourceId.virtualNode('apps', 'B'), port: 80 }
const canary = { virtualNode: resourceId.virtualNode('apps', 'Bv2'), port: 80 }
const rollout = startRollout({
	id: 'B/B#1',
	group: shiftGroup({
		kind: 'shift',
		route: resourceId.route('apps', 'B', 'B'),
		before: splitOfWeights([{ ...stable, weight: 1 }]),
		after: splitOfWeights([{ ...canary, weight: 1 }]),
		rising: [canary],
		falling: [stable],
		unit: 'requests',
		policy: defaultRolloutPolicySpec,
		quarantineKey: 'key',
	}),
	revision: 'c1',
	wallMs: 0,
})
const group: ProxyGroup = {
	identity: { mesh: 'apps', kind: 'virtualNode', name: 'A' },
	cohort: 'stable',
	capture: { mode: 'intercept' },
	envoyMinor: '1.40',
	secrets: 'daemon',
}
const concern: Concern = {
	groups: [],
	groupKeys: new Set(['group']),
	lanes: [{ name: '', canaries: new Map([['Bv2', 'to-bv2']]), baseline: ['to-b'] }],
	beside: [],
	demanded: [{ target: 'Bv2', cluster: 'to-bv2', inPlaceOf: null }],
	sharing: { now: [], soon: [], cloneProblem: null },
	good: ['to-b'],
	carriers: new Map(),
	unit: 'requests',
	endpoints: new Map(),
	hosts: new Map([['Bv2', 'b2.local']]),
}
const fleetOf = (connected: readonly Proxy[]): FleetPort => ({
	publish() {},
	refuse() {},
	forget: () => false,
	fleet: () => new Map(),
	connected: () => connected,
	counted: () => connected,
	exclude() {},
	reported: () => [],
	holds: () => null,
	pin() {},
	keep() {},
	assign() {},
})
const proxyOf = (key: string): Proxy => ({ key, instance: key, zone: '', group, groupKey: 'group' })

/** Envoy flushes no gauge that was never set: of a cluster that never had a host there is nothing in a flush. */
test.for([
	{ why: 'asked for counters', policy: defaultRolloutPolicySpec, unwatched: [['never', 'unwatched']] },
	{ why: 'unguarded', policy: { ...defaultRolloutPolicySpec, guards: [], unguarded: 'a toy' }, unwatched: [] },
])(
	'a proxy that counts and tells of no host has none, one that says nothing is silent: $why',
	({ policy, unwatched }) => {
		const clock = createManualClock()
		const evidence = createEvidence({ clock, emit() {} })
		const flushOf = (proxy: string, clusters: Record<string, ClusterFlush>) => {
			evidence.takeFlush({
				proxy,
				arrivedMs: clock.monotonicMs(),
				counted: true,
				clusters: new Map(Object.entries(clusters)),
				unrouted: 0,
			})
		}
		flushOf('silent', { 'to-b': idleCluster, 'to-bv2': idleCluster })
		evidence.arrived('never')
		clock.advance(5_000)
		flushOf('ready', { 'to-b': idleCluster, 'to-bv2': idleCluster })
		flushOf('lost', { 'to-b': idleCluster, 'to-bv2': { ...idleCluster, healthyHosts: 0 } })
		flushOf('unresolved', { 'to-b': idleCluster })
		evidence.arrived('new')
		const connected = ['ready', 'lost', 'unresolved', 'silent', 'new', 'never'].map(proxyOf)
		const { notReady } = factsOfRollout({ ...rollout, policy }, concern, {
			fleet: fleetOf(connected),
			evidence,
			holdsShares: () => true,
			standingOf: () => 'current',
			placeOf: () => '',
			strandedOf: () => [],
			foundBack: () => false,
			returning: () => false,
			waitsOf: () => [],
		})
		evidence.close()
		expect(notReady.map(({ proxy, why }) => [proxy, why])).toEqual([
			['lost', 'noHost'],
			['unresolved', 'noHost'],
			['silent', 'silent'],
			['new', 'silent'],
			...unwatched,
		])
	},
)

/** `refused`: proxies that refused some route configuration; `holding`: those that hold the route's all the same. */
function factsOfGroup(view: {
	refused: readonly string[]
	named?: number
	holding?: readonly string[]
	waits?: 'for a secret'
}) {
	const names = Array.from({ length: 100 }, (_, index) => `p${index}`)
	const evidence = createEvidence({ clock: createManualClock(), emit() {} })
	const none = { current: 100, pending: 0, rejected: 0 }
	const types = Object.fromEntries(Object.values(typeUrls).map((type) => [type, none]))
	if (view.waits !== undefined) types[typeUrls.cluster] = { current: 0, pending: 100, rejected: 0 }
	types[typeUrls.route] = { current: 100 - view.refused.length, pending: 0, rejected: view.refused.length }
	const groupView = {
		group,
		connected: 100,
		expected: 100,
		version: 'v',
		types: types as GroupView['types'],
		pending: [],
		gone: [],
		excluded: [],
		rejections: view.refused.slice(0, view.named ?? 20).map((proxy) => {
			return { proxy, typeUrl: typeUrls.route, name: 'rds', version: 'v', text: 'no' }
		}),
	}
	const carriers = new Map([[proxyGroupKey(group), [{ typeUrl: typeUrls.route, name: 'rds' }]]])
	const facts = factsOfRollout(
		rollout,
		{ ...concern, groups: [groupView], carriers },
		{
			fleet: fleetOf(names.map(proxyOf)),
			evidence,
			holdsShares: ({ key }) => !view.refused.includes(key) || (view.holding ?? []).includes(key),
			standingOf: () => 'current',
			placeOf: () => '',
			strandedOf: () => [],
			foundBack: () => false,
			returning: () => false,
			waitsOf: () => (view.waits === undefined ? [] : ['a cluster waits for a secret']),
		},
	)
	evidence.close()
	return facts
}

const some = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`)

test('proxies that refuse are counted, though only the first are named', () => {
	expect(factsOfGroup({ refused: some(60) })).toMatchObject({ current: 40, rejectedProxies: 60, rejectedShare: 0.6 })
})

test('who refused something else and lacks the shares is not current', () => {
	expect(factsOfGroup({ refused: some(5), named: 0 })).toMatchObject({
		current: 95,
		rejectedProxies: 0,
		pending: some(5),
	})
	expect(factsOfGroup({ refused: some(5), named: 0, holding: some(5) })).toMatchObject({ current: 100 })
})

test('a cluster that waits for a secret keeps nobody who holds the shares from being current', () => {
	const waits = 'for a secret'
	expect(factsOfGroup({ refused: [], waits })).toMatchObject({ current: 100 })
	expect(factsOfGroup({ refused: some(60), waits })).toMatchObject({ current: 40, rejectedProxies: 60 })
})
