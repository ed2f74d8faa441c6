import { expect, test } from 'vitest'
import { sha256Hex } from '#base/hash.ts'
import { type Content, createContent } from '#controller/content.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Mesh, Origins, ResourceId } from '#mesh/mesh.ts'
import { createMemoryStore } from '#store/memory-store.ts'
import { twoSteps } from '../../fixtures/daemon-in-memory.ts'
import { type BriefResource, fixtureResource } from '../../fixtures/mesh-fixture.ts'
import { plainWish, simulatedMesh } from '../../simulation/simulated-mesh.ts'

const meshOf = (unrelated: number) =>
	simulatedMesh({
		weights: [1, 0],
		policy: twoSteps,
		...plainWish,
		unrelated,
	})

/** A store of nothing but blobs, written as transactions write it. */
function createBlobs() {
	const blobs = new Map<string, Uint8Array>()
	return {
		blobs,
		readBlob: async (hash: string) => blobs.get(hash) ?? null,
		/** How many were written. */
		save(content: Content, keep: ReadonlySet<string>): number {
			const [unsaved, droppable] = [content.unsaved(keep), content.droppable(keep)]
			for (const blob of droppable) blobs.delete(blob)
			for (const [blob, bytes] of unsaved) blobs.set(blob, bytes)
			content.saved(keep)
			return unsaved.size
		},
	}
}

/** Many nodes, one of them found under another name. */
function manyNodes(hostname: string): Mesh {
	const names = Array.from({ length: 300 }, (_, index) => `n${index}`)
	const nodes = names.map(
		(name): BriefResource => ({ kind: 'VirtualNode', name, dns: name === 'n7' ? { hostname } : {} }),
	)
	return composeMesh(byId([{ kind: 'Mesh' }, ...nodes]))
}

function byId(briefs: readonly BriefResource[]): Mesh['resources'] {
	return Object.fromEntries(briefs.map(fixtureResource).map((resource) => [resource.id, resource]))
}

function originsOf(mesh: Mesh, line: number): Origins {
	const places = Object.keys(mesh.resources).map((id, index) => {
		const file = `file-${index % 50}.yaml`
		return [id as ResourceId, { '': { file, line: file === 'file-7.yaml' ? line : 1, column: 1 } }] as const
	})
	return Object.fromEntries(places)
}

test('what the state no longer names when the store answers again is not stored, where nobody would ever drop it', async () => {
	const content = await createContent(createMemoryStore(), {})
	const [first, second] = [meshOf(1), meshOf(2)]
	content.addMesh(first)
	content.addMesh(second)
	const keep = new Set([second.hash])
	const index = content.index(keep)
	expect(Object.keys(index)).toEqual([second.hash])
	expect([...content.unsaved(keep).keys()].sort()).toEqual(Object.values(index).flatMap(blobsIn).sort())
	content.saved(keep)
	expect([...content.meshes.keys()]).toEqual([second.hash])
	expect([content.unsaved(keep).size, content.droppable(keep)]).toEqual([0, []])
	expect(content.droppable(new Set())).toHaveLength(Object.values(index).flatMap(blobsIn).length)
})

test('after a restart all is what it was, and of what two meshes have in common nothing is there twice', async () => {
	const store = createBlobs()
	const content = await createContent(store, {})
	const before = manyNodes('one')
	const other = manyNodes('two')
	const after = composeMesh({ ...before.resources, ...onlyOther(before, other) })
	expect(after.hash).toBe(other.hash)
	content.addMesh(before)
	const name = content.addOrigins(originsOf(before, 1))
	store.save(content, new Set([before.hash, name]))
	content.addMesh(after)
	const places = { ...originsOf(after, 1), ...onlyMoved(before) }
	const newName = content.addOrigins(places)
	const keep = new Set([before.hash, name, after.hash, newName])
	expect(store.save(content, keep)).toBeLessThan(10)

	const restarted = await createContent(store, content.index(keep))
	for (const mesh of [before, after]) expect(JSON.stringify(restarted.meshes.get(mesh.hash))).toBe(JSON.stringify(mesh))
	expect(restarted.origins(newName)).toEqual(places)
	expect([restarted.unsaved(keep).size, restarted.droppable(keep)]).toEqual([0, []])
	const id = 'mesh/apps/virtualNode/n1' as ResourceId
	expect(restarted.meshes.get(before.hash)?.resources[id]).toBe(restarted.meshes.get(after.hash)?.resources[id])

	store.save(restarted, new Set([after.hash]))
	const again = await createContent(store, restarted.index(new Set([after.hash])))
	expect([again.meshes.get(after.hash), again.origins(newName)]).toEqual([after, {}])
	store.save(again, new Set())
	expect(store.blobs.size).toBe(0)
})

test('the same places have the same name, whichever way they came about', async () => {
	const mesh = manyNodes('one')
	const content = await createContent(createMemoryStore(), {})
	const name = content.addOrigins(originsOf(mesh, 1))
	const moved = content.addOrigins({ ...originsOf(mesh, 1), ...onlyMoved(mesh) })
	const fresh = await createContent(createMemoryStore(), {})
	expect([fresh.addOrigins(originsOf(mesh, 2)), fresh.addOrigins(originsOf(mesh, 1))]).toEqual([moved, name])
})

test('what an earlier Sluice stored as one text is read, and is stored in parts next time', async () => {
	const store = createBlobs()
	const mesh = manyNodes('one')
	const put = (value: unknown) => {
		const bytes = new TextEncoder().encode(JSON.stringify(value))
		store.blobs.set(sha256Hex(bytes), bytes)
		return sha256Hex(bytes)
	}
	const index = { [mesh.hash]: put({ mesh }), 'origins-x': put({ origins: originsOf(mesh, 3) }) }
	const content = await createContent(store, index)
	const check = (found: Content) =>
		expect([found.meshes.get(mesh.hash), found.origins('origins-x')]).toEqual([mesh, originsOf(mesh, 3)])
	check(content)
	const keep = new Set(Object.keys(index))
	store.save(content, keep)
	expect(Object.values(index).some((blob) => store.blobs.has(blob))).toBe(false)
	check(await createContent(store, content.index(keep)))
})

test('a part that is missing is said, and nothing is made up for it', async () => {
	await expect(createContent(createMemoryStore(), { x: { mesh: ['lost'] } })).rejects.toThrow('lost')
})

function blobsIn(held: ReturnType<Content['index']>[string]): readonly string[] {
	if (typeof held === 'string') return [held]
	return 'mesh' in held ? held.mesh : held.origins
}

/** What differs, as a reading hands it on: all else stays the same object. */
function onlyOther(before: Mesh, after: Mesh): Mesh['resources'] {
	const others = Object.values(after.resources).filter(({ id, hash }) => before.resources[id]?.hash !== hash)
	return Object.fromEntries(others.map((resource) => [resource.id, resource]))
}

function onlyMoved(mesh: Mesh): Origins {
	const moved = Object.entries(originsOf(mesh, 2)).filter(([, places]) => places['']?.line === 2)
	return Object.fromEntries(moved)
}
