import { expect, test } from 'vitest'
import { createContent } from '#controller/content.ts'
import { createMemoryStore } from '#store/memory-store.ts'
import { twoSteps } from '../../fixtures/daemon-in-memory.ts'
import { plainWish, simulatedMesh } from '../../simulation/simulated-mesh.ts'

const meshOf = (unrelated: number) =>
	simulatedMesh({
		weights: [1, 0],
		policy: twoSteps,
		...plainWish,
		unrelated,
	})

test('what the state no longer names when the store answers again is not stored, where nobody would ever drop it', async () => {
	const content = await createContent(createMemoryStore(), {})
	const [first, second] = [meshOf(1), meshOf(2)]
	content.addMesh(first)
	content.addMesh(second)
	const keep = new Set([second.hash])
	expect([...content.unsaved(keep).keys()]).toEqual(Object.values(content.index(keep)))
	content.saved(keep)
	expect([...content.meshes.keys()]).toEqual([second.hash])
	expect([content.unsaved(keep).size, content.droppable(keep)]).toEqual([0, []])
	expect(content.droppable(new Set())).toHaveLength(1)
})
