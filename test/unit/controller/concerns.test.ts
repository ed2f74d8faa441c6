import { describe, expect, test } from 'vitest'
import { proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import { concernOf, typesOfShift } from '#controller/concerns.ts'
import { resourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec } from '#mesh/rollout-policy.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import type { FleetView, GroupView } from '#xds/fleet-view.ts'
import { fixtureGroup } from '../../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective, fixtureSplit, fixtureTarget } from '../../fixtures/mesh-fixture.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'

const tcp = [{ protocol: 'tcp' }] as const
const listeners = [{ port: 5432, protocol: 'tcp' }] as const
const resources: readonly BriefResource[] = [
	{ kind: 'Mesh' },
	{ kind: 'VirtualNode', name: 'app', backends: [{ service: 'db.local', egressPort: 5432 }] },
	{ kind: 'VirtualNode', name: 'deaf', backends: ['db.local'] },
	{ kind: 'VirtualNode', name: 'db', listeners: tcp },
	{ kind: 'VirtualNode', name: 'db2', listeners: tcp },
	{ kind: 'VirtualRouter', name: 'db', listeners },
	{ kind: 'VirtualService', name: 'db.local', router: 'db' },
	{
		kind: 'Route',
		router: 'db',
		name: 'db',
		targets: { db: 1, db2: 0 },
		spec: { protocol: 'tcp', match: { kind: 'tcp', port: null } },
	},
]

const rollout = startRollout({
	id: 'db/db#1',
	group: shiftGroup({
		kind: 'shift',
		route: resourceId.route('apps', 'db', 'db'),
		before: fixtureSplit({ db: 1_000_000 }),
		after: fixtureSplit({ db2: 1_000_000 }),
		rising: [fixtureTarget('db2')],
		falling: [fixtureTarget('db')],
		unit: 'connections',
		policy: defaultRolloutPolicySpec,
		quarantineKey: 'key',
	}),
	revision: 'c1',
	wallMs: 0,
})

function concern(...groups: ReturnType<typeof fixtureGroup>[]) {
	const fleet: FleetView = new Map(groups.map((group) => [proxyGroupKey(group), { group } as GroupView]))
	return concernOf(rollout, fixtureEffective(resources), fleet)
}

test('a TCP route is carried by listeners, and counted in connections', () => {
	const group = fixtureGroup('app')
	const found = concern(group)
	const carriers = found.carriers.get(proxyGroupKey(group)) ?? []
	expect(carriers.map(({ typeUrl }) => typeUrl)).toEqual([typeUrls.listener])
	expect(found.unit).toBe('connections')
	const canaries = new Map([['mesh/apps/virtualNode/db2:80', 'cds_egress_apps_db2_tcp_80']])
	expect(found.lanes).toEqual([{ name: '', canaries, baseline: ['cds_egress_apps_db_tcp_80'] }])
	expect(typesOfShift(found)).toEqual([typeUrls.cluster, typeUrls.endpoint, typeUrls.listener])
})

test('whoever does not reach it, as its traffic is captured, is not waited for', () => {
	expect(concern(fixtureGroup('app'), fixtureGroup('deaf')).groupKeys).toEqual(
		new Set([proxyGroupKey(fixtureGroup('app'))]),
	)
	expect(concern(fixtureGroup('deaf', { mode: 'intercept' })).groupKeys.size).toBe(1)
})

test("a canary's own proxies count by the cluster of their application", () => {
	const { endpoints } = concern(fixtureGroup('app'))
	const cluster = { canary: 'mesh/apps/virtualNode/db2:80', cluster: 'cds_ingress_apps_db2_tcp_80' }
	expect(endpoints).toEqual(new Map([['mesh/apps/virtualNode/db2', [cluster]]]))
})

describe('several routes', () => {
	const web: BriefResource[] = [
		{ kind: 'VirtualNode', name: 'web', backends: ['shop.local', 'desk.local'] },
		...['v1', 'v2', 'x'].map((name): BriefResource => ({ kind: 'VirtualNode', name })),
		{ kind: 'VirtualRouter', name: 'shop' },
		{ kind: 'VirtualService', name: 'shop.local', router: 'shop' },
		...['reads', 'writes'].map((name): BriefResource => {
			return { kind: 'Route', router: 'shop', name, targets: { v1: 1, v2: 0 } }
		}),
	]
	const desk: BriefResource[] = [
		{ kind: 'VirtualRouter', name: 'desk' },
		{ kind: 'VirtualService', name: 'desk.local', router: 'desk' },
		{ kind: 'Route', router: 'desk', name: 'desk', targets: { v1: 1 } },
	]
	const ids = ['reads', 'writes'].map((name) => resourceId.route('apps', 'shop', name))
	const shiftOf = (route: (typeof ids)[number], share: number) => ({
		kind: 'shift' as const,
		route,
		before: fixtureSplit({ v1: 1_000_000 }),
		after: fixtureSplit({ v1: 1_000_000 - share, v2: share }),
		rising: [fixtureTarget('v2')],
		falling: [fixtureTarget('v1')],
		unit: 'requests' as const,
		policy: defaultRolloutPolicySpec,
		quarantineKey: route,
	})
	const groupTo = (...shares: readonly number[]) => {
		const group = shiftGroup(...ids.map((id, index) => shiftOf(id, shares[index] ?? 0)))
		return startRollout({ id: 'shop#1', group, revision: 'c1', wallMs: 0 })
	}
	const seen = (started: ReturnType<typeof groupTo>, more: BriefResource[], clones = {}) => {
		const fleet: FleetView = new Map([
			[proxyGroupKey(fixtureGroup('web')), { group: fixtureGroup('web') } as GroupView],
		])
		return concernOf(started, fixtureEffective([...web, ...more], { clones }), fleet)
	}
	const [v1, v2] = ['cds_egress_apps_v1_http2_80', 'cds_egress_apps_v2_http2_80']

	test('with the same shares are counted together in the clusters that they share', () => {
		const found = seen(groupTo(1_000_000, 1_000_000), [])
		expect(found.sharing).toEqual({ now: [], soon: [], cloneProblem: null })
		expect(found.lanes).toEqual([
			{ name: '', canaries: new Map([['mesh/apps/virtualNode/v2:80', v2]]), baseline: [v1] },
		])
		expect(found.carriers.get(proxyGroupKey(fixtureGroup('web')))).toHaveLength(1)
	})

	test('and a stranger among them makes clusters of their own', () => {
		const { sharing } = seen(groupTo(1_000_000, 1_000_000), desk)
		expect(sharing.now).toEqual([resourceId.route('apps', 'desk', 'desk')])
	})

	test('with different shares are told apart by clusters of their own, and by nothing before they have some', () => {
		const before = seen(groupTo(1_000_000, 500_000), [])
		expect(before.sharing.now).toEqual(ids)
		expect(before.lanes).toHaveLength(1)
		const own = { targets: ['v1', 'v2'], standing: 'routed' }
		const after = seen(groupTo(1_000_000, 500_000), [], Object.fromEntries(ids.map((id) => [id, own])))
		expect(after.sharing.now).toEqual([])
		expect(after.lanes.map(({ name, baseline }) => [name, baseline])).toEqual([
			[ids[0], [`${v1}_rollout_shop_reads`]],
			[ids[1], [`${v1}_rollout_shop_writes`]],
		])
	})
})
