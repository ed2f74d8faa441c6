import { limits } from '#base/limits.ts'
import { addRequestTimes, noRequestTimes, type RequestTimes } from '#base/request-times.ts'
import { addArms, addCounts, noCounts } from './arms.ts'
import { createWatch, type HardLimitWatch, type WatchedFlush, watchFlush } from './hard-limit.ts'
import { afterLook, type LateFailures, noLateFailures } from './leave-one-out.ts'
import type { Alarm, ArmIncrement, CanaryKey, Counts, GuardParameters, Look, Sample } from './look.ts'
import { type ArmTotals, type Comparison, lookAtCanary, noTotals, type ProxyTotals } from './strata.ts'

// Where samples become looks, at the edge: one fold per rollout, owned and mutated by the one who receives the samples.
// A sample costs the number of canaries; memory is the proxies that report; what leaves is of fixed size.

export type Fold = {
	readonly canaries: readonly CanaryKey[]
	readonly hardLimitPpm: number
	readonly between: Comparison
	/** By proxy and lane. */
	readonly proxies: Map<string, ProxyFold>
	readonly fleet: ReadonlyMap<CanaryKey, FleetFold>
	/** Of the baseline, for as long as no edge has been chosen by it. */
	baselineTimes: RequestTimes
	/** By canary: what its endpoints' own Envoys counted in the running look. */
	readonly endpoints: ReadonlyMap<CanaryKey, Map<string, Counts>>
	/** Likewise, their failures of late. */
	readonly lateFailures: Map<CanaryKey, LateFailures>
}

type ProxyFold = {
	readonly proxy: string
	readonly lane: string
	zone: string
	/** The shares of every sample of the running look; null when one had none, or others. */
	shares: string | null
	samples: number
	readonly canaries: ReadonlyMap<CanaryKey, { totals: ArmTotals; readonly watch: HardLimitWatch }>
	baseline: ArmTotals
	unrouted: number
}

/** The sum over the fleet of one round: as many flushes as there are proxies that report. */
type FleetFold = { round: WatchedFlush; flushes: number; readonly watch: HardLimitWatch }

export type FoldOptions = {
	readonly canaries: readonly CanaryKey[]
	readonly hardLimitPpm: number
	readonly between?: Comparison
}

export function createFold({ between = 'targets', ...options }: FoldOptions): Fold {
	const canaries = options.canaries.toSorted()
	const fleet = new Map(canaries.map((key) => [key, { round: noFlush, flushes: 0, watch: createWatch() }]))
	return {
		canaries,
		hardLimitPpm: options.hardLimitPpm,
		between,
		proxies: new Map(),
		fleet,
		baselineTimes: noRequestTimes,
		endpoints: new Map(canaries.map((key) => [key, new Map()])),
		lateFailures: new Map(),
	}
}

/**
 * Adds one flush to the running look and holds it against the hard limit: first the proxy's own stream, then the sum
 * over the fleet. An alarm comes again with each flush that shows it.
 */
export function foldSample(fold: Fold, sample: Sample): Alarm | null {
	const proxy = fold.proxies.get(keyOf(sample)) ?? joinFold(fold, sample)
	if (proxy.samples === 0 && !heldBefore(proxy, sample)) forgetLateErrors(proxy)
	addToLook(proxy, sample)
	let alarm: Alarm | null = null
	for (const [canary, { watch }] of proxy.canaries) {
		const flush = watchedFlush(sample.canaries[canary] ?? noIncrement, sample)
		const own = fold.between === 'targets' ? watchFlush(watch, flush, fold.hardLimitPpm) : null
		const fleet = foldIntoFleet(fold, canary, flush)
		if (own !== null) alarm ??= { ...own, by: 'shares', canary, proxy: sample.proxy }
		if (fleet !== null) alarm ??= { ...fleet, by: 'shares', canary, proxy: null }
	}
	return alarm
}

/** What the Envoy beside one of a canary's endpoints counted of the requests that came in, since its last flush. */
export type EndpointSample = { readonly endpoint: string; readonly canary: CanaryKey } & Counts

/** Adds what an endpoint says of itself. It is evidence for nothing but whose failures are whose. */
export function foldEndpoint(fold: Fold, { endpoint, canary, requests, errors }: EndpointSample): void {
	const known = fold.endpoints.get(canary)
	if (known === undefined || (!known.has(endpoint) && known.size >= limits.endpointsToldApart)) return
	known.set(endpoint, addCounts(known.get(endpoint) ?? noCounts, { requests, errors }))
}

export type LookClosing = {
	readonly sequence: number
	readonly stepStart: boolean
	readonly warmingUp: boolean
	/** Proxies that send to the route, and those known to be silent. Who is expected and sent nothing counts as silent. */
	readonly expected: readonly string[]
	readonly silent: readonly string[]
	readonly parameters: GuardParameters
	/** Edges that request times are judged at. Without any the look tells what they could be chosen by. */
	readonly edgesMs?: readonly number[]
	/** What came to the canaries beside their shares. */
	readonly beside?: Counts
	/** Each canary's share of what it and the baseline are to be sent; without one it is not judged. */
	readonly expectedShares?: Readonly<Record<CanaryKey, number>>
}

/**
 * The look over all samples since the last one; the next begins. The order in which samples of different proxies came
 * changes nothing. A proxy that sent nothing is forgotten: what it did before its silence is no row with what follows.
 */
export function closeLook(fold: Fold, closing: LookClosing): Look {
	const steady: ProxyTotals[] = []
	for (const name of [...fold.proxies.keys()].sort()) {
		const proxy = fold.proxies.get(name)
		if (proxy !== undefined && proxy.shares !== null && proxy.samples > 0) steady.push(proxyTotals(name, proxy))
	}
	const { sequence, stepStart, warmingUp, parameters, edgesMs = [], expectedShares = {}, beside = noCounts } = closing
	const { between, endpoints, lateFailures } = fold
	for (const [canary, totals] of endpoints)
		lateFailures.set(canary, afterLook(lateFailures.get(canary) ?? noLateFailures, totals))
	const asked = { between, parameters, edgesMs, expectedShares, endpoints, lateFailures }
	const canaries = fold.canaries.map((canary) => [canary, lookAtCanary(canary, steady, asked)] as const)
	const wantsEdges = (parameters.latency ?? null) !== null && edgesMs.length === 0
	if (wantsEdges)
		for (const { baseline } of steady) fold.baselineTimes = addRequestTimes(fold.baselineTimes, baseline.times)
	const look: Look = {
		sequence,
		stepStart,
		warmingUp,
		canaries: Object.fromEntries(canaries),
		beside,
		baselineTimes: wantsEdges ? fold.baselineTimes : null,
		proxies: countProxies(fold, closing),
	}
	beginLook(fold)
	return look
}

function keyOf({ proxy, lane = '' }: Pick<Sample, 'proxy' | 'lane'>): string {
	return lane === '' ? proxy : `${proxy} ${lane}`
}

function joinFold(fold: Fold, sample: Sample): ProxyFold {
	const { proxy, lane = '', zone, shares } = sample
	const canaries = new Map(fold.canaries.map((key) => [key, { totals: noTotals, watch: createWatch() }]))
	const joined: ProxyFold = { proxy, lane, zone, shares, samples: 0, canaries, baseline: noTotals, unrouted: 0 }
	fold.proxies.set(keyOf(sample), joined)
	return joined
}

/** Late errors of other shares, or of a look that was left out, say nothing of the look that begins. */
function forgetLateErrors(proxy: ProxyFold): void {
	proxy.baseline = noTotals
	for (const canary of proxy.canaries.values()) canary.totals = noTotals
}

function heldBefore(proxy: ProxyFold, { shares, zone }: Sample): boolean {
	return shares !== null && shares === proxy.shares && zone === proxy.zone
}

function addToLook(proxy: ProxyFold, sample: Sample): void {
	const isSame = sample.shares === proxy.shares && sample.zone === proxy.zone
	if (proxy.samples === 0) {
		proxy.shares = sample.shares
		proxy.zone = sample.zone
	} else if (!isSame) proxy.shares = null
	proxy.samples += 1
	for (const [key, canary] of proxy.canaries) canary.totals = addTotals(canary.totals, sample.canaries[key])
	proxy.baseline = addTotals(proxy.baseline, sample.baseline)
	proxy.unrouted += sample.unrouted
}

function addTotals(totals: ArmTotals, increment: ArmIncrement | undefined): ArmTotals {
	if (increment === undefined) return totals
	return {
		completed: totals.completed + increment.completed,
		errors: totals.errors + increment.errors,
		retries: totals.retries + increment.retries,
		times: increment.times === undefined ? totals.times : addRequestTimes(totals.times, increment.times),
	}
}

/** Here a late error is a request that ended in this flush: many streams that break at once are to be seen at once. */
function watchedFlush(canary: ArmIncrement, { baseline, unrouted }: Sample): WatchedFlush {
	return {
		canary: {
			counts: { requests: endedRequests(canary) + unrouted, errors: canary.errors + unrouted },
			answered: canary.completed,
			started: canary.started,
			active: canary.active,
		},
		baseline: { counts: { requests: endedRequests(baseline), errors: baseline.errors }, active: baseline.active },
	}
}

function endedRequests({ completed, errors }: ArmIncrement): number {
	return Math.max(completed, errors)
}

/**
 * The fleet's sum is one more stream, one of whose flushes is a round. Of the baseline it has only what proxies counted
 * that sent to the canary in the same flush: an outage in a zone that the canary alone was sent to is no finding. Where
 * proxies are the arms, it has all of them.
 */
function foldIntoFleet(fold: Fold, canary: CanaryKey, flush: WatchedFlush): Pick<Alarm, 'kind' | 'counts'> | null {
	const fleet = fold.fleet.get(canary)
	if (fleet === undefined) return null
	const { counts, started, active } = flush.canary
	const hasCanary = counts.requests + started + active > 0
	if (hasCanary || fold.between === 'proxies') fleet.round = addFlushes(fleet.round, flush)
	fleet.flushes += 1
	if (fleet.flushes < fold.proxies.size) return null
	const { round } = fleet
	fleet.round = noFlush
	fleet.flushes = 0
	return watchFlush(fleet.watch, round, fold.hardLimitPpm)
}

function addFlushes(left: WatchedFlush, right: WatchedFlush): WatchedFlush {
	const arms = addArms(
		{ canary: left.canary.counts, baseline: left.baseline.counts },
		{ canary: right.canary.counts, baseline: right.baseline.counts },
	)
	return {
		canary: {
			counts: arms.canary,
			answered: left.canary.answered + right.canary.answered,
			started: left.canary.started + right.canary.started,
			active: left.canary.active + right.canary.active,
		},
		baseline: { counts: arms.baseline, active: left.baseline.active + right.baseline.active },
	}
}

function proxyTotals(name: string, proxy: ProxyFold): ProxyTotals {
	const canaries = new Map([...proxy.canaries].map(([key, { totals }]) => [key, totals]))
	const { lane, zone, baseline, unrouted } = proxy
	return { proxy: name, zone, shares: keyOf({ proxy: proxy.shares ?? '', lane }), canaries, baseline, unrouted }
}

function countProxies(fold: Fold, { expected, silent }: LookClosing): Look['proxies'] {
	const known = new Set(silent)
	const heard = new Set([...fold.proxies.values()].flatMap(({ proxy, samples }) => (samples > 0 ? [proxy] : [])))
	const missing = expected.filter((name) => known.has(name) || !heard.has(name))
	return {
		expected: expected.length,
		fresh: expected.length - missing.length,
		silent: missing.sort().slice(0, limits.namedProxies),
	}
}

/** Samples are counted anew, and a proxy that sent nothing is forgotten. */
export function beginLook(fold: Fold): void {
	for (const endpoints of fold.endpoints.values()) endpoints.clear()
	for (const [name, proxy] of fold.proxies) {
		if (proxy.samples === 0) fold.proxies.delete(name)
		proxy.samples = 0
		proxy.baseline = lateErrors(proxy.baseline)
		proxy.unrouted = 0
		for (const canary of proxy.canaries.values()) canary.totals = lateErrors(canary.totals)
	}
}

/**
 * A call of gRPC completes with its headers and may fail with its trailers, looks later. The tests know no more errors
 * than requests, so what a look has too many counts in the next one: no error is lost, and over the looks there are as
 * many errors as there were.
 */
function lateErrors({ completed, errors }: ArmTotals): ArmTotals {
	return errors <= completed ? noTotals : { ...noTotals, errors: errors - completed }
}

const noIncrement: ArmIncrement = { completed: 0, errors: 0, retries: 0, started: 0, active: 0 }
const noFlush: WatchedFlush = {
	canary: { counts: noCounts, answered: 0, started: 0, active: 0 },
	baseline: { counts: noCounts, active: 0 },
}
