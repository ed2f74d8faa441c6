import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Store } from '#store/store.ts'
import type { DiscoveryPort, FleetPort, HookPort, RevisionReader, ThresholdPort } from './ports.ts'

/** What the loop is given: everything that is not decided in it. */
export type ControllerOptions = {
	readonly clock: Clock
	readonly log: Log
	readonly store: Store
	readonly fleet: FleetPort
	readonly discovery: DiscoveryPort
	readonly thresholds: ThresholdPort
	readonly hooks: HookPort
	readonly readRevision: RevisionReader
	/** A decision that cannot be undone by trying again: another writer, a broken assertion. The process must end. */
	readonly fatal: (error: Error) => void
}
