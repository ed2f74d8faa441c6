// What is served after a change of shares, or after a commit, is what would be served if everything were compiled anew.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileGroup } from '#compile/compile-group.ts'
import { changedRoutes } from '#controller/changed-routes.ts'
import { effectiveMesh } from '#controller/effective.ts'
import { withOtherShares } from '#controller/with-other-shares.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import { type Mesh, resourceId } from '#mesh/mesh.ts'
import { readMesh } from '#mesh/read-mesh.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { encodeSnapshot } from '#snapshot/encode-snapshot.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { count, seed } from '../depth.ts'
import { compileMembers, drawnMembers, inputOfMembers } from '../fixtures/arbitrary-compile-input.ts'
import { arbitraryMesh, type DrawnDocument, filesOfDocuments } from '../fixtures/arbitrary-mesh.ts'
import { explicitCapture, fixtureDiscovered, fixtureGroup } from '../fixtures/compile-fixture.ts'
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
		{ numRuns: count(500, 20_000), seed: seed() },
	)
	expect(Object.entries(seen).filter(([, count]) => count === 0)).toEqual([])
})

/** A mesh, and the same with a few documents as another one has them, without some, and with some of its. */
const commits = fc
	.record({
		first: arbitraryMesh(),
		other: arbitraryMesh(),
		replaced: fc.array(fc.nat({ max: 25 }), { maxLength: 3 }),
		rewritten: fc.option(fc.nat({ max: 2 })),
		left: fc.array(fc.nat({ max: 80 }), { maxLength: 1 }),
		added: fc.array(fc.nat({ max: 80 }), { maxLength: 1 }),
	})
	.map(({ first, other, replaced, rewritten, left, added }): readonly (readonly DrawnDocument[])[] => {
		const nameOf = ({ kind, metadata }: DrawnDocument) => JSON.stringify([kind, metadata])
		const later = first.flatMap((document, index) => {
			if (left.includes(index)) return []
			const sameName = other.find((each) => nameOf(each) === nameOf(document))
			const sameKind = other.find(({ kind }) => kind === document.kind)
			if (rewritten !== null && document.kind === 'Route') return [rewriteRoute(document, rewritten)]
			if (!replaced.includes(index)) return [document]
			return [sameName ?? { ...document, spec: sameKind?.spec ?? document.spec }]
		})
		const names = new Set(first.map(nameOf))
		const more = other.filter((document, index) => added.includes(index) && !names.has(nameOf(document)))
		return [first, [...later, ...more]]
	})

type WrittenRoute = { readonly action: { readonly weightedTargets: readonly object[] } }

/** For the same requests, and to the same targets: in another order, or in other shares, or with another timeout. */
function rewriteRoute(document: DrawnDocument, drawn: number): DrawnDocument {
	const members = Object.entries(document.spec as Readonly<Record<string, WrittenRoute>>).map(([name, body]) => {
		if (name === 'priority' || drawn === 0) return [name, body]
		if (drawn === 1 && name !== 'tcpRoute')
			return [name, { ...body, timeout: { perRequest: { unit: 's', value: 77 } } }]
		const { weightedTargets } = body.action
		const reweighed = weightedTargets.map((target, index) => ({ ...target, weight: index + 3 }))
		return [name, { ...body, action: { weightedTargets: reweighed } }]
	})
	return { ...document, spec: { ...Object.fromEntries(members), ...(drawn === 0 ? { priority: 7 } : {}) } }
}

function meshOf(documents: readonly DrawnDocument[] = []): Mesh | null {
	const outcome = readMesh(filesOfDocuments(documents))
	return outcome.kind === 'ok' ? outcome.mesh : null
}

test('a commit leads to what compiling everything leads to, for everybody', () => {
	const seen = { unknown: 0, same: 0, changed: 0 }
	fc.assert(
		fc.property(commits, ([first, later]) => {
			const meshes = [meshOf(first), meshOf(later)]
			const [before, after] = meshes.flatMap((mesh) => (mesh === null ? [] : effectiveMesh(mesh, [])))
			if (before === undefined || after === undefined) return
			const changed = changedRoutes(before, after)
			// What has been worked out of a mesh is known by its object.
			const anew = { ...after, resources: { ...after.resources } }
			for (const { kind, name } of Object.values({ ...before.resources, ...after.resources })) {
				if (kind !== 'VirtualNode' && kind !== 'VirtualGateway') continue
				for (const capture of [{ mode: 'intercept' } as const, explicitCapture]) {
					const identityKind = kind === 'VirtualNode' ? 'virtualNode' : 'virtualGateway'
					const group = fixtureGroup(name, capture, identityKind)
					const compiledOf = (effective: EffectiveMesh) => {
						const compiled = compileGroup(effective, group, nothingDiscovered)
						return compiled === null ? null : encodeSnapshot(compiled, null).snapshot
					}
					const old = compiledOf(before)
					if (old === null) continue
					const next = withOtherShares(group, { from: before, snapshot: old }, { effective: after, changed })
					const whole = compiledOf(anew)
					seen[next === null ? 'unknown' : next === old ? 'same' : 'changed'] += 1
					if (next !== null) expect(whole && contentOf(whole)).toEqual(contentOf(next))
					// What was left behind on the way is what everything else would have found.
					const again = compiledOf(after)
					expect(again && contentOf(again)).toEqual(whole && contentOf(whole))
				}
			}
		}),
		{ numRuns: count(60, 20_000), seed: seed() },
	)
	expect(Object.values(seen).every((times) => times > 10)).toBe(true)
})
