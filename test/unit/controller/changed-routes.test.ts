import { expect, test } from 'vitest'
import { changedRoutes } from '#controller/changed-routes.ts'
import { effectiveMesh } from '#controller/effective.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { resourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec } from '#mesh/rollout-policy.ts'
import { splitOfWeights } from '#plan/split.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { Rollout } from '#rollout/rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import { type BriefResource, fixtureEffective, fixtureTarget } from '../../fixtures/mesh-fixture.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'

const briefs: BriefResource[] = [
	{ kind: 'Mesh' },
	{ kind: 'VirtualNode', name: 'web', backends: ['one.local', 'two.local'] },
	{ kind: 'VirtualNode', name: 'other', backends: ['two.local'] },
	{ kind: 'VirtualNode', name: 'v1' },
	{ kind: 'VirtualNode', name: 'v2' },
	...['one', 'two'].flatMap((name): BriefResource[] => [
		{ kind: 'VirtualRouter', name },
		{ kind: 'VirtualService', name: `${name}.local`, router: name },
		{ kind: 'Route', router: name, name, targets: { v1: 1 } },
	]),
]
const { resources } = fixtureEffective(briefs)
const mesh = composeMesh(resources)
const route = resourceId.route('apps', 'one', 'one')
const [v1, v2] = [fixtureTarget('v1'), fixtureTarget('v2')]

function at(step: number): Rollout {
	const shift = {
		kind: 'shift',
		route,
		before: splitOfWeights([{ ...v1, weight: 1 }]),
		after: splitOfWeights([{ ...v2, weight: 1 }]),
		rising: [v2],
		falling: [v1],
		unit: 'requests',
		policy: defaultRolloutPolicySpec,
		quarantineKey: 'key',
	} as const
	const started = startRollout({ id: 'one/one#1', group: shiftGroup(shift), revision: 'c1', wallMs: 0 })
	return { ...started, step, stepsPpm: [250_000, 500_000, 1_000_000] }
}

const found = (before: EffectiveMesh, after: EffectiveMesh) => {
	const changed = changedRoutes(before, after)
	return changed === null ? null : { routes: [...changed.routes], callers: [...changed.callers] }
}
const ofOne = { routes: [route], callers: ['mesh/apps/virtualNode/web'] }

test('a step, and the end of a rollout, concern its route and those who call it', () => {
	expect(found(effectiveMesh(mesh, [at(0)]), effectiveMesh(mesh, [at(1)]))).toEqual(ofOne)
	expect(found(effectiveMesh(mesh, [at(1)]), effectiveMesh(mesh, []))).toEqual(ofOne)
	expect(found(effectiveMesh(mesh, []), effectiveMesh(mesh, []))).toEqual({ routes: [], callers: [] })
})

test('shares that are written in another object are compared', () => {
	const made = effectiveMesh(mesh, [at(1)])
	const copy = { ...made, written: { ...made.written } }
	expect(found(effectiveMesh(mesh, [at(0)]), copy)).toEqual(ofOne)
	expect(found(copy, effectiveMesh(mesh, []))).toEqual(ofOne)
	const taken = { ...copy, fronts: { [route]: { matches: [], split: [], calledAfter: route, standing: 'beside' } } }
	expect(found(copy, taken as EffectiveMesh)).toEqual(ofOne)
})

test('another mesh says nothing of what is alike', () => {
	expect(changedRoutes(effectiveMesh(mesh, []), effectiveMesh(composeMesh({ ...resources }), []))).toBeNull()
})
