import type { ProxyGroup, TypeUrl } from '#compile/compiled.ts'
import type { Discovered, Trouble, Wanted } from '#discovery/discovered.ts'
import type { HookCall } from '#hooks/hook-call.ts'
import type { ReadOutcome } from '#mesh/mesh.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { Revision } from '#source/revision.ts'
import type { WatchedThreshold } from '#telemetry/measurement.ts'
import type { FleetView, Proxy, Reported } from '#xds/fleet-view.ts'

// What the controller needs of the rooms at its edges. The simulator and the daemon fill them differently; the
// controller is the same.

/** Where snapshots go, and what is known of the proxies. The xDS server is one. */
export type FleetPort = {
	/** Taken in when it returns. */
	publish(groupKey: string, snapshot: Snapshot): void
	/** The identity is not in the mesh: its proxies are told so. */
	refuse(groupKey: string, message: string): void
	/** Nothing is served or refused to this group any more. False: not yet, for somebody is in it, or was lately. */
	forget(groupKey: string): boolean
	fleet(): FleetView
	/** Connected proxies of a group, excluded ones among them. */
	connected(groupKey: string): Iterable<Proxy>
	/** Of those, the ones that count: whom a step waits for and whose counters are evidence. */
	counted(groupKey: string): Iterable<Proxy>
	/** From now on these, by key, are served like others and are in no number of the fleet's view. */
	exclude(proxyKeys: ReadonlySet<string>): void
	/** The version of a resource that a proxy has ACKed, or null. */
	holds(proxyKey: string, typeUrl: TypeUrl, name: string): string | null
	/** What a proxy said that it holds, while its group has not been published. */
	reported(proxyKey: string): readonly Reported[]
	/** Proxies of this group, by key, that are to keep what they hold of this resource, whatever is published. */
	pin(groupKey: string, typeUrl: TypeUrl, name: string, proxyKeys: ReadonlySet<string>): void
	/** Proxies of this group that hold one of these versions of the resource keep it, whatever is published; none ends that. */
	keep(groupKey: string, typeUrl: TypeUrl, name: string, versions: ReadonlySet<string>): void
	/** From now on each proxy is in the cohort that this says; who is moved is told as arrived, then as left. */
	assign(cohortOf: (proxy: Proxy) => ProxyGroup['cohort']): void
}

/** What is served but never in Git. Whoever fills this calls `takeDiscovery` of the controller when `current` changes. */
export type DiscoveryPort = {
	/** All that is known now. The same object until something changes. */
	current(): Discovered
	/** What to look for from now on. */
	follow(wanted: Wanted): void
	/** What keeps it from finding something, by subject. */
	troubles(): readonly Trouble[]
}

/** Who asks for the figures of threshold guards. Answers come in by `takeMeasurement` of the controller. */
export type ThresholdPort = {
	/** Whom to ask from now on, and nobody else. */
	follow(watched: readonly WatchedThreshold[]): void
}

/** Who calls the hooks that rollouts wait for. Answers come in by `takeHook` of the controller. */
export type HookPort = {
	/** Whom to call from now on, and nobody else. */
	follow(calls: readonly HookCall[]): void
}

/**
 * Reads a revision apart from the main loop, under a deadline and a memory limit. `leave`: a mesh that does not fulfil its
 * own expectations is a mesh all the same.
 */
export type RevisionReader = (revision: Revision, expectations: 'run' | 'leave') => Promise<ReadOutcome>

export type SourcePort = {
	start(): void
	/** Look again now. */
	poll(): Promise<void>
	/** Deliver this revision although it was refused. */
	accept(id: string): Promise<void>
	close(): Promise<void>
}
