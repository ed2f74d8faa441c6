import { addRequestTimes, noRequestTimes } from '#base/request-times.ts'
import type { ArmIncrement, Sample } from '#guard/look.ts'
import type { ClusterFlush, Flush } from '#telemetry/flush.ts'
import type { BesideCluster } from './concerns.ts'
import type { Watch } from './evidence.ts'

// What a flush says of the arms of a rollout: sums over the clusters, or the proxies, that are an arm.

const nothing: ArmIncrement = { completed: 0, errors: 0, retries: 0, started: 0, active: 0 }

type Counted = Pick<Sample, 'lane' | 'canaries' | 'baseline' | 'unrouted'>

/** What a flush counted of the arms that the shares lead to, in each lane. */
export function countedOf(flush: Flush, watch: Watch): Counted[] {
	if (watch.isCandidate !== null) return [countedByCohort(flush, watch, watch.isCandidate(flush.proxy))]
	return watch.lanes.map(({ name, canaries, baseline }, index) => ({
		lane: name,
		canaries: armsOf(flush, canaries, watch.unit),
		baseline: armOf(flush, baseline, watch.unit),
		// Of requests: a TCP proxy finds its cluster, or has none from the start. Nobody knows whose they were: they count once.
		unrouted: watch.unit === 'requests' && index === 0 ? flush.unrouted : 0,
	}))
}

/** What came to the canaries beside their shares in one way, with the baseline of all lanes. */
export function countedBeside(flush: Flush, { lanes, beside, unit }: Watch, way: BesideCluster['way']): Counted {
	const clusters = new Map(beside.filter((one) => one.way === way).map(({ target, cluster }) => [target, cluster]))
	const baseline = [...new Set(lanes.flatMap((lane) => lane.baseline))]
	return { lane: '', canaries: armsOf(flush, clusters, unit), baseline: armOf(flush, baseline, unit), unrouted: 0 }
}

/** All that goes through a proxy, in whichever direction. */
function countedByCohort(flush: Flush, watch: Watch, isCandidate: boolean): Counted {
	const all = armOf(flush, [...flush.clusters.keys()], 'requests')
	// What changes may be what a request is matched by.
	const lost = flush.unrouted + (flush.unmatched ?? 0)
	const arm = { ...all, completed: all.completed + lost, errors: all.errors + lost }
	const keys = [...(watch.lanes[0]?.canaries.keys() ?? [])]
	return {
		lane: '',
		canaries: Object.fromEntries(keys.map((key) => [key, isCandidate ? arm : nothing])),
		baseline: isCandidate ? nothing : arm,
		unrouted: 0,
	}
}

/** By canary key: what a proxy counted of its cluster. */
function armsOf(flush: Flush, clusters: ReadonlyMap<string, string>, unit: Watch['unit']): Sample['canaries'] {
	return Object.fromEntries([...clusters].map(([key, cluster]) => [key, armOf(flush, [cluster], unit)]))
}

/** What a proxy counted over some clusters together. */
export function armOf(flush: Flush, clusters: readonly string[], unit: Watch['unit']): ArmIncrement {
	const count = unit === 'requests' ? requestsOf : connectionsOf
	return clusters.reduce((sum, name) => {
		const ofCluster = flush.clusters.get(name)
		return ofCluster === undefined ? sum : addArms(sum, count(ofCluster))
	}, nothing)
}

function requestsOf({ completed, errors, retries, started, active, times }: ClusterFlush): ArmIncrement {
	return { completed, errors, retries, started, active, times: times ?? noRequestTimes }
}

/** TCP has no answers: a connection that was made is a success. One that lasts is no request in flight. */
function connectionsOf({ connects, connectFailures }: ClusterFlush): ArmIncrement {
	return { completed: connects, errors: connectFailures, retries: 0, started: connects, active: 0 }
}

function addArms(left: ArmIncrement, right: ArmIncrement): ArmIncrement {
	return {
		completed: left.completed + right.completed,
		errors: left.errors + right.errors,
		retries: left.retries + right.retries,
		started: left.started + right.started,
		active: left.active + right.active,
		times: addRequestTimes(left.times ?? noRequestTimes, right.times ?? noRequestTimes),
	}
}
