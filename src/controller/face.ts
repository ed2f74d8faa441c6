// What the daemon shows to those who ask it: the contract that the API is built on.

import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { JournalEntry, JournalRecord, LookRecord } from '#store/store.ts'
import type { Acked } from '#xds/fleet-view.ts'
import type { CommandReply, ControllerCommand } from './commands.ts'
import type { Controller } from './controller.ts'
import { explainProxy, type ProxyExplanation, type ProxyQuestion } from './explain-proxy.ts'
import { type Health, healthOf } from './health.ts'
import type { Observation } from './observed-fleet.ts'
import type { FleetPort } from './ports.ts'
import { type ProxyStanding, proxiesOf } from './proxy-status.ts'
import { type Status, statusOf } from './status.ts'
import type { Traffic } from './traffic-meter.ts'

/** What the API may ask of the daemon. */
export type DaemonFace = {
	status(): Status
	/** What all proxies counted of late, by cluster. */
	traffic(): Traffic
	health(): Health
	/** How a connected proxy treats a request, by what it has ACKed. */
	explain(question: ProxyQuestion): ProxyExplanation
	/** Proxies whose name begins so, and how many more there are. */
	proxies(name: string): ReturnType<typeof proxiesOf>
	command(command: ControllerCommand): Promise<CommandReply>
	/** Records after a sequence, oldest first. */
	readJournal(after: number, limit: number): Promise<readonly JournalRecord[]>
	/** Judged looks of a rollout with a sequence above `after`, as JSON, oldest first. */
	readLooks(rollout: string, after: number, limit: number): Promise<readonly LookRecord[]>
	/** Told of each entry when it is durable. Returns how to stop that. */
	onJournal(listen: (entry: JournalEntry) => void): () => void
	onObservation(listen: (observation: Observation) => void): () => void
}

export type FaceOptions = {
	readonly clock: Clock
	readonly controller: Controller
	readonly fleet: FleetPort
	/** All that a connected proxy has ACKed, or null. */
	readonly acked: (proxyKey: string) => Acked | null
	/** Of all connected proxies. */
	readonly standings: () => Iterable<ProxyStanding>
	readonly readJournal: DaemonFace['readJournal']
	readonly readLooks: DaemonFace['readLooks']
	readonly command: DaemonFace['command']
	/** Who is told of observations. */
	readonly observers: Set<(observation: Observation) => void>
}

/** `stop`: from then on it is not ready, and its heart stands still. */
export function createFace(options: FaceOptions): { readonly face: DaemonFace; stop(): void } {
	const { clock, controller, fleet, acked, standings, readJournal, readLooks, command, observers } = options
	const heart = startHeart(clock)
	let serving: 'serving' | 'stopping' = 'serving'
	return {
		face: {
			status: () =>
				statusOf({
					view: controller.view(),
					fleet,
					evidence: controller.evidence,
					placeOf: (rejection) => controller.placeOf(rejection),
					wallMs: clock.wallMs(),
				}),
			traffic: () => controller.evidence.traffic(),
			health: () => healthOf({ view: controller.view(), nowMs: clock.monotonicMs(), beatMs: heart.beatMs(), serving }),
			explain: (question) => explainProxy(question, { fleet, acked, view: controller.view() }),
			proxies: (name) =>
				proxiesOf(
					{
						state: controller.view().state,
						fleet: fleet.fleet(),
						standings: standings(),
						evidence: controller.evidence,
						wallMs: clock.wallMs(),
					},
					name,
				),
			command,
			readJournal,
			readLooks,
			onJournal: (listen) => controller.onJournal(listen),
			onObservation(listen) {
				observers.add(listen)
				return () => observers.delete(listen)
			},
		},
		stop() {
			serving = 'stopping'
			heart.stop()
		},
	}
}

/** A timer in the main loop: how long it is late is how long the loop stood still. */
function startHeart(clock: Clock): { beatMs(): number; stop(): void } {
	let lastMs = clock.monotonicMs()
	let timer: Timer | null = null
	function beat(): void {
		lastMs = clock.monotonicMs()
		timer = clock.setTimer(limits.heartbeatMs, beat)
	}
	beat()
	return { beatMs: () => lastMs, stop: () => timer?.cancel() }
}
