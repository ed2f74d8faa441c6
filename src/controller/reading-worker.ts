import { Worker } from 'node:worker_threads'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { entryUrl } from '#base/program.ts'
import type { ReadOutcome } from '#mesh/mesh.ts'
import { type ReadingAnswer, type ReadMesh, readingOf } from './reading-answer.ts'

/** What a worker is given. */
export type WorkerTask = {
	readonly files: ReadonlyMap<string, Uint8Array>
	readonly expectations: 'run' | 'leave'
}

/** `late` and `full`: it took more time, or memory, than reading may take · `broken`: why, in words. */
export type WorkerAnswer =
	| { readonly kind: 'read'; readonly outcome: ReadOutcome }
	| { readonly kind: 'late' | 'full' }
	| { readonly kind: 'broken'; readonly why: string }

/** A worker that reads revisions, one at a time. One that has answered anything but `read` has ended. */
export type ReadingWorker = {
	ask(task: WorkerTask): Promise<WorkerAnswer>
	end(): Promise<void>
}

export type ReadingWorkerOptions = {
	readonly clock: Clock
	readonly deadlineMs: number
	readonly heapMb: number
	/** Where the worker begins. */
	readonly entry: URL
}

export const usualWorker: Omit<ReadingWorkerOptions, 'clock'> = {
	deadlineMs: limits.readDeadlineMs,
	heapMb: limits.readHeapMb,
	entry: entryUrl('mesh-worker'),
}

/** While nothing is asked it keeps no process alive. */
export function startReadingWorker({ clock, deadlineMs, heapMb, entry }: ReadingWorkerOptions): ReadingWorker {
	const worker = new Worker(entry, {
		resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: limits.readYoungMb },
		env: {},
		execArgv: [],
	})
	/** The last mesh that it has told. */
	let told: ReadMesh | null = null
	/** Takes what comes next; null while nobody waits. */
	let settle: ((answer: WorkerAnswer) => void) | null = null
	/** Why it can be asked no more: it may end while it rests, too. */
	let ended: WorkerAnswer | null = null

	function finish(answer: WorkerAnswer): void {
		ended ??= answer
		settle?.(ended)
	}

	function hear(answer: ReadingAnswer): void {
		const outcome = readingOf(answer, told)
		if (outcome === null) return finish({ kind: 'broken', why: 'the reader has told another mesh than it has read' })
		if (outcome.kind === 'ok') told = outcome
		settle?.({ kind: 'read', outcome })
	}

	worker.on('message', hear)
	worker.on('error', (error) => finish(answerOfCrash(error)))
	worker.on('exit', (code) => finish({ kind: 'broken', why: `the reader ended with ${code} and no answer` }))
	worker.unref()

	async function end(): Promise<void> {
		await worker.terminate()
	}

	return {
		end,
		async ask({ files, expectations }) {
			if (ended !== null) return ended
			// Copies of their own: they are handed over, and a view may belong to a far larger buffer.
			const copies = new Map([...files].map(([path, bytes]) => [path, Uint8Array.from(bytes)]))
			const answered = new Promise<WorkerAnswer>((resolve) => {
				settle = resolve
			})
			const deadline = clock.setTimer(deadlineMs, () => finish({ kind: 'late' }))
			worker.ref()
			worker.postMessage(
				{ files: copies, expectations } satisfies WorkerTask,
				[...copies.values()].map((bytes) => bytes.buffer),
			)
			const answer = await answered
			settle = null
			deadline.cancel()
			worker.unref()
			if (answer.kind !== 'read') await end()
			return answer
		},
	}
}

function answerOfCrash(error: Error): WorkerAnswer {
	const isOutOfMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
	return isOutOfMemory ? { kind: 'full' } : { kind: 'broken', why: error.message }
}
