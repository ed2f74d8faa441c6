import { assert } from '#base/assert.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { isRunning } from '#rollout/rollout.ts'
import type { JournalEntry, Store, StoredLook } from '#store/store.ts'
import { type Content, createContent } from './content.ts'
import { type ControllerState, initialState, parseStored, type StoredState } from './state.ts'

// Keeps the state: loads it, writes it with its journal and blobs in one transaction, and knows whether what was decided
// last is durable.

export type Keeper = {
	/** The last state that was stored; the first one in an empty store. */
	load(): Promise<ControllerState>
	readonly content: () => Content
	/** They are stored with the next transaction whose state names them. */
	addMeshes(meshes: readonly Mesh[]): void
	/** One transaction. False: nothing of it is stored, and `failure` says why. Throws when another writer took over. */
	save(state: ControllerState, journal: readonly JournalEntry[], looks: readonly StoredLook[]): Promise<boolean>
	isDurable(): boolean
	failure(): string | null
	/** Monotonic time of the last transaction. */
	savedMs(): number
}

export function createKeeper({ store, clock, log }: { store: Store; clock: Clock; log: Log }): Keeper {
	let content: Content | null = null
	let epoch = 0
	let durable = true
	let failure: string | null = null
	let savedMs = 0
	/** Rollouts of the last transaction: of those that a state names no more, the looks go. */
	let keptLooks: readonly string[] = []

	function loaded(): Content {
		assert(content !== null, 'the state is loaded before it is used')
		return content
	}

	/** A store that cannot give an epoch is one that cannot be written to yet; what it holds can still be served. */
	async function claimEpoch(): Promise<boolean> {
		const claimed = await store.nextEpoch()
		if (!claimed.ok) return fail(claimed.error.message)
		epoch = claimed.value
		return true
	}

	function fail(message: string): false {
		if (durable) log.error('store.failed', { message })
		durable = false
		failure = message
		return false
	}

	return {
		content: loaded,
		addMeshes(meshes) {
			for (const mesh of meshes) loaded().addMesh(mesh)
		},
		isDurable: () => durable,
		failure: () => failure,
		savedMs: () => savedMs,
		async load() {
			const text = await store.loadState()
			const stored: StoredState = text === null ? { state: initialState, content: {} } : parseStored(text)
			content = await createContent(store, stored.content)
			keptLooks = stored.state.rollouts.map(({ id }) => id)
			await claimEpoch()
			savedMs = clock.monotonicMs()
			return stored.state
		},
		async save(state, journal, looks) {
			if (epoch === 0 && !(await claimEpoch())) return false
			const keep = namesIn(state)
			const stored: StoredState = { state, content: loaded().index(keep) }
			const outcome = await store.commit({
				epoch,
				state: JSON.stringify(stored),
				journal,
				looks,
				dropLooks: keptLooks.filter((id) => !state.rollouts.some((rollout) => rollout.id === id)),
				blobs: loaded().unsaved(keep),
				dropBlobs: loaded().droppable(keep),
			})
			if (!outcome.ok) {
				if (outcome.error.code === 'fenced')
					throw new Error(`another Sluice writes to this store: ${outcome.error.message}`)
				return fail(outcome.error.message)
			}
			loaded().saved(keep)
			keptLooks = state.rollouts.map(({ id }) => id)
			savedMs = clock.monotonicMs()
			if (!durable) log.info('store.recovered')
			durable = true
			failure = null
			return true
		},
	}
}

/** Meshes and tables of origins that a state names. */
function namesIn({
	applied,
	accepted,
	mayStillHold = [],
	servedWhole,
	waysBack,
	rollouts,
}: ControllerState): ReadonlySet<string> {
	const before = [accepted?.takesBackTo, waysBack?.replaced?.inForce, waysBack?.replacedByHand?.inForce]
	const candidates = rollouts.filter(isRunning).map(({ wave }) => wave?.candidate)
	const names = [applied, accepted?.mesh, accepted?.origins, servedWhole, ...before, ...mayStillHold, ...candidates]
	return new Set(names.filter((name) => typeof name === 'string'))
}
