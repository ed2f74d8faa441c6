import { expect, test } from 'vitest'
import { effectiveMesh } from '#controller/effective.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { resourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec } from '#mesh/rollout-policy.ts'
import { formatSplit, splitOfWeights } from '#plan/split.ts'
import { splitOf } from '#rollout/effective-mesh.ts'
import type { Rollout } from '#rollout/rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import { fixtureResource, fixtureTarget } from '../../fixtures/mesh-fixture.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'

const route = resourceId.route('apps', 'B', 'B')
const [old, next] = [fixtureTarget('old'), fixtureTarget('next')]

function started(change: Partial<Rollout>): Rollout {
	const shift = {
		kind: 'shift',
		route,
		before: splitOfWeights([{ ...old, weight: 1 }]),
		after: splitOfWeights([{ ...next, weight: 1 }]),
		rising: [next],
		falling: [old],
		unit: 'requests',
		policy: defaultRolloutPolicySpec,
		quarantineKey: 'key',
	} as const
	return { ...startRollout({ id: 'B/B#1', group: shiftGroup(shift), revision: 'c1', wallMs: 0 }), ...change }
}

function meshOf(protocol: 'http2' | 'tcp') {
	const brief = { kind: 'Route', router: 'B', name: 'B', targets: { old: 1 }, spec: { protocol } } as const
	const made = fixtureResource(brief)
	return composeMesh({ [made.id]: made })
}

const cause = { by: 'guard', reason: 'r', actor: 'sluice' } as const
const goneBack: Partial<Rollout> = { phase: { kind: 'rolledBack', cause } }

test('a TCP canary that went back keeps its cluster, without a share, until another rollout follows', () => {
	const splitAfter = (rollouts: readonly Rollout[], protocol: 'http2' | 'tcp' = 'tcp') =>
		formatSplit(splitOf(effectiveMesh(meshOf(protocol), rollouts), route) ?? [])
	expect(splitAfter([started(goneBack)])).toBe('next 0 % · old 100 %')
	expect(splitAfter([started(goneBack)], 'http2')).toBe('old 100 %')
	expect(splitAfter([started({ phase: { kind: 'succeeded' } })])).toBe('old 100 %')
	expect(splitAfter([started(goneBack), started({ step: 0, stepsPpm: [250_000, 1_000_000] })])).toBe(
		'next 25 % · old 75 %',
	)
})

test('clones are there as long as the rollout says so, ended or not', () => {
	const standing = (change: Partial<Rollout>) =>
		effectiveMesh(meshOf('http2'), [started(change)]).clones[route]?.standing
	expect(standing({})).toBe(undefined)
	expect(standing({ clones: 'making' })).toBe('beside')
	expect(standing({ clones: 'routed' })).toBe('routed')
	expect(standing({ ...goneBack, clones: 'routed' })).toBe('routed')
	expect(standing({ ...goneBack, clones: 'leaving' })).toBe('beside')
})
