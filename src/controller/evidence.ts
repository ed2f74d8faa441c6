import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { type BesideFold, closeBeside, createBesideFold, foldBeside } from '#guard/beside-fold.ts'
import { closeLook, createFold, type Fold, foldEndpoint, foldSample } from '#guard/fold.ts'
import type { Alarm, GuardParameters, Look } from '#guard/look.ts'
import type { Flush } from '#telemetry/flush.ts'
import type { BesideCluster, CountedLane, EndpointCluster } from './concerns.ts'
import { armOf, countedBeside, countedOf } from './counted-arms.ts'
import { createDispersions } from './dispersions.ts'
import { createHeard } from './heard.ts'
import { createTrafficMeter, type Traffic } from './traffic-meter.ts'

// The edge where flushes become evidence. Its memory is volatile: what a restart loses is silence, and silence moves
// nothing. It knows rollouts only as what to watch: which proxies, which clusters.

/** What to watch for one rollout at its step in force. Made anew when the step changes. */
export type Watch = {
	readonly rollout: string
	readonly step: number
	/** At least one; the canaries are the same in each. */
	readonly lanes: readonly CountedLane[]
	/** Clusters of what canaries get beside their shares: counted by themselves, and held against the hard limit alone. */
	readonly beside: readonly BesideCluster[]
	readonly unit: 'requests' | 'connections'
	/** Where proxies are shifted and not requests: all that a candidate counts is the canary's, all else the baseline's. */
	readonly isCandidate: ((proxyKey: string) => boolean) | null
	readonly parameters: GuardParameters
	/** Edges that request times are judged at, when they are known. */
	readonly edgesMs: readonly number[]
	/** Each canary's share of what it and the baseline are sent, where their requests tell. */
	readonly expectedShares: Readonly<Record<string, number>>
	readonly warmUpMs: number
	/** Null when the proxy does not send to the route; otherwise its zone. */
	zoneOf(proxyKey: string): string | null
	/** Names what the proxy holds of the route and its clusters, when that is what is published; else null. */
	sharesOf(proxyKey: string): string | null
	/** What a proxy counts of its own application, when that is a canary of the rollout. */
	endpointsOf(proxyKey: string): readonly EndpointCluster[]
	/** Proxies that send to the route and are connected. */
	expected(): readonly string[]
}

export type EvidenceEvent =
	| { readonly kind: 'look'; readonly rollout: string; readonly step: number; readonly look: Look }
	| { readonly kind: 'alarm'; readonly rollout: string; readonly alarm: Alarm }

export type Evidence = {
	takeFlush(flush: Flush): void
	/** Replaces the list of what is watched. A rollout that was watched before goes on where it was. */
	watch(watches: readonly Watch[]): void
	/** `null`: no fresh flush of this proxy, or none that names the cluster. */
	healthyHosts(proxyKey: string, cluster: string): number | null
	/** Final answers that its last flush counted, over all of its clusters; 0 where there is none. */
	requestsOf(proxyKey: string): number
	/** Connections that the proxy has to the cluster; `null` likewise. */
	openConnections(proxyKey: string, cluster: string): number | null
	/** Connected proxies whose flushes stopped. */
	isSilent(proxyKey: string): boolean
	/** It has been connected for so long that it would be silent, and no flush of it ever came to this boot. */
	isUnwatched(proxyKey: string): boolean
	arrived(proxyKey: string): void
	forget(proxyKey: string): void
	/** What all proxies counted of late, whether or not a rollout runs. */
	traffic(): Traffic
	/** How long requests take is judged of a rollout that is watched. */
	wantsTimes(): boolean
	/** How the errors of these clusters have varied in the last 30 minutes. */
	phiOf(clusters: readonly string[]): GuardParameters['phi']
	/** Rises whenever what `healthyHosts` and `isSilent` answer may have changed. */
	readiness(): number
	close(): void
}

type Watching = {
	watch: Watch
	readonly fold: Fold
	readonly beside: readonly BesideFold[]
	sinceMs: number
	looks: 'none' | 'some'
	timer: Timer | null
}

export function createEvidence(options: { clock: Clock; emit: (event: EvidenceEvent) => void }): Evidence {
	const { clock, emit } = options
	const heard = createHeard(clock)
	const watching = new Map<string, Watching>()
	const meter = createTrafficMeter(clock)
	let sequence = 0
	let closed = false
	let readiness = 0
	let wantsTimes = false
	const dispersions = createDispersions()
	scheduleSweep()
	scheduleDispersionLook()

	/**
	 * Each rollout has looks of its own, counted from its step. The warm-up ends with a look that is shown and not judged:
	 * what was counted under the old shares, or while the new ones settled, is in no look that is.
	 */
	function scheduleLook(watched: Watching): void {
		const warmMs = watched.sinceMs + watched.watch.warmUpMs + limits.flushIntervalMs - clock.monotonicMs()
		const isWarm = warmMs <= 0
		const waitMs = isWarm ? limits.lookIntervalMs : Math.min(warmMs, limits.lookIntervalMs)
		watched.timer = clock.setTimer(waitMs, () => {
			if (closed) return
			emitLook(watched, !isWarm)
			scheduleLook(watched)
		})
	}

	/** Silence comes by itself: it is looked for, once a second, whatever the number of turns. */
	function scheduleSweep(): void {
		clock.setTimer(limits.sweepIntervalMs, () => {
			if (closed) return
			if (heard.sweep()) readiness += 1
			scheduleSweep()
		})
	}

	function scheduleDispersionLook(): void {
		clock.setTimer(limits.lookIntervalMs, () => {
			if (closed) return
			dispersions.closeLook()
			scheduleDispersionLook()
		})
	}

	function emitLook(watched: Watching, warmingUp: boolean): void {
		const { watch, fold, beside } = watched
		const expected = watch.expected()
		const silent = expected.filter(heard.isSilent)
		sequence += 1
		const stepStart = watched.looks === 'none'
		watched.looks = 'some'
		const { parameters, edgesMs, expectedShares } = watch
		const about = { sequence, stepStart, warmingUp, expected, silent }
		const look = closeLook(fold, { ...about, parameters, edgesMs, expectedShares, beside: closeBeside(beside) })
		emit({ kind: 'look', rollout: watch.rollout, step: watch.step, look })
	}

	/** The fold goes on over a step: nothing mutes the hard limit, and a look leaves out proxies whose shares changed. */
	function follow(known: Watching | undefined, watch: Watch): void {
		if (known?.watch.step === watch.step && hasSameCanaries(known.watch, watch)) {
			known.watch = watch
			return
		}
		known?.timer?.cancel()
		const keeps = known !== undefined && hasSameCanaries(known.watch, watch)
		const { fold, beside } = keeps ? known : newFolds(watch)
		const next: Watching = { watch, fold, beside, sinceMs: clock.monotonicMs(), looks: 'none', timer: null }
		watching.set(watch.rollout, next)
		scheduleLook(next)
	}

	return {
		isSilent: heard.isSilent,
		isUnwatched: heard.isUnwatched,
		arrived: heard.arrived,
		readiness: () => readiness,
		traffic: meter.read,
		takeFlush(flush) {
			if (heard.take(flush)) readiness += 1
			meter.add(flush)
			dispersions.takeFlush(flush)
			if (!flush.counted) return
			for (const { watch, fold, beside } of watching.values()) {
				for (const { canary, cluster } of watch.endpointsOf(flush.proxy)) {
					const own = armOf(flush, [cluster], watch.unit)
					foldEndpoint(fold, { endpoint: flush.proxy, canary, requests: own.completed, errors: own.errors })
				}
				const zone = watch.zoneOf(flush.proxy)
				if (zone === null) continue
				const about = { proxy: flush.proxy, zone, shares: watch.sharesOf(flush.proxy) }
				const ways = watch.beside.length === 0 ? [] : beside
				const alarms = [
					...countedOf(flush, watch).map((counted) => foldSample(fold, { ...about, ...counted })),
					...ways.map((way) => foldBeside(way, { ...about, ...countedBeside(flush, watch, way.by) })),
				]
				const [alarm = null] = alarms.filter((found) => found !== null)
				if (alarm !== null) emit({ kind: 'alarm', rollout: watch.rollout, alarm })
			}
		},
		wantsTimes: () => wantsTimes,
		watch(watches) {
			wantsTimes = watches.some(judgesTimes)
			const named = new Map(watches.map((watch) => [watch.rollout, watch]))
			for (const [id, { timer }] of watching) {
				if (named.has(id)) continue
				timer?.cancel()
				watching.delete(id)
			}
			for (const [id, watch] of named) follow(watching.get(id), watch)
		},
		healthyHosts(proxyKey, cluster) {
			if (heard.isSilent(proxyKey)) return null
			return heard.lastOf(proxyKey)?.clusters.get(cluster)?.healthyHosts ?? null
		},
		requestsOf: (proxyKey) => heard.lastOf(proxyKey)?.requests ?? 0,
		openConnections(proxyKey, cluster) {
			if (heard.isSilent(proxyKey)) return null
			return heard.lastOf(proxyKey)?.clusters.get(cluster)?.open ?? null
		},
		forget(proxyKey) {
			dispersions.forget(proxyKey)
			if (heard.forget(proxyKey)) readiness += 1
		},
		phiOf: dispersions.phiOf,
		close() {
			closed = true
		},
	}
}

function newFolds(watch: Watch): Pick<Watching, 'fold' | 'beside'> {
	const between = watch.isCandidate === null ? 'targets' : 'proxies'
	const { hardLimitPpm } = watch.parameters
	const options = { canaries: canariesOf(watch), hardLimitPpm, between } as const
	return {
		fold: createFold(options),
		beside: [createBesideFold('front', options), createBesideFold('mirror', options)],
	}
}

function judgesTimes({ parameters, edgesMs }: Watch): boolean {
	return (parameters.latency ?? null) !== null || edgesMs.length > 0
}

/** Their keys. */
function canariesOf({ lanes }: Pick<Watch, 'lanes'>): readonly string[] {
	return [...(lanes[0]?.canaries.keys() ?? [])]
}

function hasSameCanaries(left: Watch, right: Watch): boolean {
	const [keys, others] = [canariesOf(left), canariesOf(right)]
	return keys.length === others.length && keys.every((key) => others.includes(key))
}
