import { silentLog } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { CommandReply, ControllerCommand } from '#controller/commands.ts'
import { type Controller, createController } from '#controller/controller.ts'
import type { RevisionReader } from '#controller/ports.ts'
import type { JournalEntry } from '#store/store.ts'
import type { MeasurementEvent, MeasurementSource } from '#telemetry/measurement.ts'
import { createThresholdPoller } from '#telemetry/threshold-poller.ts'
import { noDiscovery } from '../fakes/no-discovery.ts'
import { noHooks } from '../fakes/no-hooks.ts'
import type { FakeFleet } from './fake-fleet.ts'
import type { Violate } from './invariants.ts'
import type { SimulatedStore } from './simulated-store.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** One daemon, from its start to its crash. What it does afterwards counts for nothing, and it never hears an answer. */
export type Incarnation = {
	readonly controller: Controller
	isAlive(): boolean
	dies(): void
	/** The store does not answer, and will not. */
	stalls(): void
	/** Waits until nothing is on its way inside it but what waits for the store. */
	settles(): Promise<void>
	/** Answered, or the daemon has died. */
	command(command: ControllerCommand): Promise<CommandReply | null>
}

export type IncarnationOptions = {
	readonly clock: VirtualClock
	readonly disk: SimulatedStore
	readonly fleet: FakeFleet
	readonly readRevision: RevisionReader
	readonly random: Random
	readonly figures: MeasurementSource
	/** Told of each figure that the daemon is given. */
	answered(event: MeasurementEvent): void
	crash(): void
	/** Each entry of the journal, when it is durable. */
	told(entry: JournalEntry): void
	readonly violate: Violate
	/** Errors that end a daemon are added. */
	readonly errors: string[]
}

export function createIncarnation({ clock, disk, fleet, errors, ...options }: IncarnationOptions): Incarnation {
	let alive = true
	const death = Promise.withResolvers<null>()
	let waiting: PromiseWithResolvers<null> | null = null
	let waits = Promise.withResolvers<null>()
	const isAlive = () => alive
	const store = disk.openFor({
		isAlive,
		crash: options.crash,
		waits() {
			waiting = waits
			waits.resolve(null)
		},
		goesOn() {
			waiting = null
			waits = Promise.withResolvers()
		},
	})
	const port = fleet.portFor(
		(event) => alive && controller.takeXds(event),
		(flush) => alive && controller.takeFlush(flush),
		isAlive,
	)
	const ownClock = {
		...clock,
		setTimer: (delayMs: number, fire: () => void) => clock.setTimer(delayMs, () => alive && fire()),
	}
	const poller = createThresholdPoller({
		source: options.figures,
		clock: ownClock,
		random: options.random,
		emit(event) {
			if (!alive) return
			options.answered(event)
			controller.takeMeasurement(event)
		},
	})
	const controller: Controller = createController({
		clock: ownClock,
		log: silentLog,
		store,
		fleet: port,
		discovery: noDiscovery,
		thresholds: poller,
		hooks: noHooks,
		readRevision: options.readRevision,
		fatal: (error) => {
			if (alive) errors.push(error.stack ?? error.message)
		},
	})
	const before = disk.stored()?.journal.length ?? 0
	let told = 0
	controller.onJournal((entry) => {
		told += 1
		options.told(entry)
		if (before + told > (disk.stored()?.journal.length ?? 0))
			options.violate('what is told is written down', `${entry.event} is not in the journal`)
	})

	return {
		controller,
		isAlive,
		dies() {
			alive = false
			poller.close()
			death.resolve(null)
		},
		stalls() {
			waiting = waits
			waits.resolve(null)
		},
		async settles() {
			if (waiting === null) await Promise.race([controller.idle(), death.promise, waits.promise])
			if (waiting !== null) await new Promise(setImmediate)
		},
		command: (command) => Promise.race([controller.command(command), death.promise]),
	}
}
