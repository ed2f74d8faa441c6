import { expect, test } from 'vitest'
import { plannedClusters } from '#controller/planned-clusters.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { planChanges } from '#plan/plan-changes.ts'
import { type BriefResource, fixtureResource } from '../../fixtures/mesh-fixture.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'

type Weights = Record<string, number>

/** `beside`: where another service's route leads. */
function meshOf(targets: Weights, beside: Weights, protocol: 'http2' | 'tcp' = 'http2') {
	const spec = { protocol, ...(protocol === 'tcp' ? { match: { kind: 'tcp', port: null } as const } : {}) }
	const listeners = [{ port: protocol === 'tcp' ? 81 : 80, protocol }]
	const briefs: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'A', backends: ['b.local', 'c.local'] },
		...['B', 'Bv2', 'C'].map((name): BriefResource => ({ kind: 'VirtualNode', name })),
		{ kind: 'VirtualRouter', name: 'B', listeners },
		{ kind: 'VirtualRouter', name: 'C' },
		{ kind: 'VirtualService', name: 'b.local', router: 'B' },
		{ kind: 'VirtualService', name: 'c.local', router: 'C' },
		{ kind: 'Route', router: 'B', name: 'B', targets, spec },
		{ kind: 'Route', router: 'C', name: 'C', targets: beside },
	]
	return composeMesh(Object.fromEntries(briefs.map(fixtureResource).map((resource) => [resource.id, resource])))
}

function planned(before: ReturnType<typeof meshOf>, after: ReturnType<typeof meshOf>) {
	const shift = planChanges(before, after).changes.find(({ kind }) => kind === 'shift')
	if (shift?.kind !== 'shift') throw new Error('no shift')
	return plannedClusters(shiftGroup(shift), before, after)
}

const route = 'mesh/apps/virtualRouter/C/route/C'

test('a route whose targets nobody else reaches is judged by theirs', () => {
	expect(planned(meshOf({ B: 1 }, { C: 1 }), meshOf({ B: 1, Bv2: 1 }, { C: 1 }))).toEqual({ kind: 'theirs' })
})

test.for([
	['before', { B: 1 }, { C: 1 }],
	['after', { C: 1 }, { Bv2: 1 }],
] as const)('one whose targets another route reaches %s gets clusters of its own', ([, was, will]) => {
	expect(planned(meshOf({ B: 1 }, was), meshOf({ B: 1, Bv2: 1 }, will))).toEqual({
		kind: 'clones',
		sharedWith: [route],
		shares: 'same',
	})
})

test('where it cannot have any, the plan says that it will be held', () => {
	expect(planned(meshOf({ B: 1 }, { Bv2: 1 }, 'tcp'), meshOf({ B: 1, Bv2: 1 }, { Bv2: 1 }, 'tcp'))).toEqual({
		kind: 'shared',
		sharedWith: [route],
		shares: 'same',
		problem: expect.stringContaining('TCP'),
	})
})
