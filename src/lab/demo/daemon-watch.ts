import { limits } from '#base/limits.ts'
import { systemClock } from '#base/system-clock.ts'
import type { Status } from '#controller/status.ts'
import { LabError } from '../lab-error.ts'
import { markNow } from '../mark.ts'
import { until } from '../until.ts'
import type { DaemonApi, JournalTold } from './daemon-api.ts'
import { createStepLog, type StepLog } from './step-log.ts'

/** What the daemon says of itself, followed all the time: its journal as events, its status by asking. */
export type DaemonWatch = AsyncDisposable & {
	readonly steps: StepLog
	/** The newest. */
	status(): Status
	journal(): readonly JournalTold[]
	/** Rejects when `look` gives null for so long, or when something went wrong that ends the demo. */
	until<Value>(wanted: Wanted, look: () => Value | null | Promise<Value | null>): Promise<Value>
	/** The first record after `after` that `matches`. */
	entry(wanted: Wanted & { readonly after: number }, matches: (entry: JournalTold) => boolean): Promise<JournalTold>
	/** Sequence of the newest record. */
	head(): number
}

export type Wanted = { readonly what: string; readonly deadlineMs: number }

export type DaemonWatchOptions = {
	readonly api: DaemonApi
	readonly onEntry: (entry: JournalTold) => void
	readonly onStatus: (status: Status) => void
	/** What ends the demo, or null: a process that has gone. */
	readonly findTrouble: () => string | null
}

export async function watchDaemon(options: DaemonWatchOptions): Promise<DaemonWatch> {
	const { api, onEntry, onStatus, findTrouble } = options
	const closing = new AbortController()
	const steps = createStepLog()
	const entries: JournalTold[] = []
	let status = await api.status()
	let failure: unknown = null
	const following = Promise.all([followJournal(), followStatus()])

	async function followJournal(): Promise<void> {
		try {
			for await (const entry of api.journal(closing.signal)) {
				entries.push(entry)
				steps.noteEntry(entry)
				onEntry(entry)
			}
			failure ??= new LabError('exited', "the daemon's events have ended")
		} catch (error) {
			// The end that `closing` brings about comes here too, when nobody waits any more.
			failure ??= error
		}
	}

	async function followStatus(): Promise<void> {
		while (!closing.signal.aborted) {
			try {
				status = await api.status()
			} catch (error) {
				failure ??= error
				return
			}
			steps.noteStatus(status.rollouts, markNow())
			onStatus(status)
			await new Promise<void>((resolve) => systemClock.setTimer(limits.demoStatusMs, resolve))
		}
	}

	function waitUntil<Value>(
		{ what, deadlineMs }: Wanted,
		look: () => Value | null | Promise<Value | null>,
	): Promise<Value> {
		return until({ clock: systemClock, deadlineMs, what }, async () => {
			const trouble = findTrouble()
			if (trouble !== null) throw new LabError('exited', trouble)
			if (failure !== null) throw failure
			return look()
		})
	}

	return {
		steps,
		status: () => status,
		journal: () => entries,
		until: waitUntil,
		entry: (wanted, matches) =>
			waitUntil(wanted, () => entries.find((entry) => entry.sequence > wanted.after && matches(entry)) ?? null),
		head: () => entries.at(-1)?.sequence ?? 0,
		async [Symbol.asyncDispose]() {
			closing.abort()
			await following
		},
	}
}
