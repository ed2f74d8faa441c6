import type { LoadWindow } from '../load-log.ts'
import type { LoadProcess } from '../load-process.ts'
import type { Mark } from '../mark.ts'
import type { DaemonApi } from './daemon-api.ts'
import type { DaemonWatch } from './daemon-watch.ts'
import type { VersionCount } from './results.ts'
import type { Stage } from './stage.ts'
import type { Teller } from './teller.ts'

/** What every chapter plays with, and where it puts what it finds. */
export type Show = {
	readonly stage: Stage
	readonly api: DaemonApi
	readonly watch: DaemonWatch
	readonly load: LoadProcess
	readonly teller: Teller
	readonly notes: Notes
	/** What has gone that should not have: a process. Null while all is well. */
	readonly findTrouble: () => string | null
}

/** Filled by the chapters as they go: what is known when one of them fails is still told. */
export type Notes = {
	/** Stretches of time in which no request may fail. */
	readonly counted: LoadWindow[]
	countedMs: number
	readonly versions: VersionCount[]
	commitToLastAckMs: number | null
	firstErrorToRollbackConfirmedMs: number | null
	flushesToRollback: number | null
	readonly findings: string[]
}

export function emptyNotes(): Notes {
	return {
		counted: [],
		countedMs: 0,
		versions: [],
		commitToLastAckMs: null,
		firstErrorToRollbackConfirmedMs: null,
		flushesToRollback: null,
		findings: [],
	}
}

/** Says whether something holds; what does not is remembered, and the demo goes on. */
export function check({ teller, notes }: Show, claim: string, problems: readonly string[]): void {
	if (problems.length === 0) {
		teller.good(claim)
		return
	}
	for (const problem of problems) {
		const finding = `${claim}: no, ${problem}`
		teller.bad(finding)
		notes.findings.push(finding)
	}
}

/** Counts a stretch in which no request may fail, and says so. */
export async function countCalm(show: Show, from: Mark, until: Mark): Promise<void> {
	const window = await show.load.between(from, until)
	show.notes.counted.push(window)
	show.notes.countedMs += until.monotonicMs - from.monotonicMs
	const failures = Object.entries(window.failures).map(([how, count]) => `${count} × ${how}`)
	const problems =
		window.failed + window.pending === 0 ? [] : [`${window.failed + window.pending}: ${failures.join(', ')}`]
	check(show, `${window.requests} requests, none failed`, problems)
}

/** Counts who answered in each step of a rollout. */
export async function countSteps(show: Show, chapter: string, rollout: string): Promise<void> {
	for (const record of show.watch.steps.records()) {
		if (record.rollout !== rollout || record.until === null) continue
		const window = await show.load.between(record.from, record.until)
		const step = `${chapter} ${record.step}/${record.steps}`
		show.notes.versions.push({ step, weightPpm: record.canarySharePpm, ...answersOf(window) })
	}
}

export function answersOf({ byApp }: LoadWindow): Pick<VersionCount, 'answers' | 'canaryAnswers'> {
	const answers = Object.values(byApp).reduce((sum, count) => sum + count, 0)
	return { answers, canaryAnswers: byApp.serviceBv2 ?? 0 }
}
