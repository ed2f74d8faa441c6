import { expect, test } from 'vitest'
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
