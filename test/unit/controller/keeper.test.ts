import { expect, test } from 'vitest'
import { silentLog } from '#base/log.ts'
import { createKeeper } from '#controller/keeper.ts'
import { initialState } from '#controller/state.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { createMemoryStore } from '#store/memory-store.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'
import { fixtureResource } from '../../fixtures/mesh-fixture.ts'

test('what lagging proxies may still hold is known after a restart, and dropped when they have let go of it', async () => {
	const store = createMemoryStore()
	const keep = () => createKeeper({ store, clock: createManualClock(), log: silentLog })
	const [older, applied] = ['B', 'C'].map((name) => {
		const node = fixtureResource({ kind: 'VirtualNode', name })
		return composeMesh({ [node.id]: node })
	}) as [ReturnType<typeof composeMesh>, ReturnType<typeof composeMesh>]
	const keeper = keep()
	await keeper.load()
	keeper.addMeshes([older, applied])
	await keeper.save({ ...initialState, applied: applied.hash, mayStillHold: [older.hash] }, [], [])

	const restarted = keep()
	const state = await restarted.load()
	expect(state.mayStillHold).toEqual([older.hash])
	expect([...restarted.content().meshes.keys()].sort()).toEqual([older.hash, applied.hash].sort())
	await restarted.save({ ...state, mayStillHold: [] }, [], [])
	expect([...restarted.content().meshes.keys()]).toEqual([applied.hash])
})
