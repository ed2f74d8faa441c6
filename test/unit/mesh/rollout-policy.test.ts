import { describe, expect, test } from 'vitest'
import { assert } from '../../../src/base/assert.ts'
import { resourceId } from '../../../src/mesh/mesh.ts'
import { readMesh } from '../../../src/mesh/read-mesh.ts'
import {
	defaultRolloutPolicySpec,
	defaultWaves,
	policyForRoute,
	policyForWaves,
	windowsOver,
} from '../../../src/mesh/rollout-policy.ts'
import { readOk, smallMesh } from './small-mesh.ts'

function bakeOf(policies: readonly string[]): number {
	const documents = policies.map((policy) => `---\napiVersion: sluice/v1\nkind: RolloutPolicy\n${policy}\n`)
	const { mesh } = readOk({ 'mesh.yaml': smallMesh, 'policies.yaml': documents.join('') })
	const route = mesh.resources[resourceId.route('apps', 'b', 'b')]
	assert(route?.kind === 'Route', 'the small mesh has the route b')
	return policyForRoute(mesh, route).bakeMs
}

const anyRoute = 'metadata: {mesh: apps, name: any}\nspec: {match: {}, bake: 1s}'
const byRouter = 'metadata: {mesh: apps, name: by-router}\nspec: {match: {virtualRouter: b}, bake: 2s}'
const byRoute = 'metadata: {mesh: apps, name: z-by-route}\nspec: {match: {route: b}, bake: 3s}'
const byBoth = 'metadata: {mesh: apps, name: by-both}\nspec: {match: {virtualRouter: b, route: b}, bake: 4s}'
const other = 'metadata: {mesh: apps, name: other}\nspec: {match: {virtualRouter: c, route: b}, bake: 9s}'

test.for<[string[], number]>([
	[[anyRoute], 1000],
	[[anyRoute, byRouter], 2000],
	[[byRoute, byRouter, anyRoute], 3000],
	[[byBoth, byRoute, byRouter, anyRoute], 4000],
	[[other, anyRoute], 1000],
	[[other], defaultRolloutPolicySpec.bakeMs],
	[[], defaultRolloutPolicySpec.bakeMs],
	[[anyRoute, anyRoute.replace('name: any', 'name: aa').replace('1s', '5s')], 5000],
])('the most specific match wins %#', ([policies, bakeMs]) => {
	expect(bakeOf(policies)).toBe(bakeMs)
})

test.for([
	{ id: resourceId.route('apps', 'b', 'b'), from: [540] },
	{ id: resourceId.virtualNode('apps', 'b'), from: [600] },
	{ id: resourceId.virtualRouter('apps', 'b'), from: [600] },
	{ id: resourceId.virtualNode('apps', 'none'), from: [] },
])('the windows over $id are those of its policy, or of the policy for all', ({ id, from }) => {
	const policies = [
		'metadata: {mesh: apps, name: any}\nspec: {windows: [{from: "10:00"}]}',
		'metadata: {mesh: apps, name: b}\nspec: {match: {virtualRouter: b}, windows: [{from: "09:00"}]}',
	]
	const documents = policies.map((policy) => `---\napiVersion: sluice/v1\nkind: RolloutPolicy\n${policy}\n`)
	const { mesh } = readOk({ 'mesh.yaml': smallMesh, 'policies.yaml': documents.join('') })
	expect(windowsOver(mesh, id).map(({ fromMinute }) => fromMinute)).toEqual(from)
})

test('a policy of another mesh does not speak for the route', () => {
	const foreign = `apiVersion: sluice/v1\nkind: Mesh\nmetadata: {name: shop}\n---\napiVersion: sluice/v1\nkind: RolloutPolicy\n${anyRoute.replace('apps', 'shop')}\n`
	const { mesh } = readOk({ 'mesh.yaml': smallMesh, 'shop.yaml': foreign })
	const route = mesh.resources[resourceId.route('apps', 'b', 'b')]
	assert(route?.kind === 'Route', 'the small mesh has the route b')
	expect(policyForRoute(mesh, route)).toBe(defaultRolloutPolicySpec)
})

test('a policy that writes nothing is the default, and the default is the documented one', () => {
	const { mesh } = readOk({
		'm.yaml': `${smallMesh}---\napiVersion: sluice/v1\nkind: RolloutPolicy\nmetadata: {mesh: apps, name: p}\n`,
	})
	expect(mesh.resources[resourceId.rolloutPolicy('apps', 'p')]?.spec).toEqual(defaultRolloutPolicySpec)
	const step = { minDurationMs: 60_000, minRequests: 0, warmUpMs: null, gate: 'none', deadlineMs: null }
	expect(defaultRolloutPolicySpec).toEqual({
		match: { virtualRouter: null, route: null },
		steps: [50_000, 250_000, 500_000, 750_000].map((sharePpm) => ({ sharePpm, ...step })),
		front: [],
		mirrorPpm: 0,
		sticky: null,
		holdBackPpm: 0,
		guards: [
			{
				kind: 'errors',
				alpha: 0.01,
				toleranceRatio: 1.25,
				tolerancePpm: 500,
				absoluteLimitPpm: 50_000,
				hardLimitPpm: 500_000,
			},
		],
		unguarded: null,
		deadlineMs: 1_800_000,
		onNoEvidence: 'hold',
		onDeadline: 'hold',
		onNoTraffic: 'hold',
		onInconclusive: 'hold',
		onSharedIncident: 'stepBack',
		group: 'join',
		bakeMs: 300_000,
		warmUpMs: 15_000,
		windows: [],
		hooks: [],
		waves: null,
	})
})

describe('waves', () => {
	const head = 'apiVersion: sluice/v1\nkind: RolloutPolicy\nmetadata: {mesh: apps, name: p}'
	const policyWith = (spec: string) =>
		readMesh(new Map([['m.yaml', new TextEncoder().encode(`${smallMesh}---\n${head}\nspec: ${spec}\n`)]]))

	test('are one proxy, a tenth, three tenths and all, where only that they are wanted is written', () => {
		const outcome = policyWith('{waves: {}}')
		assert(outcome.kind === 'ok', 'it is valid')
		expect(policyForWaves(outcome.mesh, 'apps')?.waves).toEqual(defaultWaves)
		expect(policyForWaves(outcome.mesh, 'shop')).toBeNull()
	})

	test.for([
		{ spec: '{waves: {shares: [30, 10]}}', code: 'SL0212' },
		{ spec: '{match: {route: b}, waves: {}}', code: 'SL0247' },
	])('$spec is refused', ({ spec, code }) => {
		const outcome = policyWith(spec)
		assert(outcome.kind === 'refused', 'it is refused')
		expect(outcome.diagnostics.map((finding) => finding.code)).toEqual([code])
	})
})
