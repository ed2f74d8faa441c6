import { fromBinary } from '@bufbuild/protobuf'
import type { Random } from '#base/random.ts'
import { type ProxyGroup, proxyGroupKey, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { FleetPort } from '#controller/ports.ts'
import { RouteConfigurationSchema } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import type { EncodedResource, Snapshot } from '#snapshot/snapshot.ts'
import type { ClusterFlush, Flush } from '#telemetry/flush.ts'
import { type Cohort, inCohort } from '#xds/cohort.ts'
import type { Acked, FleetView, GroupView, Proxy, Rejection, TypeView, XdsEvent } from '#xds/fleet-view.ts'
import type { VirtualClock } from './virtual-clock.ts'

// Envoys, as far as a rollout can tell: they take snapshots in after a while, refuse some, report counters each second
// that follow from the shares that they really hold. They outlive the daemon.

export type FakeProxy = {
	/** In the cohort that the daemon has put it in. */
	proxy: Proxy
	connected: boolean
	/** Cluster name → hosts that answer, as its own DNS sees them. */
	readonly healthy: Map<string, number>
	readonly held: Map<string, EncodedResource>
	readonly refused: Map<string, Rejection>
	/** What has been told to the daemon since it connected last. */
	flushedOnce: boolean
	leftMs: number | null
	/** Faults. */
	ackDelayMs: number
	silent: boolean
	refuseRoutes: boolean
	/** Last flush that the daemon took in. */
	lastFlushMs: number
	reportedHealthy: Map<string, number>
	canaryRequestsSinceChange: number
	/** Requests that a stalled cluster has taken and not answered. */
	unanswered: number
}

export type Traffic = {
	/** Requests that a proxy sends to the route in one second. */
	readonly requestsPerSecond: number
	/** Share of requests that a cluster answers with 5xx, now. */
	errorShare(cluster: string, sharePpm: number, target: FakeProxy): number
	/** True: the cluster takes requests and never answers. */
	stalls(cluster: string): boolean
}

export type FleetWatcher = {
	/** A snapshot was published: cluster → share in ppm, before and after, of a group. */
	published(groupKey: string, before: Shares | null, after: Shares): void
	/** A proxy took new shares in. */
	delivered(proxy: FakeProxy, before: Shares | null, after: Shares): void
}

/** Cluster → ppm, of the one route of the simulated mesh. */
export type Shares = ReadonlyMap<string, number>

const decoded = new Map<string, Shares>()

/** The shares that a route configuration's bytes stand for. */
export function sharesOfBytes(resource: EncodedResource | undefined): Shares | null {
	if (resource === undefined) return null
	const known = decoded.get(resource.version)
	if (known !== undefined) return known
	const config = fromBinary(RouteConfigurationSchema, resource.bytes)
	const shares = new Map<string, number>()
	for (const host of config.virtualHosts) {
		for (const route of host.routes) {
			if (route.action.case !== 'route' || route.action.value.clusterSpecifier.case !== 'weightedClusters') continue
			const { clusters } = route.action.value.clusterSpecifier.value
			const sum = clusters.reduce((total, { weight }) => total + Number(weight ?? 0), 0)
			for (const { name, weight } of clusters) shares.set(name, Math.round((Number(weight ?? 0) / sum) * 1_000_000))
		}
	}
	decoded.set(resource.version, shares)
	return shares
}

export type FakeFleet = {
	readonly proxies: readonly FakeProxy[]
	/** A daemon's view of this fleet: dead as soon as `isAlive` is false. */
	portFor(emit: (event: XdsEvent) => void, flush: (flush: Flush) => void, isAlive: () => boolean): FleetPort
	/** The daemon is gone: everyone is disconnected, and comes back to the next one. */
	daemonDied(): void
	connect(proxy: FakeProxy): void
	disconnect(proxy: FakeProxy): void
	sharesOf(proxy: FakeProxy): Shares | null
	acked(proxyKey: string): Acked | null
}

type Daemon = {
	readonly emit: (event: XdsEvent) => void
	readonly flush: (flush: Flush) => void
	readonly isAlive: () => boolean
	readonly snapshots: Map<string, Snapshot>
	readonly pins: Map<string, ReadonlySet<string>>
	readonly keeps: Map<string, string>
	excluded: ReadonlySet<string>
	cohortOf: (proxy: Proxy) => Cohort
}

export type FleetOptions = {
	readonly clock: VirtualClock
	readonly random: Random
	readonly groups: readonly { readonly group: ProxyGroup; readonly instances: readonly string[] }[]
	readonly canaryCluster: string
	readonly traffic: Traffic
	readonly watcher: FleetWatcher
}

export function createFakeFleet(options: FleetOptions): FakeFleet {
	const { clock, random, traffic, watcher } = options
	const proxies = options.groups.flatMap(({ group, instances }) =>
		instances.map((instance) => newProxy(group, instance)),
	)
	const groups = options.groups.map(({ group }) => ({ group, key: proxyGroupKey(group) }))
	let daemon: Daemon | null = null
	/** Rises with whatever a view tells of. */
	let changes = 0
	let known: { born: Daemon; changes: number; views: FleetView } | null = null

	function reach(target: FakeProxy, then: () => void, delayMs: number): void {
		const to = daemon
		clock.setTimer(delayMs, () => {
			if (to !== null && to === daemon && to.isAlive() && target.connected) then()
		})
	}

	function deliver(target: FakeProxy): void {
		const snapshot = daemon?.snapshots.get(target.proxy.groupKey)
		if (snapshot === undefined || daemon === null) return
		const before = sharesOf(target)
		let isChanged = false
		for (const type of Object.values(snapshot.types))
			for (const resource of type.resources.values()) isChanged = take(target, resource, daemon) || isChanged
		for (const [key, { typeUrl, name }] of target.held)
			if (!snapshot.types[typeUrl].resources.has(name)) isChanged = target.held.delete(key) || isChanged
		if (!isChanged) return
		changes += 1
		const after = sharesOf(target)
		if (after !== null && !isSame(before, after)) {
			target.canaryRequestsSinceChange = 0
			watcher.delivered(target, told(before), told(after))
		}
		daemon.emit({ kind: 'progressed', groupKey: target.proxy.groupKey })
	}

	/** True: it holds something else now, or refuses something else. */
	function take(target: FakeProxy, resource: EncodedResource, from: Daemon): boolean {
		const key = keyOf(resource.typeUrl, resource.name)
		const held = target.held.get(key)
		// A refusal counts while what was refused is what is published.
		if (target.refused.get(key)?.version === resource.version) return false
		const wasRefused = target.refused.delete(key)
		if (held?.version === resource.version) return wasRefused
		if (from.pins.get(`${target.proxy.groupKey} ${key}`)?.has(target.proxy.key)) return wasRefused
		if (held !== undefined && from.keeps.get(`${target.proxy.groupKey} ${key}`) === held.version) return wasRefused
		if (resource.typeUrl === typeUrls.route && target.refuseRoutes && held !== undefined) {
			target.refused.set(key, {
				proxy: target.proxy.key,
				typeUrl: resource.typeUrl,
				name: resource.name,
				version: resource.version,
				text: 'simulated refusal',
			})
		} else target.held.set(key, resource)
		return true
	}

	function flush(target: FakeProxy): void {
		if (daemon?.isAlive() && target.connected && !target.silent) {
			const clusters = new Map<string, ClusterFlush>()
			const counted = target.flushedOnce
			for (const [name, sharePpm] of sharesOf(target) ?? [])
				clusters.set(name, clusterFlush(target, name, sharePpm, counted))
			for (const { typeUrl, name } of target.held.values()) {
				if (typeUrl === typeUrls.cluster && !clusters.has(name))
					clusters.set(name, clusterFlush(target, name, 0, counted))
			}
			target.flushedOnce = true
			target.lastFlushMs = clock.monotonicMs()
			target.reportedHealthy = new Map([...clusters].map(([name, { healthyHosts }]) => [name, healthyHosts]))
			if (counted) target.canaryRequestsSinceChange += clusters.get(options.canaryCluster)?.completed ?? 0
			daemon.flush({ proxy: target.proxy.key, arrivedMs: clock.monotonicMs(), counted, clusters, unrouted: 0 })
		}
		clock.setTimer(1000, () => flush(target))
	}

	function clusterFlush(target: FakeProxy, name: string, sharePpm: number, counted: boolean): ClusterFlush {
		const healthyHosts = target.healthy.get(name) ?? 1
		const requests = counted ? Math.round((traffic.requestsPerSecond * sharePpm) / 1_000_000) : 0
		if (traffic.stalls(name)) {
			target.unanswered += requests
			return {
				completed: 0,
				errors: 0,
				retries: 0,
				started: requests,
				...noConnections,
				active: target.unanswered,
				healthyHosts,
				hosts: 1,
			}
		}
		const share = healthyHosts === 0 ? 1 : traffic.errorShare(name, sharePpm, target)
		const errors = drawErrors(requests, share, random)
		return {
			completed: requests,
			errors,
			retries: 0,
			started: requests,
			...noConnections,
			active: 0,
			healthyHosts,
			hosts: 1,
		}
	}

	for (const target of proxies) clock.setTimer(random() * 1000, () => flush(target))

	function connect(target: FakeProxy): void {
		if (daemon === null || target.connected) return
		target.connected = true
		changes += 1
		target.leftMs = null
		target.flushedOnce = false
		target.proxy = inCohort(target.proxy, daemon.cohortOf(target.proxy))
		daemon.emit({ kind: 'arrived', proxy: target.proxy })
		reach(target, () => deliver(target), latency(target))
	}

	function place(target: FakeProxy, at: Daemon): void {
		const before = target.proxy
		target.proxy = inCohort(before, at.cohortOf(before))
		if (target.proxy === before) return
		changes += 1
		at.emit({ kind: 'arrived', proxy: target.proxy })
		at.emit({ kind: 'left', proxy: before })
		reach(target, () => deliver(target), latency(target))
	}

	function latency(target: FakeProxy): number {
		return target.ackDelayMs + random() * 20
	}

	return {
		proxies,
		connect,
		disconnect(target) {
			if (!target.connected) return
			target.connected = false
			changes += 1
			target.leftMs = clock.monotonicMs()
			daemon?.emit({ kind: 'left', proxy: target.proxy })
		},
		daemonDied() {
			daemon = null
			for (const target of proxies) target.connected = false
		},
		portFor(emit, takeFlush, isAlive) {
			const born: Daemon = {
				emit,
				flush: takeFlush,
				isAlive,
				snapshots: new Map(),
				pins: new Map(),
				keeps: new Map(),
				excluded: new Set(),
				cohortOf: () => 'stable',
			}
			daemon = born
			for (const target of proxies)
				clock.setTimer(50 + random() * 900, () => daemon === born && isAlive() && connect(target))
			return portOf(born)
		},
		sharesOf: (target) => told(sharesOf(target)),
		acked(proxyKey) {
			const target = proxies.find(({ proxy, connected }) => connected && proxy.key === proxyKey)
			return target === undefined ? null : { resources: [...target.held.values()], unseen: [] }
		},
	}

	function portOf(born: Daemon): FleetPort {
		return {
			publish(groupKey, snapshot) {
				if (!born.isAlive()) return
				const before = routeOf(born.snapshots.get(groupKey))
				born.snapshots.set(groupKey, snapshot)
				changes += 1
				const after = routeOf(snapshot)
				if (after !== null && !isSame(before, after)) watcher.published(groupKey, told(before), told(after))
				for (const target of proxies) {
					if (target.proxy.groupKey === groupKey && target.connected)
						reach(target, () => deliver(target), latency(target))
				}
			},
			refuse() {},
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
			holds(proxyKey, typeUrl, name) {
				const target = proxies.find(({ proxy }) => proxy.key === proxyKey)
				return target?.held.get(keyOf(typeUrl, name))?.version ?? null
			},
			reported: () => [],
			pin(groupKey, typeUrl, name, keys) {
				const key = `${groupKey} ${keyOf(typeUrl, name)}`
				const before = born.pins.get(key) ?? new Set()
				born.pins.set(key, keys)
				if (before.size === keys.size && [...keys].every((proxy) => before.has(proxy))) return
				for (const target of proxies)
					if (target.proxy.groupKey === groupKey) reach(target, () => deliver(target), latency(target))
			},
			assign(cohortOf) {
				born.cohortOf = cohortOf
				for (const target of proxies) if (target.connected) place(target, born)
			},
			keep(groupKey, typeUrl, name, version) {
				const key = `${groupKey} ${keyOf(typeUrl, name)}`
				if (version !== null) born.keeps.set(key, version)
				else if (born.keeps.delete(key)) {
					for (const target of proxies)
						if (target.proxy.groupKey === groupKey) reach(target, () => deliver(target), latency(target))
				}
			},
		}
	}

	/** Asked for several times a turn, and changed by less than one in ten of them. */
	function viewsOf(born: Daemon): FleetView {
		if (known?.born !== born || known.changes !== changes)
			known = { born, changes, views: new Map(groupsSeen().map(({ group, key }) => [key, viewOf(group, key, born)])) }
		return known.views
	}

	/** Those that proxies start in, and those that they have been put in. */
	function groupsSeen(): typeof groups {
		const places = proxies.map(({ proxy: { group, groupKey } }) => ({ group, key: groupKey }))
		return [...new Map([...groups, ...places].map((place) => [place.key, place])).values()]
	}

	function viewOf(group: ProxyGroup, groupKey: string, born: Daemon): GroupView {
		const snapshot = born.snapshots.get(groupKey)
		const all = proxies.filter(({ proxy }) => proxy.groupKey === groupKey)
		const members = all.filter(({ proxy }) => !born.excluded.has(proxy.key))
		const connected = members.filter((member) => member.connected)
		const gone = members.filter(
			(member) => !member.connected && member.leftMs !== null && clock.monotonicMs() - member.leftMs < 600_000,
		)
		const excluded = all.filter(({ proxy }) => born.excluded.has(proxy.key))
		const states = connected.map((member) => {
			return new Map(Object.values(typeUrls).map((type) => [type, stateOf(member, type, snapshot)]))
		})
		const types = Object.fromEntries(
			Object.values(typeUrls).map((type) => [type, typeViewOf(states.map((state) => state.get(type)))]),
		) as Record<TypeUrl, TypeView>
		const pending = connected.filter((_, index) => [...(states[index]?.values() ?? [])].includes('pending'))
		return {
			group,
			connected: connected.length,
			expected: connected.length + gone.length,
			version: snapshot?.version ?? '',
			types,
			pending: pending.map(({ proxy }) => proxy.key),
			gone: gone.map(({ proxy, held }) => ({
				proxy: proxy.key,
				version: [...held.values()].map(({ version }) => version).join(),
			})),
			rejections: connected.flatMap(({ refused }) => [...refused.values()]),
			excluded: excluded.map(({ proxy, connected, held }) => ({
				proxy: proxy.key,
				standing: connected ? 'connected' : 'gone',
				version: [...held.values()].map(({ version }) => version).join(),
			})),
		}
	}

	function typeViewOf(states: readonly (string | undefined)[]): TypeView {
		const count = (wanted: string) => states.filter((state) => state === wanted).length
		return { current: count('current'), pending: count('pending'), rejected: count('rejected') }
	}

	function stateOf(
		member: FakeProxy,
		type: TypeUrl,
		snapshot: Snapshot | undefined,
	): 'current' | 'pending' | 'rejected' {
		if (snapshot === undefined) return 'pending'
		let state: 'current' | 'rejected' = 'current'
		for (const { name, version } of snapshot.types[type].resources.values()) {
			const key = keyOf(type, name)
			if (member.held.get(key)?.version === version) continue
			if (member.refused.get(key)?.version !== version) return 'pending'
			state = 'rejected'
		}
		return state
	}

	function sharesOf(target: FakeProxy): Shares | null {
		for (const resource of target.held.values()) {
			if (resource.typeUrl !== typeUrls.route) continue
			const shares = sharesOfBytes(resource)
			if (shares !== null && shares.size > 0) return shares
		}
		return null
	}
}

/** Of whatever port a target listens on, it is the same one to those who watch. */
function told<Known extends Shares | null>(shares: Known): Known {
	if (shares === null) return shares
	return new Map([...shares].map(([name, share]) => [name.replace(/_8080$/, '_80'), share])) as Shares as Known
}

function routeOf(snapshot: Snapshot | undefined): Shares | null {
	if (snapshot === undefined) return null
	for (const resource of snapshot.types[typeUrls.route].resources.values()) {
		const shares = sharesOfBytes(resource)
		if (shares !== null && shares.size > 0) return shares
	}
	return null
}

function newProxy(group: ProxyGroup, instance: string): FakeProxy {
	const groupKey = proxyGroupKey(group)
	const { mesh, kind, name } = group.identity
	return {
		proxy: { key: `mesh/${mesh}/${kind}/${name}#${instance}`, instance, zone: '', group, groupKey },
		connected: false,
		healthy: new Map(),
		held: new Map(),
		refused: new Map(),
		flushedOnce: false,
		leftMs: null,
		ackDelayMs: 5,
		silent: false,
		refuseRoutes: false,
		lastFlushMs: -Infinity,
		reportedHealthy: new Map(),
		canaryRequestsSinceChange: 0,
		unanswered: 0,
	}
}

function keyOf(typeUrl: TypeUrl, name: string): string {
	return `${typeUrl} ${name}`
}

function isSame(left: Shares | null, right: Shares): boolean {
	if (left === null || left.size !== right.size) return false
	return [...right].every(([name, share]) => left.get(name) === share)
}

/** How many of so many requests fail: from one failure to the next by one draw. */
function drawErrors(requests: number, share: number, random: Random): number {
	if (share <= 0) return 0
	if (share >= 1) return requests
	let errors = 0
	for (let at = gap(); at < requests; at += 1 + gap()) errors += 1
	return errors

	function gap(): number {
		return Math.floor(Math.log(1 - random()) / Math.log(1 - share))
	}
}

/** Its routes are counted in requests. */
const noConnections = { connects: 0, connectFailures: 0 }
