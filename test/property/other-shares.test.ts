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
const shares = fc.constantFrom({}, { v1: 1_000_000 }, { v1: 900_000, v2: 100_000 }, { v1: 1_000_000, v2: 0 })
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
		fc.property(drawnMembers, inForce, inForce, (members, one, other) => {
			const input = inputOfMembers(members)
			const before = fixtureEffective(input.resources, one)
			const { resources } = before
			const after: EffectiveMesh = { ...fixtureEffective(input.resources, other), resources }
			const discovered = fixtureDiscovered(input.discovered ?? {})
			const group = { ...fixtureGroup(input.proxy, input.capture, input.kind), secrets: input.secrets ?? 'daemon' }
			const first = encodeSnapshot(compileGroup(before, group, discovered) ?? [], null).snapshot
			const whole = encodeSnapshot(compileGroup(after, group, discovered) ?? [], null).snapshot
			const routes = changedRoutes(before, after)
			const next = withOtherShares(group, { from: before, snapshot: first }, { effective: after, routes })
			seen[next === null ? 'unknown' : next === first ? 'same' : 'changed'] += 1
			if (next !== null) expect(contentOf(next)).toEqual(contentOf(whole))
		}),
		{ numRuns: 300 },
	)
	expect(Object.entries(seen).filter(([, count]) => count === 0)).toEqual([])
})
