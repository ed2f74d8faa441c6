import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { proxyGroupKey } from '#compile/compiled.ts'
import { createBootHold } from '#controller/boot-hold.ts'
import type { Concern } from '#controller/concerns.ts'
import type { FleetPort } from '#controller/ports.ts'
import type { Shift } from '#plan/plan.ts'
import { planChanges } from '#plan/plan-changes.ts'
import { retargetRollout, startRollout } from '#rollout/start-rollout.ts'
import type { Proxy } from '#xds/fleet-view.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'
import { fixtureGroup } from '../../fixtures/compile-fixture.ts'
import { twoSteps } from '../../fixtures/daemon-in-memory.ts'
import { simulatedMesh } from '../../simulation/simulated-mesh.ts'

const group = fixtureGroup('A')
const groupKey = proxyGroupKey(group)
const proxy: Proxy = { key: 'p', instance: 'p', zone: '', group, groupKey }
const meshOf = (...weights: [number, number]) =>
	simulatedMesh({
		weights,
		policy: twoSteps,
		hostname: 'b2.local',
		baseline: 'b1.local',
		port: 80,
		stable: 'kept',
		unrelated: 0,
	})
const applied = meshOf(1, 0)

function shiftTo(...weights: [number, number]): Shift {
	const shift = planChanges(applied, meshOf(...weights)).changes.find(({ kind }) => kind === 'shift')
	if (shift?.kind !== 'shift') throw new Error('no shift')
	return shift
}

test('proxies that were taken back keep it, though Git has asked for other shares meanwhile', () => {
	const clock = createManualClock()
	const keeps = new Map<string, string | null>()
	const fleet = {
		keep: (_: string, __: string, name: string, version: string | null) => keeps.set(name, version),
		connected: () => [proxy],
		counted: () => [proxy],
		holds: (_: string, __: string, name: string) => keeps.get(name) ?? null,
	} as unknown as FleetPort
	const started = startRollout({ id: 'B/B#1', shift: shiftTo(0, 1), revision: 'c1', wallMs: 0 })
	const stepped = { ...started, step: 1, phase: { kind: 'stepping' as const } }
	const hold = createBootHold({ rollouts: [stepped], applied, candidate: undefined, fleet, clock })
	hold.greet(proxy)
	const name = 'rds_egress_http_15001'
	expect(keeps.get(name)).toEqual(expect.any(String))

	const retargeted = retargetRollout(stepped, shiftTo(1, 4), 'c2')
	if (retargeted === null) throw new Error('the same canary')
	expect(retargeted.step).toBe(0)
	hold.expire([retargeted])
	expect(keeps.get(name)).toEqual(expect.any(String))
	const concern = { groupKeys: new Set([groupKey]) } as unknown as Concern
	expect(hold.foundBack(retargeted, concern)).toBe(true)

	clock.advance(limits.bootHoldMs)
	hold.expire([retargeted])
	expect([keeps.get(name), hold.foundBack(retargeted, concern)]).toEqual([null, false])
})
