import type { Random } from '#base/random.ts'
import { type ProxyGroup, proxyGroupKey, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { EncodedResource } from '#snapshot/snapshot.ts'
import { type ClusterMetric, metricSlots } from '#telemetry/cluster-metric.ts'
import type { CumulativeValues } from '#telemetry/counters.ts'
import { createReadings } from '#telemetry/readings.ts'
import type { Proxy, Rejection } from '#xds/fleet-view.ts'
import { type Forwarding, forwardingOf, nodeOfCluster, nothingForwarded, type SharesByHost } from './shares.ts'
import { firstPair } from './simulated-mesh.ts'

// One Envoy, as far as a rollout can tell: it takes resources in, refuses some, sends requests on by the shares that it
// really holds, and counts them. It outlives the daemon, and may be started anew, with nothing.

export type FakeProxy = {
	/** In the cohort that the daemon has put it in. */
	proxy: Proxy
	connected: boolean
	/** It has left in good order, and nobody waits for it. */
	drained: boolean
	leftMs: number | null
	/** It connected last. */
	arrivedMs: number
	/** Node, or its cluster → hosts that answer, as its own DNS sees them; one where nothing is said. */
	readonly healthy: Map<string, number>
	readonly held: Map<string, EncodedResource>
	readonly refused: Map<string, Rejection>
	/** What follows from `held`; null when that has changed. */
	forwarding: Forwarding | null
	/** Cluster → counters since this Envoy started. */
	readonly counters: Map<string, Counters>
	startedMs: number
	/** Faults. */
	ackDelayMs: number
	flushDelayMs: number
	losesFlushes: boolean
	silent: boolean
	refuseRoutes: boolean
	/** Of the first canary. */
	refuseClusters: boolean
}

type Counters = {
	/** Of the cluster whose counters these are: another one starts from zero. */
	readonly version: string
	completed: number
	errors: number
	started: number
	/** Taken and not answered. */
	active: number
}

export type Traffic = {
	/** Requests that a proxy sends to each virtual service in one second. */
	readonly requestsPerSecond: number
	/** Share of requests to a cluster, whose share of its route is given, that are answered with 5xx, at this moment. */
	errorShare(cluster: string, sharePpm: number, target: FakeProxy): number
	/** True: the cluster takes requests and never answers. */
	stalls(cluster: string): boolean
}

export function newProxy(group: ProxyGroup, instance: string, zone: string): FakeProxy {
	const { mesh, kind, name } = group.identity
	return {
		proxy: { key: `mesh/${mesh}/${kind}/${name}#${instance}`, instance, zone, group, groupKey: proxyGroupKey(group) },
		connected: false,
		drained: false,
		leftMs: null,
		arrivedMs: 0,
		healthy: new Map(),
		held: new Map(),
		refused: new Map(),
		forwarding: null,
		counters: new Map(),
		startedMs: 0,
		ackDelayMs: 5,
		flushDelayMs: 0,
		losesFlushes: false,
		silent: false,
		refuseRoutes: false,
		refuseClusters: false,
	}
}

/** Envoy was started anew: it holds nothing, and counts from zero. */
export function restartEnvoy(target: FakeProxy, nowMs: number): void {
	target.held.clear()
	target.refused.clear()
	target.counters.clear()
	target.forwarding = null
	target.startedMs = nowMs
}

export function forwardingAt(target: FakeProxy): Forwarding {
	target.forwarding ??= target.held.size === 0 ? nothingForwarded : forwardingOf(target.held.values())
	return target.forwarding
}

/** Host → shares that a proxy holds. */
export function sharesAt(target: FakeProxy): SharesByHost {
	return forwardingAt(target).shares
}

/** How long requests to a virtual service may take at a proxy, in ms; null: it has no route for them. */
export function timeoutAt(target: FakeProxy, host: string): number | null {
	return forwardingAt(target).timeouts.get(host) ?? null
}

/** What a daemon makes its proxies keep, whatever it publishes. */
export type Retention = {
	retains(target: FakeProxy, key: string): boolean
}

/** One resource reaches a proxy. True: it holds something else now, or refuses something else. */
export function takeResource(target: FakeProxy, resource: EncodedResource, retention: Retention): boolean {
	const key = resourceKey(resource.typeUrl, resource.name)
	const held = target.held.get(key)
	// A refusal counts while what was refused is what is published.
	if (target.refused.get(key)?.version === resource.version) return false
	const wasRefused = target.refused.delete(key)
	if (held?.version === resource.version) return wasRefused
	if (retention.retains(target, key)) return wasRefused
	// What names a cluster that is not there is not sent.
	if (lacksCluster(target, resource)) return wasRefused
	if (isRefused(target, resource)) {
		target.refused.set(key, {
			proxy: target.proxy.key,
			typeUrl: resource.typeUrl,
			name: resource.name,
			version: resource.version,
			text: 'simulated refusal',
		})
		return true
	}
	target.held.set(key, resource)
	target.forwarding = null
	return true
}

export function lacksCluster(target: FakeProxy, { typeUrl, references }: EncodedResource): boolean {
	return (
		typeUrl === typeUrls.route &&
		references.clusters.some((name) => !target.held.has(resourceKey(typeUrls.cluster, name)))
	)
}

/** Whatever it holds when it starts it takes: it would hold nothing else. */
function isRefused(target: FakeProxy, { typeUrl, name }: EncodedResource): boolean {
	if (typeUrl === typeUrls.cluster) return target.refuseClusters && nodeOfCluster(name) === firstPair.canary
	return typeUrl === typeUrls.route && target.refuseRoutes && target.held.has(resourceKey(typeUrl, name))
}

/** One second of requests, and a tenth as many that are matched in front of the shares. */
export function sendRequests(target: FakeProxy, traffic: Traffic, random: Random): void {
	const { clusters, fronts } = forwardingAt(target)
	sendTo([...clusters.values()], { target, traffic, random })
	const ofTesters = { ...traffic, requestsPerSecond: traffic.requestsPerSecond / 10 }
	sendTo([...fronts.values()], { target, traffic: ofTesters, random })
}

type Sending = { readonly target: FakeProxy; readonly traffic: Traffic; readonly random: Random }

function sendTo(hosts: readonly ReadonlyMap<string, number>[], { target, traffic, random }: Sending): void {
	for (const ofHost of hosts) {
		for (const [cluster, sharePpm] of ofHost) {
			const counters = countersOf(target, cluster)
			const requests = Math.round((traffic.requestsPerSecond * sharePpm) / 1_000_000)
			counters.started += requests
			if (traffic.stalls(cluster)) {
				counters.active += requests
				continue
			}
			const share = healthyHosts(target, cluster) === 0 ? 1 : traffic.errorShare(cluster, sharePpm, target)
			counters.completed += requests
			counters.errors += drawErrors(requests, share, random)
		}
	}
}

function countersOf(target: FakeProxy, cluster: string): Counters {
	const version = target.held.get(resourceKey(typeUrls.cluster, cluster))?.version ?? ''
	const before = target.counters.get(cluster)
	if (before?.version === version) return before
	const anew = { version, completed: 0, errors: 0, started: 0, active: 0 }
	target.counters.set(cluster, anew)
	return anew
}

/** What this Envoy pushes now: its counters since it started, of the clusters that it has. */
export function flushOf(target: FakeProxy, nowMs: number): CumulativeValues {
	const readings = createReadings()
	for (const { typeUrl, name } of target.held.values()) {
		if (typeUrl !== typeUrls.cluster) continue
		const { completed, errors, started, active } = countersOf(target, name)
		const counted = { completed, errors, started, active, healthyHosts: healthyHosts(target, name), hosts: 1 }
		for (const [metric, value] of Object.entries(counted))
			readings.add(name, metricSlots[metric as ClusterMetric], value)
	}
	return { times: new Map(), readings, unrouted: new Map(), uptimeS: Math.floor((nowMs - target.startedMs) / 1000) }
}

function healthyHosts({ healthy }: FakeProxy, cluster: string): number {
	return healthy.get(cluster) ?? healthy.get(nodeOfCluster(cluster)) ?? 1
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

export function resourceKey(typeUrl: TypeUrl, name: string): string {
	return `${typeUrl} ${name}`
}
