import { answerInTime } from '#base/answer-in-time.ts'
import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Random } from '#base/random.ts'
import type { Measurement } from '#guard/look.ts'
import { type MeasurementEvent, type MeasurementSource, noData, type WatchedThreshold } from './measurement.ts'

// Each threshold guard of a running rollout, asked about again and again. Nobody waits for an answer but its own entry: one
// that does not come in time is an answer too, that there is no data.

export type ThresholdPoller = {
	/** These and no others. One that was watched before with the same question goes on where it was. */
	follow(watched: readonly WatchedThreshold[]): void
	close(): void
}

export type ThresholdPollerOptions = {
	readonly source: MeasurementSource
	readonly clock: Clock
	readonly random: Random
	readonly emit: (event: MeasurementEvent) => void
}

type Entry = {
	readonly watched: WatchedThreshold
	timer: Timer | null
	abort: AbortController | null
	/** Since the last answer with data. */
	failures: number
	state: 'watched' | 'dropped'
}

export function createThresholdPoller(options: ThresholdPollerOptions): ThresholdPoller {
	const { source, clock, random, emit } = options
	const entries = new Map<string, Entry>()
	const due: Entry[] = []
	let running = 0
	let sequence = 0

	function wait(entry: Entry, delayMs: number): void {
		entry.timer = clock.setTimer(delayMs, () => {
			due.push(entry)
			askNext()
		})
	}

	function askNext(): void {
		while (running < limits.measurementsAtOnce) {
			const entry = due.shift()
			if (entry === undefined) return
			if (entry.state === 'dropped') continue
			running += 1
			void ask(entry).finally(() => {
				running -= 1
				askNext()
			})
		}
	}

	async function ask(entry: Entry): Promise<void> {
		const { rollout, guard, question } = entry.watched
		const abort = new AbortController()
		entry.abort = abort
		const late = noData(`no answer within ${limits.measurementDeadlineMs / 1000} s`)
		const timed = { clock, timeoutMs: limits.measurementDeadlineMs, abort, late }
		const measurement = await answerInTime<Measurement>((signal) => source.ask(question, signal), timed)
		entry.abort = null
		if (entry.state === 'dropped') return
		entry.failures = measurement.kind === 'noData' ? entry.failures + 1 : 0
		sequence += 1
		emit({ kind: 'measurement', rollout, guard, sequence, measurement })
		wait(entry, pauseAfter(entry))
	}

	/** Nobody asks in step with others. After a failure it is asked sooner, with pauses that double up to the interval. */
	function pauseAfter({ failures, watched: { intervalMs } }: Entry): number {
		if (failures === 0) return intervalMs * (0.9 + 0.2 * random())
		return Math.min(limits.measurementRetryMs * 2 ** (failures - 1), intervalMs) * (0.5 + 0.5 * random())
	}

	function drop(entry: Entry): void {
		entry.state = 'dropped'
		entry.timer?.cancel()
		entry.abort?.abort()
	}

	return {
		follow(watched) {
			const named = new Map(watched.map((one) => [keyOf(one), one]))
			for (const [key, entry] of entries) {
				if (named.has(key)) continue
				drop(entry)
				entries.delete(key)
			}
			for (const [key, one] of named) {
				if (entries.has(key)) continue
				const entry: Entry = { watched: one, timer: null, abort: null, failures: 0, state: 'watched' }
				entries.set(key, entry)
				wait(entry, 0)
			}
		},
		close() {
			for (const entry of entries.values()) drop(entry)
			entries.clear()
		},
	}
}

function keyOf(watched: WatchedThreshold): string {
	return JSON.stringify(watched)
}
