// The daemon: all rooms joined, in the order in which they may begin. It serves what it last decided before anybody
// looks at Git. How it is asked (the API) and started (the command) comes in by parameter.

import { parseAllowedOrigins } from '#base/allowed-origins.ts'
import { assert } from '#base/assert.ts'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { openDiscovery } from '#discovery/discovery.ts'
import { parseGitTarget } from '#source/git-target.ts'
import { openSqliteStore } from '#store/sqlite-store.ts'
import type { JournalEntry, Store } from '#store/store.ts'
import { createAskHttp } from '#telemetry/ask-http.ts'
import { createCredentials } from '#telemetry/credentials.ts'
import { createLazyCloudWatch } from '#telemetry/lazy-cloud-watch.ts'
import { createMeasurementSource } from '#telemetry/measure.ts'
import type { MeasurementEvent } from '#telemetry/measurement.ts'
import { createMetricsReceiver } from '#telemetry/metrics-receiver.ts'
import { openScraper } from '#telemetry/open-scraper.ts'
import { createThresholdPoller, type ThresholdPoller } from '#telemetry/threshold-poller.ts'
import { createAdmission } from '#xds/admission.ts'
import { createXdsServer } from '#xds/server.ts'
import { type Controller, createController } from './controller.ts'
import { createFace, type DaemonFace } from './face.ts'
import { hookNoticesOf } from './hook-calls.ts'
import { identifyNode } from './identify-node.ts'
import { createObservedFleet, type Observation } from './observed-fleet.ts'
import { type HookSettings, openHooks } from './open-hooks.ts'
import type { SourceSettings } from './open-source.ts'
import { createWorkerReader } from './read-in-worker.ts'
import { createSourceDesk } from './source-desk.ts'
import { openXdsAccess, type XdsAccess, type XdsSettings } from './xds-access.ts'

export type DaemonSettings = {
	readonly source: SourceSettings
	readonly stateDirectory: string
	/** Folder of certificates and keys that are served to proxies; null: none. */
	readonly certificates: string | null
	/** File that names Envoys whose counters are fetched, since they push none; null: none. */
	readonly scrape: string | null
	/** Of threshold guards: who may be asked, and the folder of what he is shown; null: none. */
	readonly metrics: { readonly sources: string; readonly credentials: string | null }
	readonly hooks: HookSettings
	readonly xds: XdsSettings
}

export type DaemonPorts = {
	readonly log: Log
	readonly clock: Clock
	readonly random: Random
	/** Opens what people and programs ask the daemon through; fails with one line. */
	readonly openFace: (face: DaemonFace) => Promise<Result<Face, string>>
}

export type Face = { readonly address: string; close(): Promise<void> }

/** One line that says what is wrong and what to do. */
export type StartFailure = { readonly code: 'settings' | 'store' | 'xds' | 'api'; readonly message: string }

export type Daemon = DaemonFace & {
	/** Where it listens, with the ports that the system gave. */
	readonly addresses: { readonly xds: string; readonly api: string }
	/** Resolves when it cannot go on: another writer, a broken assertion. The process must end. */
	readonly failed: Promise<Error>
	/** Looks at the source, and at the certificate of xDS, now. */
	poll(): Promise<void>
	/** Proxies are told to go elsewhere, the journal is closed; weights stay as they are. */
	stop(): Promise<void>
}

/** Starts everything, or nothing: what was opened before a failure is closed again. */
export async function startDaemon(settings: DaemonSettings, ports: DaemonPorts): Promise<Result<Daemon, StartFailure>> {
	const problem = findProblem(settings)
	if (problem !== null) return fail({ code: 'settings', message: problem })
	const access = await openXdsAccess(settings.xds, ports)
	if (!access.ok) return fail({ code: 'settings', message: access.error })
	const closers = [() => access.value.close()]
	const opened = await openSqliteStore({ directory: settings.stateDirectory, log: ports.log })
	if (opened.ok) closers.push(() => opened.value.close())
	const started = opened.ok
		? await startOnStore(settings, ports, { store: opened.value, access: access.value, closers })
		: fail({ code: 'store', message: opened.error.message } as const)
	if (!started.ok) await closeAll(closers)
	return started
}

function findProblem({ source, metrics, hooks }: DaemonSettings): string | null {
	const target = source.kind === 'git' ? parseGitTarget(source) : succeed(null)
	if (!target.ok) return target.error.join('; ')
	const allowed = parseAllowedOrigins('metric-sources', metrics.sources)
	if (!allowed.ok) return `metric-sources: ${allowed.error}`
	const receivers = parseAllowedOrigins('hook-receivers', hooks.receivers)
	return receivers.ok ? null : `hook-receivers: ${receivers.error}`
}

type Opened = {
	readonly store: Store
	readonly access: XdsAccess
	/** What is open so far; closed in reverse. */
	readonly closers: (() => Promise<void>)[]
}

async function startOnStore(
	settings: DaemonSettings,
	ports: DaemonPorts,
	{ store, access, closers }: Opened,
): Promise<Result<Daemon, StartFailure>> {
	const { log, clock } = ports
	const observers = new Set<(observation: Observation) => void>()
	const admission = createAdmission(access.proof)
	const failure = Promise.withResolvers<Error>()
	const receiver = createMetricsReceiver({
		clock,
		log,
		identify: (caller, node) => identifyNode(admission, caller, node),
		emit: (flush) => controller.takeFlush(flush),
		wantsTimes: () => controller.evidence.wantsTimes(),
	})
	const server = createXdsServer({
		clock,
		log,
		certificate: access.certificate(),
		admission,
		services: [receiver.service],
		...(settings.xds.engine === undefined ? {} : { engine: settings.xds.engine }),
		emit(event) {
			fleet.observe(event)
			controller.takeXds(event)
		},
	})
	access.follow((certificate) => server.secure(certificate))
	const fleet = createObservedFleet({
		server,
		clock,
		emit(observation) {
			for (const observe of observers) observe(observation)
		},
	})
	const discovery = await openDiscovery({
		...ports,
		stateDirectory: settings.stateDirectory,
		certificates: settings.certificates,
		changed: () => controller.takeDiscovery(),
	})
	closers.push(() => discovery.close())
	const thresholds = openThresholds(settings.metrics, ports, (event) => controller.takeMeasurement(event))
	closers.push(async () => thresholds.close())
	const hooks = openHooks({
		...settings.hooks,
		...ports,
		emit: (event) => controller.takeHook(event),
		observe(observation) {
			for (const observe of observers) observe({ kind: 'hook', ...observation })
		},
	})
	closers.push(async () => hooks.close())
	if (settings.scrape !== null) {
		const scraper = openScraper({
			file: settings.scrape,
			hasPushed: (proxyKey) => receiver.hasPushed(proxyKey),
			emit: (flush) => controller.takeFlush(flush),
			...ports,
		})
		closers.push(async () => scraper.close())
	}
	const reader = createWorkerReader({ clock, log })
	closers.push(() => reader.close())
	const controller = createController({
		clock,
		log,
		store,
		fleet: fleet.port,
		discovery: { ...discovery, troubles: () => [...access.troubles(), ...discovery.troubles()] },
		thresholds,
		hooks,
		readRevision: reader.read,
		fatal: failure.resolve,
	})

	controller.onJournal((entry) => logDecision(entry, log))
	controller.onJournal((entry) => {
		for (const notice of hookNoticesOf(entry, controller.view().state.rollouts)) hooks.tell(notice)
	})
	const loaded = await load(controller)
	if (!loaded.ok) return loaded
	closers.push(() => controller.stop())
	const listening = await server.listen(settings.xds.address)
	if (!listening.ok) return fail({ code: 'xds', message: listening.error.message })
	closers.push(() => server.close(limits.stopDrainMs))
	const addresses = { xds: settings.xds.address.replace(/\d+$/, String(listening.value.port)), api: '' }

	const desk = createSourceDesk({
		settings: settings.source,
		stateDirectory: settings.stateDirectory,
		ports,
		controller,
	})
	const { face, stop } = createFace({
		clock,
		controller,
		fleet: fleet.port,
		acked: (proxyKey) => server.acked(proxyKey),
		standings: () => [...server.fleet().keys()].flatMap((groupKey) => [...server.proxies(groupKey)]),
		readJournal: (after, limit) => store.readJournal(after, limit),
		readLooks: (rollout, after, limit) => store.readLooks(rollout, after, limit),
		command: (command) => desk.command(command),
		observers,
	})
	closers.push(async () => stop())
	const opened = await ports.openFace(face)
	if (!opened.ok) return fail({ code: 'api', message: opened.error })
	closers.push(() => opened.value.close())
	desk.start()
	closers.push(() => desk.close())
	return succeed({
		...face,
		addresses: { ...addresses, api: opened.value.address },
		failed: failure.promise,
		async poll() {
			await Promise.all([desk.poll(), access.look()])
		},
		async stop() {
			stop()
			await closeAll(closers)
		},
	})
}

function openThresholds(
	{ sources, credentials }: DaemonSettings['metrics'],
	{ clock, random }: DaemonPorts,
	emit: (event: MeasurementEvent) => void,
): ThresholdPoller {
	const allowed = parseAllowedOrigins('metric-sources', sources)
	assert(allowed.ok, 'settings are checked before anything is opened')
	const ask = createAskHttp({
		allowed: allowed.value,
		credentials: createCredentials({ directory: credentials, environment: process.env }),
	})
	const source = createMeasurementSource({ ask, cloudWatch: createLazyCloudWatch(), wallMs: () => clock.wallMs() })
	return createThresholdPoller({ source, clock, random, emit })
}

async function load(controller: Controller): Promise<Result<null, StartFailure>> {
	try {
		await controller.start()
		return succeed(null)
	} catch (error) {
		const why = error instanceof Error ? error.message : String(error)
		return fail({
			code: 'store',
			message: `the stored state cannot be loaded (${why}): run the Sluice that wrote it, or move the state away`,
		})
	}
}

const badNews = ['revision.refused', 'rollout.held', 'rollout.rollingBack', 'rollout.rolledBack']

/** The log tells every decision under the name that the journal has for it. */
function logDecision({ event, rollout, actor, reason }: JournalEntry, log: Log): void {
	const fields = { ...(rollout === null ? {} : { rollout }), actor, reason }
	if (badNews.includes(event)) log.warn(event, fields)
	else log.info(event, fields)
}

/** In reverse of the order in which things were opened. */
async function closeAll(closers: (() => Promise<void>)[]): Promise<void> {
	for (const close of closers.splice(0).reverse()) await close()
}
