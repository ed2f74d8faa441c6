import { beforeEach, describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { proxyGroupKey } from '#compile/compiled.ts'
import type { Evidence } from '#controller/evidence.ts'
import type { FleetPort } from '#controller/ports.ts'
import { createServing, type Serving } from '#controller/serving.ts'
import { type ControllerState, initialState } from '#controller/state.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh } from '#mesh/mesh.ts'
import type { Shift } from '#plan/plan.ts'
import { planChanges } from '#plan/plan-changes.ts'
import type { Rollout } from '#rollout/rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import type { GroupView, Proxy } from '#xds/fleet-view.ts'
import { createManualClock, type ManualClock } from '../../fakes/manual-clock.ts'
import { noDiscovery } from '../../fakes/no-discovery.ts'
import { fixtureGroup } from '../../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureResource } from '../../fixtures/mesh-fixture.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'

const group = fixtureGroup('A')
const groupKey = proxyGroupKey(group)
const proxy: Proxy = { key: 'p', instance: 'p', zone: '', group, groupKey }

/** A calls b.local and c.local: two routes in one route configuration. */
function meshOf(b: Record<string, number>, c: Record<string, number>): Mesh {
	const briefs: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'A', backends: ['b.local', 'c.local'] },
		...['B', 'Bv2', 'C', 'Cv2'].map((name): BriefResource => ({ kind: 'VirtualNode', name })),
		...['B', 'C'].map((name): BriefResource => ({ kind: 'VirtualRouter', name })),
		{ kind: 'VirtualService', name: 'b.local', router: 'B' },
		{ kind: 'VirtualService', name: 'c.local', router: 'C' },
		{ kind: 'Route', router: 'B', name: 'B', targets: b },
		{ kind: 'Route', router: 'C', name: 'C', targets: c },
	]
	return composeMesh(Object.fromEntries(briefs.map(fixtureResource).map((resource) => [resource.id, resource])))
}

const applied = meshOf({ B: 1 }, { C: 1 })
const served = { applied, meshNamed: () => undefined }
const nothing = { ...served, applied: undefined }
const [ofB, ofC] = planChanges(applied, meshOf({ Bv2: 1 }, { Cv2: 1 })).changes.filter(
	(change): change is Shift => change.kind === 'shift',
)
const stateOf = (...rollouts: Rollout[]): ControllerState => ({ ...initialState, applied: applied.hash, rollouts })

function stepping(shift: Shift | undefined): Rollout {
	if (shift === undefined) throw new Error('no shift')
	const rollout = startRollout({ id: shift.route, group: shiftGroup(shift), revision: 'c1', wallMs: 0 })
	return { ...rollout, step: 0, phase: { kind: 'stepping' } }
}

function goingBack(shift: Shift | undefined): Rollout {
	return { ...stepping(shift), phase: { kind: 'rollingBack', cause: { by: 'guard', reason: 'bad', actor: 'sluice' } } }
}

let serving: Serving
let clock: ManualClock
let connected: Proxy[]
let view: GroupView
const pinned = new Map<string, ReadonlySet<string>>()
/** What was pinned when the group was published. */
let pinnedAtPublish: string[][]
let healthy: Record<string, number | null>

beforeEach(() => {
	clock = createManualClock()
	connected = [proxy]
	pinned.clear()
	pinnedAtPublish = []
	healthy = {}
	const none = { current: 1, pending: 0, rejected: 0 }
	const types = new Proxy({}, { get: () => none }) as GroupView['types']
	view = { group, connected: 1, expected: 1, version: 'v', types, pending: [], gone: [], excluded: [], rejections: [] }
	const fleet: FleetPort = {
		publish: () => pinnedAtPublish.push([...pinned.values()].flatMap((keys) => [...keys])),
		refuse() {},
		forget: () => false,
		fleet: () => new Map([[groupKey, view]]),
		connected: () => connected,
		counted: () => connected,
		exclude() {},
		reported: () => [],
		holds: () => null,
		pin: (key, type, name, keys) => pinned.set(`${key} ${type} ${name}`, keys),
		keep() {},
		assign() {},
	}
	const evidence: Evidence = {
		takeFlush() {},
		wantsTimes: () => false,
		phiOf: () => ({ value: 3, source: 'default' }),
		watch() {},
		healthyHosts: (_, cluster) => healthy[cluster] ?? null,
		openConnections: () => null,
		isSilent: () => false,
		requestsOf: () => 0,
		isUnwatched: () => false,
		arrived() {},
		forget() {},
		readiness: () => 0,
		traffic: () => ({ seconds: 0, clusters: {} }),
		close() {},
	}
	serving = createServing({ fleet, discovery: noDiscovery, evidence, clock, log: silentLog, onStrangers() {} })
})

const pinnedNow = () => [...pinned.values()].flatMap((keys) => [...keys])

describe('a proxy where the last good has no healthy host', () => {
	beforeEach(() => {
		healthy = { cds_egress_apps_B_http2_80: 0, cds_egress_apps_Bv2_http2_80: 1 }
		serving.begin(initialState, nothing)
		serving.takeXds({ kind: 'arrived', proxy })
		serving.publish(stateOf(), served)
		clock.advance(limits.adoptionWindowMs + limits.adoptionGraceMs)
	})

	test.for<{ why: string; other: () => Rollout }>([
		{ why: 'moves forward', other: () => stepping(ofC) },
		{ why: 'goes back as well', other: () => goingBack(ofC) },
	])('keeps what it holds while another rollout of its routes $why', ({ other }) => {
		for (const rollouts of [
			[goingBack(ofB), other()],
			[other(), goingBack(ofB)],
		]) {
			serving.publish(stateOf(...rollouts), served)
			expect(pinnedNow()).toEqual(['p'])
			serving.follow(stateOf(...rollouts))
			expect(pinnedNow()).toEqual(['p'])
		}
	})

	test('keeps it when it comes back and has not reported yet', () => {
		serving.publish(stateOf(goingBack(ofB)), served)
		connected = []
		serving.takeXds({ kind: 'left', proxy })
		healthy = {}
		serving.follow(stateOf(goingBack(ofB)))
		connected = [proxy]
		serving.takeXds({ kind: 'arrived', proxy })
		expect(pinnedNow()).toEqual(['p'])
		serving.follow(stateOf(goingBack(ofB)))
		expect(pinnedNow()).toEqual(['p'])
		healthy = { cds_egress_apps_B_http2_80: 1, cds_egress_apps_Bv2_http2_80: 1 }
		serving.follow(stateOf(goingBack(ofB)))
		expect(pinnedNow()).toEqual([])
	})

	test('is let go when the rollout has ended', () => {
		serving.publish(stateOf(goingBack(ofB)), served)
		serving.follow(stateOf())
		expect(pinnedNow()).toEqual([])
	})
})

test('a proxy that left its old group has not left the new one', () => {
	serving.begin(stateOf(stepping(ofB)), served)
	const upgraded: Proxy = { ...proxy, group: { ...group, envoyMinor: '1.41' }, groupKey: 'new' }
	serving.takeXds({ kind: 'arrived', proxy })
	serving.takeXds({ kind: 'arrived', proxy: upgraded })
	serving.takeXds({ kind: 'left', proxy })
	expect(serving.proxyOf('p')).toBe(upgraded)
	serving.takeXds({ kind: 'left', proxy: upgraded })
	expect(serving.proxyOf('p')).toBeUndefined()
})

describe('just after a start', () => {
	test('nobody has let go of anything: proxies may still come back', () => {
		serving.begin(stateOf(), served)
		serving.publish(stateOf(), served)
		expect([serving.facts.returning(), serving.fleetLags()]).toEqual([true, expect.stringContaining('come back')])
		clock.advance(limits.bootHoldMs)
		expect([serving.facts.returning(), serving.fleetLags()]).toEqual([false, null])
	})

	test('with an empty store there is nobody to come back', () => {
		serving.begin(initialState, nothing)
		expect([serving.facts.returning(), serving.fleetLags()]).toEqual([false, null])
	})

	test('the gone are waited for, though others came that nobody knows', () => {
		serving.begin(initialState, nothing)
		view = { ...view, connected: 2, expected: 2, gone: [{ proxy: 'q', version: 'v' }] }
		expect(serving.fleetLags()).toContain('q')
	})
})
