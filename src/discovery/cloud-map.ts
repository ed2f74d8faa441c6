import { answerInTime } from '#base/answer-in-time.ts'
import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { createCloudMapEntry, type Entry, takeAnswer } from './cloud-map-entry.ts'
import { type CloudMapQuery, cloudMapKey, type Endpoint, type Trouble } from './discovered.ts'
import type { DirectoryAnswer, InstanceDirectory } from './instance-directory.ts'

// The instances of each Cloud Map query that is wanted, asked for again and again. What was answered last stays
// whatever happens to Cloud Map; `cloud-map-entry.ts` says what counts as an answer.

export type CloudMap = {
	/** These and no others. A query that is no longer wanted keeps its endpoints for `discoveredKeptMs`. */
	follow(queries: readonly CloudMapQuery[]): void
	/** By `cloudMapKey`: all that is known. */
	endpoints(): ReadonlyMap<string, readonly Endpoint[]>
	troubles(): readonly Trouble[]
	close(): void
}

export type CloudMapOptions = {
	readonly directory: InstanceDirectory
	readonly clock: Clock
	readonly random: Random
	readonly log: Log
	/** What was known when the daemon last ran. */
	readonly remembered: ReadonlyMap<string, readonly Endpoint[]>
	/** `endpoints` gives something else now. */
	readonly changed: () => void
}

const late: DirectoryAnswer = { kind: 'failed', reason: 'unreachable', name: 'no answer in time' }

type Polled = Entry & { query: CloudMapQuery | null; timer: Timer | null; abort: AbortController | null }

export function createCloudMap(options: CloudMapOptions): CloudMap {
	const { directory, clock, random, log, changed } = options
	const polled = new Map<string, Polled>()
	const due: Polled[] = []
	let running = 0
	let isOpen = true

	for (const [key, endpoints] of options.remembered) letGo(entryOf(key, endpoints))

	function entryOf(key: string, endpoints: readonly Endpoint[] | null): Polled {
		const entry: Polled = { ...createCloudMapEntry(key, endpoints), query: null, timer: null, abort: null }
		polled.set(key, entry)
		return entry
	}

	function letGo(entry: Polled): void {
		entry.query = null
		entry.abort?.abort()
		entry.timer?.cancel()
		entry.timer = clock.setTimer(limits.discoveredKeptMs, () => {
			polled.delete(entry.key)
			changed()
		})
	}

	function wait(entry: Polled, delayMs: number): void {
		entry.timer?.cancel()
		entry.timer = clock.setTimer(delayMs, () => {
			due.push(entry)
			askNext()
		})
	}

	function askNext(): void {
		while (isOpen && running < limits.cloudMapAtOnce) {
			const entry = due.shift()
			if (entry === undefined) return
			if (entry.query === null || entry.abort !== null) continue
			running += 1
			void ask(entry, entry.query).finally(() => {
				running -= 1
				askNext()
			})
		}
	}

	async function ask(entry: Polled, query: CloudMapQuery): Promise<void> {
		const abort = new AbortController()
		entry.abort = abort
		const timed = { clock, timeoutMs: limits.cloudMapDeadlineMs, abort, late }
		const answer = await answerInTime<DirectoryAnswer>((signal) => directory.discover(query, signal), timed)
		entry.abort = null
		// Nobody wants it any more, or again since: then it waits for its turn already.
		if (!isOpen || entry.query !== query) {
			if (isOpen && entry.query !== null) wait(entry, 0)
			return
		}
		const isNew = takeAnswer(entry, answer, { query, log, nowMs: clock.monotonicMs(), wallMs: clock.wallMs() })
		wait(entry, pauseAfter(entry.failures))
		if (isNew) changed()
	}

	/** Nobody asks in step with others; after failures the pause doubles, up to a bound. */
	function pauseAfter(failures: number): number {
		const { cloudMapPollMs, cloudMapRetryMostMs } = limits
		if (failures === 0) return cloudMapPollMs * (0.9 + 0.2 * random())
		return Math.min(cloudMapPollMs * 2 ** (failures - 1), cloudMapRetryMostMs) * (0.5 + 0.5 * random())
	}

	return {
		follow(queries) {
			const wanted = new Map(queries.map((query) => [cloudMapKey(query), query]))
			for (const entry of polled.values()) if (entry.query !== null && !wanted.has(entry.key)) letGo(entry)
			for (const [key, query] of wanted) {
				const entry = polled.get(key) ?? entryOf(key, null)
				if (entry.query !== null) continue
				entry.query = query
				wait(entry, 0)
			}
		},
		endpoints() {
			const known = [...polled.values()].flatMap(({ key, endpoints }) =>
				endpoints === null ? [] : [[key, endpoints] as const],
			)
			return new Map(known)
		},
		troubles: () =>
			[...polled.values()].flatMap(({ query, trouble }) => (query === null || trouble === null ? [] : [trouble])),
		close() {
			isOpen = false
			for (const { timer, abort } of polled.values()) {
				timer?.cancel()
				abort?.abort()
			}
		},
	}
}
