// The demo: two versions of a service behind three real Envoys, real traffic, a rollout, a bad release that is taken
// back by itself. Everything runs on this machine, on loopback, and is gone afterwards. This file is its course; what
// stands on the stage is in stage.ts, what happens in chapters.ts, what must hold in results.ts.

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { systemClock } from '#base/system-clock.ts'
import { findEnvoy } from '../find-envoy.ts'
import { LabError } from '../lab-error.ts'
import { startLoadProcess } from '../load-process.ts'
import { markNow } from '../mark.ts'
import { runCommand } from '../run-command.ts'
import { makeTempDirectory } from '../temp.ts'
import { type DemoAddresses, findAddresses, formatHostPort } from './addresses.ts'
import { playBefore, playFailure, playQuarter, playRetry, requestsPerSecond } from './chapters.ts'
import { createDaemonApi } from './daemon-api.ts'
import { type DaemonWatch, watchDaemon } from './daemon-watch.ts'
import { keepUp } from './keep.ts'
import { narrate } from './narrate.ts'
import { type DemoResults, findFailures, renderResults, writeReport } from './results.ts'
import { emptyNotes, type Notes, type Show } from './show.ts'
import { openStage, type Stage } from './stage.ts'
import { createTeller, type Palette, type Teller } from './teller.ts'

export type DemoOptions = {
	/** `close`: all chapters, then the table. `keep`: the first chapter, then it stays up until Ctrl-C. */
	readonly ending: 'close' | 'keep'
	/** Where the table goes as JSON. */
	readonly reportFile: string | null
	readonly palette: Palette
	/** Gets one line at a time. */
	readonly say: (line: string) => void
}

/** Plays it; `failed` when anything did not hold, after saying what. */
export async function runDemo(options: DemoOptions): Promise<'ok' | 'failed'> {
	const teller = createTeller({ clock: systemClock, palette: options.palette, say: options.say })
	teller.title('Sluice: two versions of a service, three real Envoys, one bad release. About two minutes.')
	const ready = await prepare(teller)
	if (!ready.ok) {
		teller.plain(`sluice demo: ${ready.error}`)
		return 'failed'
	}
	const notes = emptyNotes()
	let proxyRestarts = 0
	try {
		await using stage = await openStage({ ...ready.value, tell: teller.tell })
		const restarts = countRestarts(stage)
		try {
			await play(stage, { options, teller, notes, restarts })
		} catch (error) {
			keepLogs(stage, teller)
			throw error
		} finally {
			proxyRestarts = restarts.count
		}
		if (options.ending === 'keep') return 'ok'
		teller.tell('stopping everything')
	} catch (error) {
		if (!(error instanceof LabError)) throw error
		notes.findings.push(error.message)
		if (options.ending === 'keep') {
			teller.bad(error.message)
			return 'failed'
		}
	}
	return close(resultsOf(notes, proxyRestarts), options, teller)
}

type Ready = { readonly envoy: string; readonly addresses: DemoAddresses }

/** What the machine must have. Fails with one line that ends with the way out. */
async function prepare(teller: Teller): Promise<Result<Ready, string>> {
	if (process.platform !== 'linux') {
		return fail(`it needs Linux, for its loopback addresses, and this is ${process.platform}: run it in a container`)
	}
	const git = await runCommand('git', ['--version'])
	if (git.kind !== 'exited' || git.code !== 0) return fail('there is no git: install it')
	const envoy = await findEnvoy({ onProgress: teller.tell })
	if (!envoy.ok) return fail(envoy.error.message)
	const addresses = await findAddresses()
	if (!addresses.ok) return addresses
	teller.tell(`Envoy ${envoy.value.version}: ${envoy.value.path}`)
	if (addresses.value.ingressPort !== 80) {
		teller.tell(`port 80 cannot be bound by this user: the services use ${addresses.value.ingressPort} instead`)
	}
	return succeed({ envoy: envoy.value.path, addresses: addresses.value })
}

type Play = {
	readonly options: DemoOptions
	readonly teller: Teller
	readonly notes: Notes
	readonly restarts: Restarts
}

async function play(stage: Stage, { options, teller, notes, restarts }: Play): Promise<void> {
	const api = createDaemonApi(formatHostPort(stage.addresses.http))
	const findTrouble = () => stage.daemon.ending() ?? restarts.first
	await using watch = await watchDaemon({
		api,
		findTrouble,
		onEntry(entry) {
			const sentence = narrate(entry)
			if (sentence !== null) teller.tell(sentence)
		},
		onStatus({ rollouts }) {
			const running = rollouts.find(({ endedAt }) => endedAt === null)
			if (running !== undefined && teller.quietMs() > limits.demoQuietMs) teller.tell(`sluice: ${running.text}`)
		},
	})
	await watch.until({ what: 'every Envoy holds what is served', deadlineMs: limits.demoWaitMs }, () =>
		readyGroups(watch),
	)
	const begin = markNow()
	const { proxies, egressPort } = stage.addresses
	await using load = await startLoadProcess({
		address: proxies.serviceA,
		port: egressPort,
		authority: 'serviceb.apps.local',
		ratePerSecond: requestsPerSecond,
	})
	const show: Show = { stage, api, watch, load, teller, notes, findTrouble }
	await playBefore(show, begin)
	if (options.ending === 'keep') {
		await keepUp(show)
		return
	}
	await playQuarter(show, begin)
	const failed = await playFailure(show)
	await playRetry(show, failed)
}

function readyGroups(watch: DaemonWatch): true | null {
	const { groups } = watch.status()
	const ready = groups.filter(
		({ connected, types }) => connected === 1 && types.cluster.current === 1 && types.route.current === 1,
	)
	return ready.length === 3 ? true : null
}

type Restarts = { readonly count: number; readonly first: string | null }

/** Envoys that ended without being asked to. Nothing starts them again: the demo ends then, and says so. */
function countRestarts(stage: Stage): Restarts {
	const ended: string[] = []
	for (const envoy of Object.values(stage.envoys)) {
		// Resolves in any case; only an end that nobody asked for counts.
		void envoy.exited.then(({ kind, code, signal }) => {
			if (kind === 'unasked') ended.push(`Envoy ${envoy.name} ended with ${signal ?? `code ${code}`}`)
		})
	}
	return {
		get count() {
			return ended.length
		},
		get first() {
			return ended[0] ?? null
		},
	}
}

/** What a failed demo leaves behind to look at. */
function keepLogs(stage: Stage, teller: Teller): void {
	const folder = makeTempDirectory('demo-logs')
	folder.keep()
	cpSync(stage.daemon.logFile, join(folder.path, 'daemon.log'))
	for (const { name, logFile } of Object.values(stage.envoys)) cpSync(logFile, join(folder.path, `${name}.log`))
	teller.tell(`the logs are kept in ${folder.path}`)
}

function resultsOf(notes: Notes, proxyRestarts: number): DemoResults {
	const { counted, ...rest } = notes
	const sum = (count: (window: Notes['counted'][number]) => number) =>
		counted.reduce((total, window) => total + count(window), 0)
	return {
		...rest,
		requests: sum(({ requests }) => requests),
		failed: sum(({ failed, pending }) => failed + pending),
		proxyRestarts,
	}
}

async function close(results: DemoResults, options: DemoOptions, teller: Teller): Promise<'ok' | 'failed'> {
	teller.chapter('What was measured')
	for (const line of renderResults(results)) teller.plain(line)
	teller.plain('')
	if (options.reportFile !== null) await writeReport(options.reportFile, results)
	const failures = findFailures(results)
	for (const failure of failures) teller.bad(failure)
	if (failures.length > 0) return 'failed'
	teller.good('everything holds')
	return 'ok'
}
