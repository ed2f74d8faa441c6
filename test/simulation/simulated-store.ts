import type { Result } from '#base/result.ts'
import { createMemoryStore, type MemorySnapshot } from '#store/memory-store.ts'
import type { Store, StoreFailure } from '#store/store.ts'
import { createFaultyStore } from '../fakes/faulty-store.ts'
import type { VirtualClock } from './virtual-clock.ts'

// The disk of a simulation: it outlives the daemons, may be full, fail now and then, answer late, and a process may die
// just before or just after it has written.

/**
 * `fullAtStep`, `fullAtBack`: for so long from the transaction on that writes such a decision down. `flaky`: every second one
 * fails. `hangs`: no answer comes before the process dies.
 */
export type StoreMood = 'well' | 'full' | 'fullAtStep' | 'fullAtBack' | 'flaky' | 'hangs'

/** Where in a transaction the process dies. */
export type CrashPoint = 'beforeCommit' | 'afterCommit' | null

export type SimulatedStore = {
	mood: StoreMood
	speed: 'fast' | 'slow'
	/** The process dies at its next transaction. */
	crashAt: CrashPoint
	/** What a crash at this moment would leave; null before the first daemon. */
	stored(): MemorySnapshot | null
	/** For one daemon: it never hears an answer once it is dead. */
	openFor(owner: StoreOwner): Store
	/** How long an answer may take now. */
	answerMs(): number
}

export type StoreOwner = {
	isAlive(): boolean
	/** Kills the daemon. */
	crash(): void
	/** An answer will come, in a while. */
	waits(): void
	/** It has come. */
	goesOn(): void
}

const slowestMs = 2_000
const fullForMs = 6_000

export function createSimulatedStore(clock: VirtualClock): SimulatedStore {
	let newest: ReturnType<typeof createMemoryStore> | null = null
	const never = new Promise<never>(() => {})

	const disk: SimulatedStore = {
		mood: 'well',
		speed: 'fast',
		crashAt: null,
		stored: () => newest?.snapshot() ?? null,
		answerMs: () => (disk.speed === 'slow' ? slowestMs : 0),
		openFor(owner) {
			const memory = createMemoryStore(newest?.snapshot())
			newest = memory
			const store = createFaultyStore(memory, faultOf)
			return {
				...store,
				async commit(transaction) {
					if (!owner.isAlive() || disk.mood === 'hangs') return never
					turnBad(transaction.journal.map(({ event }) => event))
					if (disk.speed === 'slow') await wait(owner)
					if (!owner.isAlive()) return never
					if (takesCrash('beforeCommit', owner)) return never
					const outcome: Result<null, StoreFailure> = await store.commit(transaction)
					return takesCrash('afterCommit', owner) ? never : outcome
				},
			}
		},
	}

	function faultOf(call: number): StoreFailure['code'] | null {
		return disk.mood === 'full' || (disk.mood === 'flaky' && call % 2 === 0) ? 'full' : null
	}

	function turnBad(events: readonly string[]): void {
		const isStep = disk.mood === 'fullAtStep' && events.includes('rollout.advanced')
		const isBack = disk.mood === 'fullAtBack' && events.includes('rollout.rollingBack')
		if (!isStep && !isBack) return
		disk.mood = 'full'
		clock.setTimer(fullForMs, () => {
			if (disk.mood === 'full') disk.mood = 'well'
		})
	}

	async function wait(owner: StoreOwner): Promise<void> {
		owner.waits()
		await new Promise<void>((resolve) => clock.setTimer(100 + ((clock.fired * 37) % (slowestMs - 100)), resolve))
		owner.goesOn()
	}

	function takesCrash(point: CrashPoint, owner: StoreOwner): boolean {
		if (disk.crashAt !== point) return false
		disk.crashAt = null
		owner.crash()
		return true
	}

	return disk
}
