import type { Random } from '#base/random.ts'
import { type ProxyGroup, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { FleetPort } from '#controller/ports.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { type Counters, createCounters } from '#telemetry/counters.ts'
import type { ClusterFlush, Flush } from '#telemetry/flush.ts'
import { type Cohort, inCohort } from '#xds/cohort.ts'
import type { Acked, FleetView, GroupView, Proxy, TypeView, XdsEvent } from '#xds/fleet-view.ts'
import {
	type FakeProxy,
	flushOf,
	forwardingAt,
	lacksCluster,
	newProxy,
	type Retention,
	resourceKey,
	restartEnvoy,
	sendRequests,
	sharesAt,
	type Traffic,
	takeResource,
	timeoutAt,
} from './fake-proxy.ts'
import { forwardingOfSnapshot, isSameShares, type Shares } from './shares.ts'
import { firstPair } from './simulated-mesh.ts'
import type { VirtualClock } from './virtual-clock.ts'

// The Envoys of a simulation and what lies between them and the daemon: snapshots reach them after a while, their
// flushes the daemon, late, or never. They outlive the daemon.

export type FleetWatcher = {
	/** A snapshot was published with other shares of a virtual service than the one before. */
	published(host: string, before: Shares | null, after: Shares): void
	/** What is in front of its shares has come. */
	fronted?(host: string): void
	/** A proxy took other shares of a virtual service in. */
	delivered(target: FakeProxy, host: string, before: Shares | null, after: Shares): void
	/** A proxy treats requests to the first route's virtual service otherwise than before; null: it had no route for them. */
	treated(target: FakeProxy, beforeMs: number | null, afterMs: number): void
	/** The daemon has put a proxy in another cohort than the one before. */
	placed(target: FakeProxy, cohort: Cohort): void
	/** The daemon took a flush in. */
	flushed(target: FakeProxy, clusters: ReadonlyMap<string, ClusterFlush>, counted: 'counted' | 'first'): void
	left(target: FakeProxy): void
}

export type FakeFleet = {
	/** Those that are there, or are to come back. */
	readonly proxies: readonly FakeProxy[]
	/** A daemon's view of this fleet: dead as soon as `isAlive` is false. */
	portFor(emit: (event: XdsEvent) => void, flush: (flush: Flush) => void, isAlive: () => boolean): FleetPort
	/** The daemon is gone: everyone is disconnected, and comes back to the next one. */
	daemonDied(): void
	connect(target: FakeProxy): void
	disconnect(target: FakeProxy): void
	/** It says goodbye, and does not come again. */
	drain(target: FakeProxy): void
	/** It dies and comes back after a while, with nothing. */
	restart(target: FakeProxy, awayMs: number): void
	/** Of the first route, by cluster. */
	sharesOf(target: FakeProxy): ReadonlyMap<string, number> | null
	/** What is in front of the first route leads to these, by cluster. */
	frontOf(target: FakeProxy): ReadonlyMap<string, number>
	/** Null: it is not connected. */
	acked(proxyKey: string): Acked | null
	/** One more, which connects at once. */
	join(): FakeProxy
}

export type FleetOptions = {
	readonly clock: VirtualClock
	readonly random: Random
	readonly group: ProxyGroup
	readonly proxies: number
	readonly traffic: Traffic
	readonly watcher: FleetWatcher
}

type Daemon = {
	readonly emit: (event: XdsEvent) => void
	readonly flush: (flush: Flush) => void
	readonly isAlive: () => boolean
	readonly counters: Map<string, Counters>
	/** By group key. */
	readonly snapshots: Map<string, Snapshot>
	excluded: ReadonlySet<string>
	cohortOf: (proxy: Proxy) => Cohort
	readonly pins: Map<string, ReadonlySet<string>>
	readonly keeps: Map<string, ReadonlySet<string>>
	readonly retention: Retention
}

const zones = ['a', 'b']
const expectedMs = 600_000

export function createFakeFleet({ clock, random, group, traffic, watcher, ...options }: FleetOptions): FakeFleet {
	const proxies: FakeProxy[] = []
	let joined = 0
	const { proxy: first } = newProxy(group, '', '')
	let daemon: Daemon | null = null
	/** Rises with whatever a view tells of. */
	let changes = 0
	let known: { born: Daemon; changes: number; views: FleetView } | null = null

	function add(): FakeProxy {
		const target = newProxy(group, `i${joined}`, zones[joined % zones.length] as string)
		target.startedMs = clock.monotonicMs()
		joined += 1
		proxies.push(target)
		/** Flushes of one stream come in their order, however late. */
		let arrivesMs = 0
		const flush = () => {
			if (target.drained) return
			sendRequests(target, traffic, random)
			arrivesMs = Math.max(arrivesMs, clock.monotonicMs() + target.flushDelayMs)
			sendFlush(target, arrivesMs - clock.monotonicMs())
			clock.setTimer(1000, flush)
		}
		clock.setTimer(random() * 1000, flush)
		return target
	}

	for (let index = 0; index < options.proxies; index += 1) add()

	function sendFlush(target: FakeProxy, delayMs: number): void {
		if (!daemon?.isAlive() || !target.connected || target.silent) return
		if (target.losesFlushes && random() < 0.5) return
		const cumulative = flushOf(target, clock.monotonicMs())
		if (delayMs === 0) takeFlush(target, cumulative)
		else reach(target, () => takeFlush(target, cumulative), delayMs)
	}

	function takeFlush(target: FakeProxy, cumulative: ReturnType<typeof flushOf>): void {
		if (daemon === null) return
		const { key } = target.proxy
		const counters = daemon.counters.get(key) ?? createCounters()
		daemon.counters.set(key, counters)
		counters.take(cumulative)
		const increments = counters.close()
		watcher.flushed(target, increments.clusters, increments.counted ? 'counted' : 'first')
		daemon.flush({ proxy: key, arrivedMs: clock.monotonicMs(), ...increments })
	}

	function reach(target: FakeProxy, then: () => void, delayMs: number): void {
		const to = daemon
		clock.setTimer(delayMs, () => {
			if (to !== null && to === daemon && to.isAlive() && target.connected) then()
		})
	}

	function send(target: FakeProxy): void {
		reach(target, () => deliver(target), target.ackDelayMs + random() * 20)
	}

	function sendToAll(groupKey: string): void {
		for (const target of proxies) if (target.connected && target.proxy.groupKey === groupKey) send(target)
	}

	function deliver(target: FakeProxy): void {
		const { groupKey } = target.proxy
		const snapshot = daemon?.snapshots.get(groupKey)
		if (snapshot === undefined || daemon === null) return
		const before = sharesAt(target)
		const beforeMs = timeoutAt(target, firstPair.host)
		let isChanged = false
		for (const { resources } of Object.values(snapshot.types))
			for (const resource of resources.values())
				isChanged = takeResource(target, resource, daemon.retention) || isChanged
		isChanged = letGo(target, snapshot) || isChanged
		if (!isChanged) return
		changes += 1
		for (const [host, after] of sharesAt(target)) {
			const held = before.get(host)
			if (!isSameShares(held, after)) watcher.delivered(target, host, held ?? null, after)
		}
		const afterMs = timeoutAt(target, firstPair.host)
		if (afterMs !== null && afterMs !== beforeMs) watcher.treated(target, beforeMs, afterMs)
		daemon.emit({ kind: 'progressed', groupKey })
	}

	/** What is not served any more goes, and a cluster not before the routes that name it. */
	function letGo(target: FakeProxy, snapshot: Snapshot): boolean {
		const named = new Set([...forwardingAt(target).clusters.values()].flatMap((ofHost) => [...ofHost.keys()]))
		let isChanged = false
		for (const [key, { typeUrl, name }] of target.held) {
			if (snapshot.types[typeUrl].resources.has(name) || (typeUrl === typeUrls.cluster && named.has(name))) continue
			target.held.delete(key)
			target.forwarding = null
			isChanged = true
		}
		return isChanged
	}

	function connect(target: FakeProxy): void {
		if (daemon === null || target.connected || target.drained) return
		target.connected = true
		target.leftMs = null
		target.arrivedMs = clock.monotonicMs()
		changes += 1
		target.proxy = inCohort(target.proxy, daemon.cohortOf(target.proxy))
		daemon.emit({ kind: 'arrived', proxy: target.proxy })
		send(target)
	}

	function place(target: FakeProxy, at: Daemon): void {
		const before = target.proxy
		target.proxy = inCohort(before, at.cohortOf(before))
		if (target.proxy === before) return
		changes += 1
		// What the last ones had that were in a wave is nothing to those of the next.
		const isLast = !proxies.some(({ proxy }) => proxy.groupKey === before.groupKey)
		if (before.group.cohort === 'candidate' && isLast) at.snapshots.delete(before.groupKey)
		at.emit({ kind: 'arrived', proxy: target.proxy })
		at.emit({ kind: 'left', proxy: before })
		watcher.placed(target, target.proxy.group.cohort)
		send(target)
	}

	function disconnect(target: FakeProxy): void {
		if (!target.connected) return
		target.connected = false
		target.leftMs = clock.monotonicMs()
		changes += 1
		watcher.left(target)
		daemon?.emit({ kind: 'left', proxy: target.proxy })
	}

	return {
		proxies,
		connect,
		disconnect,
		drain(target) {
			target.drained = true
			proxies.splice(proxies.indexOf(target), 1)
			disconnect(target)
		},
		restart(target, awayMs) {
			disconnect(target)
			restartEnvoy(target, clock.monotonicMs() + awayMs)
			clock.setTimer(awayMs, () => connect(target))
		},
		sharesOf: (target) => forwardingAt(target).clusters.get(firstPair.host) ?? null,
		frontOf: (target) => forwardingAt(target).fronts.get(firstPair.host) ?? new Map(),
		acked(proxyKey) {
			const target = proxies.find(({ proxy, connected }) => connected && proxy.key === proxyKey)
			return target === undefined ? null : { resources: [...target.held.values()], unseen: [] }
		},
		join() {
			const target = add()
			connect(target)
			return target
		},
		daemonDied() {
			daemon = null
			for (const target of proxies) target.connected = false
		},
		portFor(emit, flush, isAlive) {
			const born = newDaemon(emit, flush, isAlive)
			daemon = born
			for (const target of proxies)
				clock.setTimer(50 + random() * 900, () => daemon === born && isAlive() && connect(target))
			return portOf(born)
		},
	}

	function portOf(born: Daemon): FleetPort {
		return {
			publish(groupKey, snapshot) {
				if (!born.isAlive()) return
				const { shares: before, fronts } = forwardingOfSnapshot(born.snapshots.get(groupKey))
				born.snapshots.set(groupKey, snapshot)
				changes += 1
				for (const [host, after] of forwardingOfSnapshot(snapshot).shares) {
					const last = before.get(host)
					if (!isSameShares(last, after)) watcher.published(host, last ?? null, after)
				}
				for (const host of forwardingOfSnapshot(snapshot).fronts.keys()) if (!fronts.has(host)) watcher.fronted?.(host)
				sendToAll(groupKey)
			},
			refuse() {},
			forget(groupKey) {
				const isKept = [...born.pins, ...born.keeps].some(
					([key, kept]) => key.startsWith(`${groupKey} `) && kept.size > 0,
				)
				const isMissed = ({ proxy, connected, leftMs }: FakeProxy) =>
					proxy.groupKey === groupKey && (connected || (leftMs !== null && clock.monotonicMs() - leftMs < expectedMs))
				if (isKept || proxies.some(isMissed)) return false
				born.snapshots.delete(groupKey)
				changes += 1
				return true
			},
			fleet: () => viewsOf(born),
			*connected(groupKey) {
				for (const { proxy, connected } of proxies) if (connected && proxy.groupKey === groupKey) yield proxy
			},
			*counted(groupKey) {
				for (const { proxy, connected } of proxies)
					if (connected && proxy.groupKey === groupKey && !born.excluded.has(proxy.key)) yield proxy
			},
			exclude(keys) {
				born.excluded = keys
				changes += 1
			},
			assign(cohortOf) {
				born.cohortOf = cohortOf
				for (const target of proxies) if (target.connected) place(target, born)
			},
			holds(proxyKey, typeUrl, name) {
				const target = proxies.find(({ proxy }) => proxy.key === proxyKey)
				return target?.held.get(resourceKey(typeUrl, name))?.version ?? null
			},
			reported: () => [],
			pin(groupKey, typeUrl, name, keys) {
				const key = `${groupKey} ${resourceKey(typeUrl, name)}`
				const before = born.pins.get(key) ?? new Set()
				born.pins.set(key, keys)
				if (before.size !== keys.size || ![...keys].every((proxy) => before.has(proxy))) sendToAll(groupKey)
			},
			keep(groupKey, typeUrl, name, versions) {
				const key = `${groupKey} ${resourceKey(typeUrl, name)}`
				const before = born.keeps.get(key)
				if (versions.size > 0) born.keeps.set(key, versions)
				else born.keeps.delete(key)
				if (before !== undefined) sendToAll(groupKey)
			},
		}
	}

	/** Asked for several times a turn, and changed by less than one in ten of them. */
	function viewsOf(born: Daemon): FleetView {
		if (known?.born !== born || known.changes !== changes)
			known = { born, changes, views: new Map(groupsSeen().map((seen) => [seen.groupKey, viewOf(seen, born)])) }
		return known.views
	}

	/** The one that proxies start in, and those that they have been put in. */
	function groupsSeen(): Pick<Proxy, 'group' | 'groupKey'>[] {
		return [...new Map([first, ...proxies.map(({ proxy }) => proxy)].map((seen) => [seen.groupKey, seen])).values()]
	}

	function viewOf({ group: seen, groupKey }: Pick<Proxy, 'group' | 'groupKey'>, born: Daemon): GroupView {
		const snapshot = born.snapshots.get(groupKey)
		const all = proxies.filter(({ proxy }) => proxy.groupKey === groupKey)
		const members = all.filter(({ proxy }) => !born.excluded.has(proxy.key))
		const excluded = all.filter(({ proxy }) => born.excluded.has(proxy.key))
		const connected = members.filter((member) => member.connected)
		const gone = members.filter(
			({ connected: here, leftMs }) => !here && leftMs !== null && clock.monotonicMs() - leftMs < expectedMs,
		)
		const types = Object.values(typeUrls)
		const states = connected.map((member) => new Map(types.map((type) => [type, stateOf(member, type, snapshot)])))
		const pending = connected.filter((_, index) => [...(states[index]?.values() ?? [])].includes('pending'))
		return {
			group: seen,
			connected: connected.length,
			expected: connected.length + gone.length,
			version: snapshot?.version ?? '',
			types: Object.fromEntries(types.map((type) => [type, countOf(states, type)])) as Record<TypeUrl, TypeView>,
			pending: pending.map(({ proxy }) => proxy.key),
			gone: gone.map((member) => ({ proxy: member.proxy.key, version: versionsAt(member) })),
			rejections: connected.flatMap(({ refused }) => [...refused.values()]),
			excluded: excluded.map((member) => ({
				proxy: member.proxy.key,
				standing: member.connected ? 'connected' : 'gone',
				version: versionsAt(member),
			})),
		}
	}
}

function versionsAt({ held }: FakeProxy): string {
	return [...held.values()].map(({ version }) => version).join()
}

type State = 'current' | 'pending' | 'rejected'

function countOf(states: readonly ReadonlyMap<TypeUrl, State>[], type: TypeUrl): TypeView {
	const count = (wanted: State) => states.filter((state) => state.get(type) === wanted).length
	return { current: count('current'), pending: count('pending'), rejected: count('rejected') }
}

function stateOf(member: FakeProxy, type: TypeUrl, snapshot: Snapshot | undefined): State {
	if (snapshot === undefined) return 'pending'
	let state: State = 'current'
	for (const resource of snapshot.types[type].resources.values()) {
		const key = resourceKey(type, resource.name)
		if (member.held.get(key)?.version === resource.version) continue
		if (member.refused.get(key)?.version !== resource.version && !waitsForRefused(member, resource)) return 'pending'
		state = 'rejected'
	}
	return state
}

/** It lacks nothing but what waits for a cluster that it refused. */
function waitsForRefused(member: FakeProxy, resource: Parameters<typeof lacksCluster>[1]): boolean {
	const refuses = (cluster: string) => member.refused.has(resourceKey(typeUrls.cluster, cluster))
	return lacksCluster(member, resource) && resource.references.clusters.some(refuses)
}

function newDaemon(emit: Daemon['emit'], flush: Daemon['flush'], isAlive: () => boolean): Daemon {
	const pins: Daemon['pins'] = new Map()
	const keeps: Daemon['keeps'] = new Map()
	const retention: Retention = {
		retains({ proxy, held }, key) {
			const version = held.get(key)?.version
			const ofGroup = `${proxy.groupKey} ${key}`
			return (
				pins.get(ofGroup)?.has(proxy.key) === true ||
				(version !== undefined && keeps.get(ofGroup)?.has(version) === true)
			)
		},
	}
	return {
		emit,
		flush,
		isAlive,
		counters: new Map(),
		snapshots: new Map(),
		excluded: new Set(),
		cohortOf: () => 'stable',
		pins,
		keeps,
		retention,
	}
}
