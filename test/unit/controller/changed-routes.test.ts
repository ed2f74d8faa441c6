import { expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { changedRoutes } from '#controller/changed-routes.ts'
import { effectiveMesh } from '#controller/effective.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { resourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec } from '#mesh/rollout-policy.ts'
import { splitOfWeights } from '#plan/split.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { Rollout } from '#rollout/rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import { type BriefResource, fixtureEffective, fixtureResource, fixtureTarget } from '../../fixtures/mesh-fixture.ts'
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
	if (changed === null) return null
	return { routes: [...changed.routes], callers: [...changed.callers], otherwise: [...changed.otherwise] }
}
const web = 'mesh/apps/virtualNode/web'
const ofOne = { routes: [route], callers: [web], otherwise: [] }

test('a step, and the end of a rollout, concern its route and those who call it', () => {
	expect(found(effectiveMesh(mesh, [at(0)]), effectiveMesh(mesh, [at(1)]))).toEqual(ofOne)
	expect(found(effectiveMesh(mesh, [at(1)]), effectiveMesh(mesh, []))).toEqual(ofOne)
	expect(found(effectiveMesh(mesh, []), effectiveMesh(mesh, []))).toEqual({ routes: [], callers: [], otherwise: [] })
})

/** The mesh in which these are written so. */
function later(...others: readonly BriefResource[]): EffectiveMesh {
	const changed = others.map(fixtureResource).map((resource) => [resource.id, resource] as const)
	return effectiveMesh(composeMesh({ ...resources, ...Object.fromEntries(changed) }), [])
}
const inForce = effectiveMesh(mesh, [])
const routeOne = { kind: 'Route', router: 'one', name: 'one', targets: { v1: 1 } } as const

test.for<[string, EffectiveMesh, ReturnType<typeof found>]>([
	['nothing at all', later(), { routes: [], callers: [], otherwise: [] }],
	['a timeout of a route', later({ ...routeOne, spec: { timeout: { perRequestMs: 7, idleMs: null } } }), ofOne],
	['weights of a route', later({ ...routeOne, targets: { v1: 1, v2: 1 } }), ofOne],
	[
		'the port of a route',
		later({ ...routeOne, spec: { match: { port: 80 } } }),
		{ routes: [], callers: [], otherwise: [web] },
	],
	[
		'what two call',
		later({ kind: 'VirtualService', name: 'two.local', router: 'one' }),
		{ routes: [], callers: [], otherwise: [web, 'mesh/apps/virtualNode/other'] },
	],
	[
		'a node that a route leads to',
		later({ kind: 'VirtualNode', name: 'v1', dns: { hostname: 'elsewhere' } }),
		{ routes: [], callers: [], otherwise: ['mesh/apps/virtualNode/v1', web, 'mesh/apps/virtualNode/other'] },
	],
	[
		'a node that nothing leads to',
		later({ kind: 'VirtualNode', name: 'v3' }),
		{ routes: [], callers: [], otherwise: ['mesh/apps/virtualNode/v3'] },
	],
	['the mesh itself', later({ kind: 'Mesh', spec: { egressFilter: 'ALLOW_ALL' } }), null],
])('a commit of %s concerns those who see it', ([, after, concerned]) => {
	const sorted = (value: ReturnType<typeof found>) =>
		value === null ? null : { ...value, otherwise: value.otherwise.toSorted() }
	expect(sorted(found(inForce, after))).toEqual(sorted(concerned))
})

test('so many changes that everybody may be concerned are not followed', () => {
	const names = Array.from({ length: limits.changesFollowed + 1 }, (_, index) => `n${index}`)
	expect(found(inForce, later(...names.map((name) => ({ kind: 'VirtualNode', name }) as const)))).toBeNull()
})
