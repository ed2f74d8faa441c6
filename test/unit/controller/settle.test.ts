import { describe, expect, test } from 'vitest'
import { changedRollouts } from '#controller/changed-rollouts.ts'
import { isWaiting, type SettleOptions, settle } from '#controller/settle.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { findBrokenLinks } from '#mesh/link.ts'
import { type Mesh, type ResourceId, resourceId } from '#mesh/mesh.ts'
import type { Shift } from '#plan/plan.ts'
import { planChanges } from '#plan/plan-changes.ts'
import { isSameSplit } from '#plan/split.ts'
import type { Phase, Rollout } from '#rollout/rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import { type BriefResource, fixtureResource } from '../../fixtures/mesh-fixture.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'

/** A calls B; later resources replace earlier ones of the same name. */
function meshOf(...briefs: BriefResource[]): Mesh {
	const all: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'A', backends: ['b.local'] },
		{ kind: 'VirtualRouter', name: 'B' },
		{ kind: 'VirtualService', name: 'b.local', router: 'B' },
		...briefs,
	]
	return composeMesh(Object.fromEntries(all.map(fixtureResource).map((resource) => [resource.id, resource])))
}

const node = (name: string, ...ports: number[]): BriefResource => ({
	kind: 'VirtualNode',
	name,
	...(ports.length === 0 ? {} : { listeners: ports.map((port) => ({ port })) }),
})
const moved = (name: string): BriefResource => ({ kind: 'VirtualNode', name, dns: { hostname: `${name}.elsewhere` } })
const route = (targets: Record<string, number>): BriefResource => ({ kind: 'Route', router: 'B', name: 'B', targets })
const idOf = (name: string) => resourceId.virtualNode('apps', name)

function settled(applied: Mesh, desired: Mesh, change: Partial<SettleOptions> = {}) {
	const options = { rollouts: [], isQuarantined: () => false, barsOf: () => [] }
	const fleet = { fleetLags: null, mayStillHold: [], letsGo: false, takesBackTo: null, quarantine: [] }
	return settle({ applied, desired, ...options, ...fleet, ...change })
}

function rolloutOf(applied: Mesh, desired: Mesh, phase: Phase['kind'] = 'stepping'): Rollout {
	const shift = planChanges(applied, desired).changes.find((change): change is Shift => change.kind === 'shift')
	if (shift === undefined) throw new Error('no shift')
	const started = startRollout({ id: 'B/B#1', group: shiftGroup(shift), revision: 'c1', wallMs: 0 })
	if (phase === 'rollingBack')
		return { ...started, step: 0, phase: { kind: phase, cause: { by: 'guard', reason: 'bad', actor: 'sluice' } } }
	return { ...started, step: 0, phase: { kind: phase } as Phase }
}

describe('what is frozen', () => {
	const bars = [{ code: 'FROZEN' as const, text: 'frozen' }]
	const applied = meshOf(node('B'), node('Bv2'), node('gone'), route({ B: 1 }))
	const desired = meshOf(node('B'), node('Bv2'), node('new'), route({ Bv2: 1 }))

	test('neither starts nor is removed, and is listed; the rest of the commit goes on', () => {
		const result = settled(applied, desired, { barsOf: () => bars })
		expect(result.start).toEqual([])
		expect(result.barred).toEqual([{ resource: resourceId.route('apps', 'B', 'B'), bars }])
		expect(result.applied.resources[idOf('new')]).toBeDefined()
		const later = settled(result.applied, desired, { barsOf: () => bars })
		expect(later.waiting).toEqual([{ resource: idOf('gone'), reason: 'frozen' }])
		expect(isWaiting({ ...later, aim: { phase: 'whole', mesh: desired } })).toBe(true)
		const part = settled(result.applied, desired, { barsOf: (id) => (id === idOf('gone') ? [] : bars) })
		expect(part.applied.resources[idOf('gone')]).toBeUndefined()
	})
})

describe('what does not link with what stays in force', () => {
	const applied = meshOf(node('B'), node('Bv2'), route({ B: 75, Bv2: 25 }))

	test('waits, and the rest of the commit goes on', () => {
		const desired = meshOf(node('B'), node('Bv2', 8080), route({ B: 75, 'Bv2:8080': 25 }), moved('C'))
		const { applied: after, start, queued } = settled(applied, desired)
		expect(after.resources[idOf('C')]?.hash).toBe(desired.resources[idOf('C')]?.hash)
		expect(after.resources[idOf('Bv2')]).toEqual(applied.resources[idOf('Bv2')])
		expect(findBrokenLinks(after.resources)).toEqual([])
		expect(start, 'a rollout to a target that is not there would never be ready').toEqual([])
		expect(queued.map(({ behind }) => behind)).toEqual([expect.stringContaining(idOf('Bv2'))])
	})

	test('takes along what was to come with it', () => {
		const desired = meshOf(node('B'), node('Bv2', 8080), route({ B: 1 }), {
			kind: 'Route',
			router: 'B',
			name: 'new',
			targets: { 'Bv2:8080': 1 },
		})
		const { applied: after } = settled(applied, desired, { isQuarantined: () => true })
		expect(Object.keys(after.resources).filter((id) => id.endsWith('/new'))).toEqual([])
		expect(findBrokenLinks(after.resources)).toEqual([])
	})

	test('what is held back does not hold up a removal, nor lose what it needs', () => {
		const desired = meshOf(node('B'), node('Bv3'), route({ B: 1, Bv3: 1 }))
		const { applied: after, waiting } = settled(applied, desired, { isQuarantined: () => true })
		expect(after.resources[idOf('Bv2')]).toBeDefined()
		expect(after.resources[idOf('Bv3')]).toBeDefined()
		const later = settled(after, desired, { isQuarantined: () => true })
		expect([waiting, later.waiting].flat().map(({ resource }) => resource)).toEqual([idOf('Bv2'), idOf('Bv2')])
		expect(later.waiting[0]?.reason).toContain('still refers to it')
	})
})

describe('a target under judgement', () => {
	const applied = meshOf(node('B'), node('Bv2'), route({ B: 1 }))
	const asked = meshOf(node('B'), node('Bv2'), route({ Bv2: 1 }))
	const rollouts = [rolloutOf(applied, asked)]

	test.for(['B', 'Bv2'])('%s keeps its cluster until the rollout has ended', (name) => {
		const desired = meshOf(node('B'), node('Bv2'), route({ Bv2: 1 }), moved(name), moved('C'))
		const during = settled(applied, desired, { rollouts })
		expect(during.applied.resources[idOf(name)]).toEqual(applied.resources[idOf(name)])
		expect(during.applied.resources[idOf('C')]).toBeDefined()
		const after = settled(applied, desired, { rollouts: [] })
		expect(after.applied.resources[idOf(name)]?.hash).toBe(desired.resources[idOf(name)]?.hash)
	})

	test('a caller keeps its client policy towards it, and changes any other', () => {
		const clientTls = {
			enforce: false,
			ports: [],
			certificate: null,
			validation: { trust: { kind: 'sds', secretName: 'ca' }, subjectAlternativeNames: [] },
		} as const
		const caller = (policies: { b: boolean; c: boolean }): BriefResource[] => [
			{ kind: 'VirtualService', name: 'c.local', node: 'C' },
			node('C'),
			{
				kind: 'VirtualNode',
				name: 'A',
				backends: [
					{ service: 'b.local', clientTls: policies.b ? clientTls : null },
					{ service: 'c.local', clientTls: policies.c ? clientTls : null },
				],
			},
			{ kind: 'VirtualGateway', name: 'edge', spec: { clientTls: policies.b ? clientTls : null } },
			{ kind: 'GatewayRoute', gateway: 'edge', name: 'b', service: 'b.local' },
		]
		const at = (policies: { b: boolean; c: boolean }, targets: Record<string, number>) =>
			meshOf(node('B'), node('Bv2'), route(targets), ...caller(policies))
		const before = at({ b: false, c: false }, { B: 1 })
		const isHeld = (after: Mesh, id: ResourceId) => {
			const { applied: then } = settled(before, after, { rollouts: [rolloutOf(before, after)] })
			return then.resources[id]?.hash !== after.resources[id]?.hash
		}
		const edge = resourceId.virtualGateway('apps', 'edge')
		const ofB = at({ b: true, c: false }, { Bv2: 1 })
		expect([isHeld(ofB, idOf('A')), isHeld(ofB, edge)]).toEqual([true, true])
		expect(isHeld(at({ b: false, c: true }, { Bv2: 1 }), idOf('A'))).toBe(false)
	})

	test('that went back is not judged: what mends the last good goes in', () => {
		const desired = meshOf(moved('B'), node('Bv2'), route({ Bv2: 1 }))
		const back = [rolloutOf(applied, asked, 'rollingBack')]
		expect(settled(applied, desired, { rollouts: back }).applied.resources[idOf('B')]).not.toEqual(
			applied.resources[idOf('B')],
		)
	})

	test('that went back keeps its cluster where only the canary has it: some may still be sent there', () => {
		const desired = meshOf(node('B'), moved('Bv2'), route({ B: 1 }))
		const back = settled(applied, desired, { rollouts: [rolloutOf(applied, asked, 'rollingBack')] })
		expect(back.applied.resources[idOf('Bv2')]).toEqual(applied.resources[idOf('Bv2')])
		expect(settled(applied, desired).applied.hash).toBe(desired.hash)
	})

	test('another version of the canary is another canary; of the baseline it is not', () => {
		const asks = (desired: Mesh) =>
			changedRollouts({ candidateOf: () => null, applied, desired, rollouts }).map(({ ask }) => ask.kind)
		expect(asks(meshOf(node('B'), moved('Bv2'), route({ Bv2: 1 })))).toEqual(['otherCanary'])
		expect(asks(meshOf(node('B'), node('Bv2'), route({ B: 1, Bv2: 1 })))).toEqual(['otherShares'])
		expect(asks(meshOf(moved('B'), node('Bv2'), route({ Bv2: 1 })))).toEqual([])
		expect(asks(applied)).toEqual(['lastGood'])
	})
})

test('what is removed was let go of in an earlier turn', () => {
	const applied = meshOf(node('B'), node('Bv2'), route({ Bv2: 1 }))
	const desired = meshOf(node('Bv2'), route({ Bv2: 1 }))
	expect(settled(applied, desired, { letsGo: true }).waiting).toHaveLength(1)
	expect(settled(applied, desired, { fleetLags: 'p has not ACKed yet' }).waiting).toHaveLength(1)
	const { waiting, applied: after } = settled(applied, desired)
	expect([waiting, after.hash]).toEqual([[], desired.hash])
})

test('two shifts that need each other’s target the other way round run one after the other', () => {
	const other = (targets: Record<string, number>): BriefResource => ({ kind: 'Route', router: 'B', name: 'b', targets })
	const applied = meshOf(node('B'), node('Bv2'), route({ B: 1 }), other({ Bv2: 1 }))
	const desired = meshOf(node('B'), node('Bv2'), route({ Bv2: 1 }), other({ B: 1 }))
	const { start, queued } = settled(applied, desired)
	expect([start.length, queued.length]).toEqual([1, 1])
	expect(isSameSplit(start[0]?.shifts[0].before ?? [], queued[0]?.group.shifts[0].after ?? [])).toBe(true)
})

describe('what both ends must agree on, while a proxy may hold what was before', () => {
	const caller = (shows: string | null): BriefResource => ({
		kind: 'VirtualNode',
		name: 'A',
		backends: [{ service: 'b.local', clientTls: policyWith(shows) }],
	})
	const policyWith = (shows: string | null) => ({
		enforce: true,
		ports: [],
		certificate: shows === null ? null : ({ kind: 'sds', secretName: shows } as const),
		validation: { trust: { kind: 'sds', secretName: 'ca' } as const, subjectAlternativeNames: [] },
	})
	const server = (asks: string | null): BriefResource => ({
		kind: 'VirtualNode',
		name: 'B',
		listeners: [
			{
				tls: {
					mode: 'STRICT',
					certificate: { kind: 'sds', secretName: 'b' },
					validation: asks === null ? null : { trust: { kind: 'sds', secretName: asks }, subjectAlternativeNames: [] },
				},
			},
		],
	})
	const at = (shows: string | null, asks: string | null, ...more: BriefResource[]) =>
		meshOf(server(asks), node('C'), route({ B: 1 }), caller(shows), ...more)
	const first = at(null, null)
	const widened = at('a', null)
	const narrowed = at('a', 'ca', moved('C'))
	const lagging = { fleetLags: 'p2 have not ACKed yet', mayStillHold: [first] }

	test('waits, and the rest of the commit goes on', () => {
		const held = settled(widened, narrowed, lagging)
		expect(held.applied.resources[idOf('B')]).toEqual(widened.resources[idOf('B')])
		expect(held.applied.resources[idOf('C')]).toEqual(narrowed.resources[idOf('C')])
		expect(held.unconfirmed).toEqual([
			{
				resource: idOf('B'),
				reason: 'until every expected proxy holds what is in force: p2 have not ACKed yet',
			},
		])
		expect(
			isWaiting({ ...held, aim: { phase: 'whole', mesh: narrowed } }),
			'turns go on, since time alone can end it',
		).toBe(true)
	})

	test('waits no longer than that, nor for who lags with nothing older than what is applied', () => {
		for (const fleetLags of [null, 'p2 are expected back']) {
			const done = settled(widened, narrowed, { fleetLags })
			expect([done.applied.hash, done.unconfirmed]).toEqual([narrowed.hash, []])
		}
	})

	test('goes back at once to what they may hold', () => {
		const back = settled(widened, first, lagging)
		expect([back.applied.hash, back.unconfirmed]).toEqual([first.hash, []])
		const reverted = settled(widened, at(null, 'ca'), lagging)
		expect(reverted.applied.resources[idOf('A')]).toEqual(first.resources[idOf('A')])
		expect(
			reverted.unconfirmed.map(({ resource }) => resource),
			'what is no way back is judged by what that leaves',
		).toEqual([idOf('B')])
	})

	test('goes back at once to what some hold, though others hold what does not get along with it', () => {
		const plain = meshOf(node('B'), node('C'), route({ B: 1 }))
		const secured = meshOf(server(null), node('C'), route({ B: 1 }))
		const later = meshOf(node('B'), moved('C'), route({ B: 1 }))
		const held = (...mayStillHold: Mesh[]) => settled(later, secured, { ...lagging, mayStillHold }).unconfirmed.length
		expect([held(plain), held(plain, secured)]).toEqual([1, 0])
	})

	test('is mended at once, though the next step is written already', () => {
		const mended = at('a2', 'ca')
		const half = settled(widened, mended, lagging)
		expect(half.applied.resources[idOf('A')]).toEqual(mended.resources[idOf('A')])
		expect(half.unconfirmed.map(({ resource }) => resource)).toEqual([idOf('B')])
	})

	test('is judged against every mesh that they may hold', () => {
		const none = meshOf(server(null), node('C'), route({ C: 1 }), caller(null))
		const held = (mayStillHold: Mesh[]) =>
			settled(widened, narrowed, { ...lagging, mayStillHold }).unconfirmed.map(({ resource }) => resource)
		expect(held([none]), 'nobody sent B anything').toEqual([])
		expect(held([none, first])).toEqual([idOf('B')])
	})

	test('holds up none of the others, however many there are', () => {
		const names = Array.from({ length: 30 }, (_, index) => `n${index}`)
		const others = (hostname: string) =>
			names.map(
				(name): BriefResource => ({
					kind: 'VirtualNode',
					name,
					listeners: [
						{ tls: { mode: 'STRICT', certificate: { kind: 'sds', secretName: hostname }, validation: null } },
					],
				}),
			)
		const services = names.flatMap((name): BriefResource[] => [
			{ kind: 'VirtualService', name: `${name}.local`, node: name },
			{ kind: 'VirtualNode', name: `${name}-caller`, backends: [`${name}.local`] },
		])
		const desired = at('a', 'ca', ...services, ...others('new'))
		const held = settled(at('a', null, ...services, ...others('old')), desired, {
			...lagging,
			mayStillHold: [at(null, null, ...services, ...others('old'))],
		})
		expect(held.unconfirmed.map(({ resource }) => resource)).toEqual([idOf('B')])
		expect(names.filter((name) => held.applied.resources[idOf(name)] !== desired.resources[idOf(name)])).toEqual([])
	})
})
