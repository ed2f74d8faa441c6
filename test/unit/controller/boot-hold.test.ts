import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { compileGroup } from '#compile/compile-group.ts'
import { proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import { createBootHold } from '#controller/boot-hold.ts'
import type { Concern } from '#controller/concerns.ts'
import { effectiveMesh } from '#controller/effective.ts'
import type { FleetPort } from '#controller/ports.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import type { Mesh } from '#mesh/mesh.ts'
import type { Shift } from '#plan/plan.ts'
import { planChanges } from '#plan/plan-changes.ts'
import { retargetRollout } from '#rollout/retarget-rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import type { Proxy } from '#xds/fleet-view.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'
import { fixtureGroup } from '../../fixtures/compile-fixture.ts'
import { twoSteps } from '../../fixtures/daemon-in-memory.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'
import { plainWish, type SecondRoute, simulatedMesh, type Weights } from '../../simulation/simulated-mesh.ts'

const group = fixtureGroup('A')
const groupKey = proxyGroupKey(group)
const proxy: Proxy = { key: 'p', instance: 'p', zone: '', group, groupKey }
const meshOf = (stable: number, canary: number, second?: SecondRoute) =>
	simulatedMesh({
		weights: [stable, canary],
		...(second === undefined ? {} : { second }),
		policy: twoSteps,
		...plainWish,
	})
const applied = meshOf(1, 0)

function shiftTo(...weights: [number, number]): Shift {
	const shift = planChanges(applied, meshOf(...weights)).changes.find(({ kind }) => kind === 'shift')
	if (shift?.kind !== 'shift') throw new Error('no shift')
	return shift
}

test('proxies that were taken back keep it, though Git has asked for other shares meanwhile', () => {
	const clock = createManualClock()
	const keeps = new Map<string, string | undefined>()
	const fleet = {
		keep: (_: string, __: string, name: string, versions: ReadonlySet<string>) => keeps.set(name, [...versions][0]),
		connected: () => [proxy],
		counted: () => [proxy],
		holds: (_: string, __: string, name: string) => keeps.get(name) ?? null,
	} as unknown as FleetPort
	const started = startRollout({ id: 'B/B#1', group: shiftGroup(shiftTo(0, 1)), revision: 'c1', wallMs: 0 })
	const stepped = { ...started, step: 1, phase: { kind: 'stepping' as const } }
	const hold = createBootHold({ rollouts: [stepped], applied, candidate: undefined, fleet, clock })
	hold.greet(proxy)
	const name = 'rds_egress_http_15001'
	expect(keeps.get(name)).toEqual(expect.any(String))

	const retargeted = retargetRollout(stepped, shiftGroup(shiftTo(1, 4)), 'c2')
	if (retargeted === null) throw new Error('the same canary')
	expect(retargeted.step).toBe(0)
	hold.expire([retargeted])
	expect(keeps.get(name)).toEqual(expect.any(String))
	const concern = { groupKeys: new Set([groupKey]) } as unknown as Concern
	expect(hold.foundBack(retargeted, concern)).toBe(true)

	clock.advance(limits.bootHoldMs)
	hold.expire([retargeted])
	expect([keeps.get(name), hold.foundBack(retargeted, concern)]).toEqual([undefined, false])
})

// Seed 1713 of the simulator: the second rollout's last good version took the place of the first one's.
test('of two rollouts in one route configuration, the one that was taken back is found, alone or with the other', () => {
	const clock = createManualClock()
	const two = (...[first, second]: [Weights, Weights]) =>
		meshOf(...first, { kind: 'independent' as const, weights: second })
	const before = two([1, 0], [1, 0])
	const shifts = planChanges(before, two([0, 1], [0, 1])).changes.filter((change) => change.kind === 'shift')
	const rollouts = shifts.map((shift, index) => ({
		...startRollout({ id: `#${index}`, group: shiftGroup(shift), revision: 'c1', wallMs: 0 }),
		step: 0,
		phase: { kind: 'stepping' as const },
	}))
	const name = 'rds_egress_http_15001'
	const servedWith = (...back: number[]) => {
		const taken = rollouts.map((rollout, index) => (back.includes(index) ? { ...rollout, step: -1 } : rollout))
		const compiled = compileGroup(effectiveMesh(before, taken), group, nothingDiscovered) ?? []
		return encodeSnapshot(compiled, null).snapshot.types[typeUrls.route].resources.get(name)?.version ?? ''
	}
	/** @param goesBack which of them goes back again before anybody comes */
	const found = (back: readonly number[], goesBack: number | null) => {
		let kept: ReadonlySet<string> = new Set()
		const fleet = {
			keep(_: string, __: string, resource: string, versions: ReadonlySet<string>) {
				if (resource === name) kept = versions
			},
			counted: () => [proxy],
			holds: () => servedWith(...back),
		} as unknown as FleetPort
		const hold = createBootHold({ rollouts, applied: before, candidate: undefined, fleet, clock })
		const cause = { by: 'guard' as const, reason: '', actor: 'sluice' }
		hold.expire(
			rollouts.map((one, index) => (index === goesBack ? { ...one, phase: { kind: 'rollingBack', cause } } : one)),
		)
		hold.greet(proxy)
		const concern = { groupKeys: new Set([groupKey]) } as unknown as Concern
		const isKept = kept.has(servedWith(...back))
		return [isKept, ...rollouts.map((rollout) => hold.foundBack(rollout, concern))]
	}
	const foundWith = (...back: number[]) => found(back, null)
	expect(foundWith()).toEqual([false, false, false])
	expect(foundWith(0)).toEqual([true, true, false])
	expect(foundWith(1)).toEqual([true, false, true])
	expect(foundWith(0, 1)).toEqual([true, true, true])
	// Seed 9099585: the first one went back by itself before its proxies had come, and both had been taken back.
	expect(found([0, 1], 0)).toEqual([true, false, true])
	expect(found([0], 0)).toEqual([false, false, false])
})

// Seed 2016710 of the simulator: it had refused the newest step, and was given it when the others had been taken back.
test('a proxy at an earlier step stays there, and is no proof that anything was taken back', () => {
	const clock = createManualClock()
	const started = startRollout({ id: 'B/B#1', group: shiftGroup(shiftTo(0, 1)), revision: 'c1', wallMs: 0 })
	const at = (step: number) => ({ ...started, step, phase: { kind: 'stepping' as const } })
	const name = 'rds_egress_http_15001'
	const versionAt = (step: number) => {
		const compiled = compileGroup(effectiveMesh(applied, [at(step)]), group, nothingDiscovered) ?? []
		return encodeSnapshot(compiled, null).snapshot.types[typeUrls.route].resources.get(name)?.version ?? ''
	}
	let kept: ReadonlySet<string> = new Set()
	const fleet = {
		keep(_: string, __: string, resource: string, versions: ReadonlySet<string>) {
			if (resource === name) kept = versions
		},
		counted: () => [proxy],
		holds: () => versionAt(0),
	} as unknown as FleetPort
	const hold = createBootHold({ rollouts: [at(1)], applied, candidate: undefined, fleet, clock })
	hold.greet(proxy)
	expect([-1, 0, 1].map((step) => kept.has(versionAt(step)))).toEqual([true, true, false])
	const concern = { groupKeys: new Set([groupKey]) } as unknown as Concern
	expect(hold.foundBack(at(1), concern)).toBe(false)
	hold.expire([{ ...at(1), phase: { kind: 'rollingBack', cause: { by: 'guard', reason: '', actor: 'sluice' } } }])
	expect(kept.size).toBe(0)
})

test('of a rollout that has succeeded, half of the proxies at the shares before it say that it was taken back', () => {
	const started = startRollout({ id: 'B/B#1', group: shiftGroup(shiftTo(0, 1)), revision: 'c1', wallMs: 0 })
	const succeeded = { ...started, step: started.stepsPpm.length - 1, phase: { kind: 'succeeded' as const } }
	const inForce = meshOf(0, 1)
	const name = 'rds_egress_http_15001'
	const versionOf = (mesh: Mesh) => {
		const compiled = compileGroup(effectiveMesh(mesh, []), group, nothingDiscovered) ?? []
		return encodeSnapshot(compiled, null).snapshot.types[typeUrls.route].resources.get(name)?.version ?? ''
	}
	const foundWith = (back: number, there: number) => {
		const clock = createManualClock()
		const kept = new Map<string, ReadonlySet<string>>()
		const proxies = Array.from({ length: there }, (_, index) => ({ ...proxy, key: `p${index}` }))
		const fleet = {
			keep: (_: string, __: string, resource: string, versions: ReadonlySet<string>) => kept.set(resource, versions),
			counted: () => proxies,
			holds: (key: string) => versionOf(proxies.findIndex((one) => one.key === key) < back ? applied : inForce),
		} as unknown as FleetPort
		const hold = createBootHold({ rollouts: [succeeded], applied: inForce, candidate: undefined, fleet, clock })
		hold.greet(proxy)
		expect([applied, inForce].map((mesh) => kept.get(name)?.has(versionOf(mesh)))).toEqual([true, false])
		expect(hold.foundEnded()).toEqual([])
		clock.advance(limits.bootHoldMs)
		// Nobody is let go before it was asked.
		hold.expire([succeeded])
		expect(kept.get(name)?.size).toBe(1)
		const found = hold.foundEnded()
		hold.expire([succeeded])
		expect([kept.get(name)?.size, hold.foundEnded()]).toEqual([0, []])
		return found
	}
	expect(foundWith(0, 3)).toEqual([])
	// It may have been away since.
	expect(foundWith(1, 3)).toEqual([])
	expect(foundWith(2, 4)).toEqual(['B/B#1'])
	expect(foundWith(1, 1)).toEqual(['B/B#1'])
})
