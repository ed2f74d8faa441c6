import { Worker } from 'node:worker_threads'
import type { Clock } from '#base/clock.ts'
import type { DiagnosticCode } from '#base/diagnostic-codes.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { entryUrl } from '#base/program.ts'
import { deepFreeze } from '#mesh/deep-freeze.ts'
import type { ReadOutcome } from '#mesh/mesh.ts'
import type { RevisionReader } from './ports.ts'

export type WorkerReaderOptions = {
	readonly clock: Clock
	readonly log: Log
	readonly deadlineMs?: number
	readonly heapMb?: number
	/** Where the worker begins; for tests of workers that fail. */
	readonly entry?: URL
}

/** What the worker is given. */
export type WorkerTask = {
	readonly files: ReadonlyMap<string, Uint8Array>
	readonly expectations: 'run' | 'leave'
}

/**
 * Reads revisions in a worker of their own, one at a time, under a deadline and a limit of memory. Whatever a revision
 * holds, the answer is an outcome and the caller's thread stays free.
 */
export function createWorkerReader(options: WorkerReaderOptions): RevisionReader {
	let last: Promise<unknown> = Promise.resolve()
	return (revision, expectations) => {
		const outcome = last.then(() => readOnce(revision.id, { files: revision.files, expectations }, options))
		last = outcome
		return outcome
	}
}

async function readOnce(id: string, task: WorkerTask, options: WorkerReaderOptions): Promise<ReadOutcome> {
	const { clock, log } = options
	const startedMs = clock.monotonicMs()
	const outcome = await readInWorker(task, options)
	const numbers = { revision: id, files: task.files.size, tookMs: Math.round(clock.monotonicMs() - startedMs) }
	log.debug('revision.read', { ...numbers, outcome: outcome.kind })
	return outcome.kind === 'ok'
		? { ...outcome, mesh: deepFreeze(outcome.mesh), origins: deepFreeze(outcome.origins) }
		: outcome
}

function readInWorker({ files, expectations }: WorkerTask, options: WorkerReaderOptions): Promise<ReadOutcome> {
	const { clock, deadlineMs = limits.readDeadlineMs, heapMb = limits.readHeapMb, entry } = options
	return new Promise((resolve) => {
		// Copies of their own: they are handed over, and a view may belong to a far larger buffer.
		const copies = new Map([...files].map(([path, bytes]) => [path, Uint8Array.from(bytes)]))
		const worker = new Worker(entry ?? entryUrl('mesh-worker'), {
			workerData: { files: copies, expectations } satisfies WorkerTask,
			transferList: [...copies.values()].map((bytes) => bytes.buffer),
			resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: Math.ceil(heapMb / 8) },
			env: {},
			execArgv: [],
		})
		const settle = (outcome: ReadOutcome): void => {
			deadline.cancel()
			worker.removeAllListeners()
			// A worker that dies late must not be an unhandled error.
			worker.on('error', () => undefined)
			void worker.terminate().then(() => resolve(outcome))
		}
		const deadline = clock.setTimer(deadlineMs, () => settle(tooMuch(`longer than ${deadlineMs / 1000} s`)))
		worker.once('message', (outcome: ReadOutcome) => settle(outcome))
		worker.once('error', (error) => settle(outcomeOfCrash(error, heapMb)))
		worker.once('exit', (code) => settle(broken(`the reader ended with ${code} and no answer`)))
	})
}

function outcomeOfCrash(error: Error, heapMb: number): ReadOutcome {
	const isOutOfMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
	return isOutOfMemory ? tooMuch(`more than ${heapMb} MB of memory`) : broken(error.message)
}

function tooMuch(what: string): ReadOutcome {
	return refuse('SL0007', `reading this revision takes ${what}`, 'make its files smaller or simpler')
}

/** A revision that the reader breaks on is refused like any other: it must not take the daemon with it. */
function broken(why: string): ReadOutcome {
	return refuse('SL0008', `the reader failed on this revision: ${why}`, 'this is a fault of Sluice: please report it')
}

function refuse(code: DiagnosticCode, message: string, hint: string): ReadOutcome {
	const place = { file: '', line: 0, column: 0, frame: [] }
	return { kind: 'refused', diagnostics: [{ code, severity: 'error', message, hint, ...place }] }
}
