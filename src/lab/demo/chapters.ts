import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '#base/limits.ts'
import { systemClock } from '#base/system-clock.ts'
import { type Mark, markAtWall, markNow } from '../mark.ts'
import { checkCalled, checkCaller } from './check-proxies.ts'
import type { JournalTold } from './daemon-api.ts'
import { nodesFile, routeFile, type WrittenWeights, withoutNode, withWeights } from './mesh-edits.ts'
import { shortCommit } from './narrate.ts'
import { answersOf, check, countCalm, countSteps, type Show } from './show.ts'

// What happens in the demo, in order. Each chapter ends when what it is to show has been seen, or rejects with a
// LabError when that did not come in time.

export const requestsPerSecond = 500
const aloneMs = 12_000
/** How long version 2 serves half of the traffic well before it begins to fail. */
const wellMs = 1_500
/** How long the weights are watched after the way back. */
const afterBackMs = 4_000
/** How long version 2 is seen to be well before it is tried again: two flushes of counters without a failure. */
const mendedMs = 2_500

/** Everything goes to serviceB. */
export async function playBefore(show: Show, begin: Mark): Promise<void> {
	const { teller } = show
	teller.chapter('(a) Everything goes to serviceB')
	teller.tell(`serviceA sends ${requestsPerSecond} requests/s to serviceb.apps.local`)
	await checkCaller(show, { serviceB: 100 })
	await checkCalled(show)
	await pause(show, aloneMs)
	const until = markNow()
	const window = await show.load.between(begin, until)
	show.notes.versions.push({ step: 'a', weightPpm: 0, ...answersOf(window) })
	teller.tell(
		`${window.requests} requests, ${window.failed} failed; answered by ${Object.keys(window.byApp).join(', ')}`,
	)
}

/** A commit asks for a quarter: guarded steps. Everything up to its end is counted. */
export async function playQuarter(show: Show, begin: Mark): Promise<void> {
	const { watch, teller, notes } = show
	teller.chapter('(b) A commit asks for 75/25')
	const asked = markNow()
	const rollout = await commitWeights(show, 'A quarter to version 2', { serviceB: 75, serviceBv2: 25 })
	const first = await watch.until(within('the first step is confirmed'), () => watch.steps.find(rollout, 1))
	notes.commitToLastAckMs = Math.round(first.from.monotonicMs - asked.monotonicMs)
	teller.good(`first step confirmed by every proxy ${notes.commitToLastAckMs} ms after the commit`)
	await checkCaller(show, { serviceB: 90, serviceBv2: 10 })
	await waitFor(show, rollout, 'rollout.succeeded')
	await checkCaller(show, { serviceB: 75, serviceBv2: 25 })
	await countSteps(show, 'b', rollout)
	await countCalm(show, begin, markNow())
}

/** A commit asks for everything, and version 2 begins to fail when it has half. Gives the rollout that went back. */
export async function playFailure(show: Show): Promise<string> {
	const { watch, teller, load, notes, stage } = show
	teller.chapter('(c) A commit asks for 0/100, and version 2 begins to fail at 50 %')
	const rollout = await commitWeights(show, 'Everything to version 2', { serviceB: 0, serviceBv2: 100 })
	const half = await watch.until(within('version 2 holds 50 %'), () => watch.steps.find(rollout, 1))
	await checkCaller(show, { serviceB: 50, serviceBv2: 50 })
	await pause(show, wellMs)
	const broken = markNow()
	await stage.apps.serviceBv2.setFailure({ sharePpm: 1_000_000, how: { kind: 'answer', status: 503, delayMs: 0 } })
	teller.tell('version 2 answers every request with 503 from now on')

	const back = await waitFor(show, rollout, 'rollout.rollingBack')
	const confirmed = await waitFor(show, rollout, 'rollout.rolledBack')
	const [backAt, confirmedAt] = [markAtWall(Date.parse(back.time)), markAtWall(Date.parse(confirmed.time))]
	const { firstFailure } = await load.between(broken, confirmedAt)
	if (firstFailure !== null) {
		notes.firstErrorToRollbackConfirmedMs = Math.round(confirmedAt.wallMs - firstFailure.wallMs)
		teller.good(`confirmed by every proxy ${notes.firstErrorToRollbackConfirmedMs} ms after the first failed answer`)
	}
	const before = await load.between(half.from, backAt)
	notes.flushesToRollback = countFlushes(back, perSecond(answersOf(before).canaryAnswers, half.from, backAt))
	await countSteps(show, 'c', rollout)
	await pause(show, afterBackMs)
	await checkCaller(show, { serviceB: 75, serviceBv2: 25 })
	const told = watch.status().rollouts.find(({ id }) => id === rollout)
	check(show, `${rollout} is quarantined and not tried again`, told?.quarantined === true ? [] : [`${told?.text}`])
	return rollout
}

/** Version 2 is mended and the rollout retried; a last commit removes serviceB, which goes after the bake. */
export async function playRetry(show: Show, failed: string): Promise<void> {
	const { watch, teller, stage, api } = show
	teller.chapter('(d) Version 2 is mended and the rollout retried')
	await stage.apps.serviceBv2.heal()
	const begin = markNow()
	teller.tell('version 2 answers well again')
	await pause(show, mendedMs)
	const after = watch.head()
	await api.retry(failed, 'version 2 is mended')
	const started = await watch.entry({ ...within('the rollout is retried'), after }, isEvent('rollout.started'))
	const rollout = started.rollout ?? ''
	const last = await watch.until(within('version 2 holds 100 %'), () => lastStep(show, rollout))
	await checkCaller(show, { serviceB: 0, serviceBv2: 100 })

	const commit = await commitRemoval(show)
	teller.tell(`commit ${shortCommit(commit)} removes serviceB while step ${last.step} bakes`)
	const succeeded = await waitFor(show, rollout, 'rollout.succeeded')
	const removed = await watch.entry({ ...within('serviceB is removed'), after }, isRemoval)
	check(show, 'serviceB went after the bake', removed.sequence > succeeded.sequence ? [] : ['before it had ended'])
	await watch.until(within('every proxy holds what is served'), () => (isSettled(show) ? true : null))
	await checkCaller(show, { serviceBv2: 100 })
	await checkUnknown(show)
	await countSteps(show, 'd', rollout)
	await countCalm(show, begin, markNow())
}

/** Gives the rollout that it starts. */
async function commitWeights(show: Show, message: string, weights: WrittenWeights): Promise<string> {
	const { stage, watch, teller } = show
	const after = watch.head()
	const text = await readFile(join(stage.repository.path, routeFile), 'utf8')
	const commit = await stage.repository.commit(message, { [routeFile]: withWeights(text, weights) })
	const targets = Object.entries(weights).map(([node, weight]) => `${node} ${weight}`)
	teller.tell(`commit ${shortCommit(commit)}: ${targets.join(', ')}`)
	const started = await watch.entry({ ...within('a rollout starts'), after }, isEvent('rollout.started'))
	return started.rollout ?? ''
}

async function commitRemoval({ stage }: Show): Promise<string> {
	const { repository } = stage
	const [route, nodes] = await Promise.all(
		[routeFile, nodesFile].map((file) => readFile(join(repository.path, file), 'utf8')),
	)
	return repository.commit('Discontinue serviceB', {
		[routeFile]: withWeights(route ?? '', { serviceBv2: 100 }),
		[nodesFile]: withoutNode(nodes ?? '', 'serviceB'),
	})
}

function waitFor({ watch }: Show, rollout: string, event: string): Promise<JournalTold> {
	return watch.entry({ ...within(`${rollout} comes to ${event}`), after: 0 }, (entry) => {
		return entry.rollout === rollout && entry.event === event
	})
}

function isEvent(event: string): (entry: JournalTold) => boolean {
	return (entry) => entry.event === event
}

function isRemoval({ event, numbers }: JournalTold): boolean {
	return event === 'mesh.applied' && Number(numbers.remove ?? 0) > 0
}

function lastStep({ watch }: Show, rollout: string) {
	return watch.steps.records().find((record) => record.rollout === rollout && record.step === record.steps) ?? null
}

/** Every group that is still part of the mesh holds what is published. */
function isSettled({ watch }: Show): boolean {
	const { groups, pendingRemovals } = watch.status()
	return (
		pendingRemovals.length === 0 &&
		groups.every(({ types }) => Object.values(types).every(({ pending, rejected }) => pending + rejected === 0))
	)
}

/** The proxy of a node that is gone from the mesh is told so: gRPC code 5, NOT_FOUND. */
async function checkUnknown(show: Show): Promise<void> {
	const { logFile } = show.stage.envoys.serviceB
	await show.watch.until({ what: "serviceB's Envoy is told NOT_FOUND", deadlineMs: limits.envoyAdminMs }, async () => {
		return /gRPC config[^\n]* closed[^\n]*: 5,/.test(await readFile(logFile, 'utf8')) ? true : null
	})
	check(show, "serviceB's Envoy is told NOT_FOUND", [])
}

/**
 * How many flushes (one a second) the alarm took into account, from the canary requests that it names: whole flushes,
 * each with a second's worth of them. Null when the way back came from another cause.
 */
export function countFlushes(back: JournalTold, canaryRequestsPerSecond: number): number | null {
	const { alarm } = back.numbers as { alarm?: { kind: string; counts: { canary: { requests: number } } } }
	if (alarm === undefined || alarm.kind !== 'errors') return null
	const perFlush = (canaryRequestsPerSecond * limits.flushIntervalMs) / 1000
	return Math.round(alarm.counts.canary.requests / Math.max(1, perFlush))
}

function perSecond(count: number, from: Mark, until: Mark): number {
	return (count * 1000) / (until.monotonicMs - from.monotonicMs)
}

function within(what: string): { what: string; deadlineMs: number } {
	return { what, deadlineMs: limits.demoWaitMs }
}

/** Lets time pass; rejects at once when something ends the demo meanwhile. */
async function pause({ watch }: Show, ms: number): Promise<void> {
	const end = systemClock.monotonicMs() + ms
	const wanted = { what: 'time passes', deadlineMs: ms + limits.demoWaitMs }
	await watch.until(wanted, () => (systemClock.monotonicMs() >= end ? true : null))
}
