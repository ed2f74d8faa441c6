// What is served after a change of nothing but shares is what would be served if everything were compiled anew.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileGroup } from '#compile/compile-group.ts'
import { changedRoutes } from '#controller/changed-routes.ts'
import { withOtherShares } from '#controller/with-other-shares.ts'
import { resourceId } from '#mesh/mesh.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { compileMembers, drawnMembers, inputOfMembers } from '../fixtures/arbitrary-compile-input.ts'
import { fixtureDiscovered, fixtureGroup } from '../fixtures/compile-fixture.ts'
import { fixtureEffective } from '../fixtures/mesh-fixture.ts'

const [x, y, tcp] = ['x', 'y', 't'].map((name) => resourceId.route('apps', 'r', name))
const shares = fc.constantFrom(
	{},
	{ v1: 1_000_000 },
	{ v1: 900_000, v2: 100_000 },
	{ v1: 500_000, v2: 500_000 },
	{ v1: 0, v2: 1_000_000 },
	{ v1: 1_000_000, v2: 0 },
)
const inForce = fc.record({
	splits: fc.record({ [x as string]: shares, [y as string]: shares, [tcp as string]: shares }).map((drawn) =>
		// Written shares, where none are drawn.
		Object.fromEntries(Object.entries(drawn).filter(([, split]) => Object.keys(split).length > 0)),
	),
	prepared: fc.constantFrom({}, { [x as string]: ['v2'] }),
	clones: compileMembers.clones,
	fronts: compileMembers.fronts,
	mirrors: compileMembers.mirrors,
	sticky: compileMembers.sticky,
})

/** Most of them call what is shifted. */
const callers = fc
	.tuple(drawnMembers, fc.integer({ min: 0, max: 2 }))
	.map(([members, drawn]) => (drawn === 0 ? members : { ...members, backends: ['routed.local'] }))

const seldom = fc.integer({ min: 0, max: 4 }).map((drawn) => drawn === 0)
const often = fc.boolean()
/** What of it is another afterwards. */
const others = fc.record({
	splits: often,
	connections: often,
	prepared: seldom,
	clones: seldom,
	fronts: seldom,
	mirrors: seldom,
	sticky: often,
})

/** Two of them that have most of it alike, as before and after a step of a rollout. */
const steps = fc.tuple(inForce, inForce, others).map(([one, other, another]): readonly [typeof one, typeof one] => {
	const alike = Object.entries(another).filter(([, isAnother]) => !isAnother)
	const after = { ...other, ...Object.fromEntries(alike.map(([name]) => [name, Reflect.get(one, name)])) }
	const connections = (from: typeof one) => ({ [tcp as string]: from.splits[tcp as string] ?? { v1: 1_000_000 } })
	return [
		{ ...one, splits: { ...one.splits, ...connections(one) } },
		{ ...after, splits: { ...after.splits, ...connections(another.connections ? other : one) } },
	]
})

function contentOf({ version, types }: Snapshot) {
	const resources = Object.values(types).map((type) => [
		type.version,
		[...type.resources.values()].map(({ name, version: bytes, key, references, madeOf }) => {
			return { name, bytes, key, references, madeOf }
		}),
	])
	return { version, resources }
}

test('a change of shares leads to what compiling everything leads to', () => {
	const seen = { unknown: 0, same: 0, changed: 0 }
	fc.assert(
		fc.property(callers, steps, (members, [one, other]) => {
			const input = inputOfMembers(members)
			const before = fixtureEffective(input.resources, one)
			const { resources, written } = before
			const after: EffectiveMesh = { ...fixtureEffective(input.resources, other), resources, written }
			const discovered = fixtureDiscovered(input.discovered ?? {})
			const group = { ...fixtureGroup(input.proxy, input.capture, input.kind), secrets: input.secrets ?? 'daemon' }
			const first = encodeSnapshot(compileGroup(before, group, discovered) ?? [], null).snapshot
			const whole = encodeSnapshot(compileGroup(after, group, discovered) ?? [], null).snapshot
			const changed = changedRoutes(before, after)
			const next = withOtherShares(group, { from: before, snapshot: first }, { effective: after, changed })
			seen[next === null ? 'unknown' : next === first ? 'same' : 'changed'] += 1
			if (next !== null) expect(contentOf(next)).toEqual(contentOf(whole))
		}),
		{ numRuns: 500 },
	)
	expect(Object.entries(seen).filter(([, count]) => count === 0)).toEqual([])
})
