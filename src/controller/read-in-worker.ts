import { unreachable } from '#base/assert.ts'
import type { Clock, Timer } from '#base/clock.ts'
import type { DiagnosticCode } from '#base/diagnostic-codes.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import type { ReadOutcome } from '#mesh/mesh.ts'
import type { RevisionReader } from './ports.ts'
import {
	type ReadingWorker,
	type ReadingWorkerOptions,
	startReadingWorker,
	usualWorker,
	type WorkerAnswer,
	type WorkerTask,
} from './reading-worker.ts'

export type WorkerReaderOptions = Partial<ReadingWorkerOptions> & { readonly clock: Clock; readonly log: Log }

export type WorkerReader = {
	readonly read: RevisionReader
	/** What is being read then ends as broken. */
	close(): Promise<void>
}

/**
 * Reads revisions in a worker, one at a time, under a deadline and a limit of memory. Whatever a revision holds, the
 * answer is an outcome and the caller's thread stays free. The worker is kept for a while, since its start costs more
 * than most revisions: one that fails is replaced.
 */
export function createWorkerReader({ log, ...options }: WorkerReaderOptions): WorkerReader {
	const workerOptions = { ...usualWorker, ...options }
	const { clock } = workerOptions
	let last: Promise<unknown> = Promise.resolve()
	/** The one that reads, or rests until it is asked again. */
	let worker: ReadingWorker | null = null
	let idle: Timer | null = null
	let isOpen = true

	async function readOnce(id: string, task: WorkerTask): Promise<ReadOutcome> {
		const startedMs = clock.monotonicMs()
		const outcome = outcomeOf(await ask(task), workerOptions)
		const numbers = { revision: id, files: task.files.size, tookMs: Math.round(clock.monotonicMs() - startedMs) }
		log.debug('revision.read', { ...numbers, outcome: outcome.kind })
		return outcome
	}

	async function ask(task: WorkerTask): Promise<WorkerAnswer> {
		idle?.cancel()
		const rested = worker
		const answer = rested === null ? await askAnother(task) : await rested.ask(task)
		// What it has read before may be why: the revision is judged by a worker that has read nothing.
		const judged = rested === null || answer.kind === 'read' ? answer : await askAnother(task)
		if (judged.kind !== 'read') worker = null
		else if (isOpen) idle = clock.setTimer(limits.readerIdleMs, () => void forget())
		return judged
	}

	async function askAnother(task: WorkerTask): Promise<WorkerAnswer> {
		if (!isOpen) return { kind: 'broken', why: 'it was stopped' }
		worker = startReadingWorker(workerOptions)
		return await worker.ask(task)
	}

	async function forget(): Promise<void> {
		idle?.cancel()
		const rested = worker
		worker = null
		await rested?.end()
	}

	return {
		read(revision, expectations) {
			const outcome = last.then(() => readOnce(revision.id, { files: revision.files, expectations }))
			last = outcome
			return outcome
		},
		async close() {
			isOpen = false
			await forget()
		},
	}
}

function outcomeOf(answer: WorkerAnswer, { deadlineMs, heapMb }: ReadingWorkerOptions): ReadOutcome {
	switch (answer.kind) {
		case 'read':
			return answer.outcome
		case 'late':
			return tooMuch(`longer than ${deadlineMs / 1000} s`)
		case 'full':
			return tooMuch(`more than ${heapMb} MB of memory`)
		case 'broken':
			return broken(answer.why)
		default:
			return unreachable(answer)
	}
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
