import type { ClusterFlush } from '#telemetry/flush.ts'
import type { FakeProxy } from './fake-proxy.ts'
import { nodeOfCluster } from './shares.ts'
import type { Pair } from './simulated-mesh.ts'

// What the daemon that runs has been told by each proxy: what its decisions can rest on.

export type Report = {
	/** The last flush that the daemon took in. */
	lastMs: number
	/** Node → healthy hosts, as that flush said, and since when flushes say so. */
	healthy: ReadonlyMap<string, number>
	healthySinceMs: number
	/** Requests to each canary since the proxy took its present shares in, by host. */
	readonly requests: Map<string, number>
	/** Flushes one after the other that are over the hard limit by themselves, and when each of them came. By host. */
	readonly failing: Map<string, readonly number[]>
}

export type Reports = {
	of(target: FakeProxy): Report
	flushed(target: FakeProxy, clusters: ReadonlyMap<string, ClusterFlush>, counted: 'counted' | 'first'): void
	/** The proxy holds other shares now. */
	changed(target: FakeProxy, host: string): void
	left(target: FakeProxy): void
	/** Another daemon: it was told nothing. */
	restarted(): void
}

/** What the pair's route sends to a node: by a cluster of its own where it has one, named after its router. */
function countsFor(
	{ route }: Pair,
	node: string,
	clusters: ReadonlyMap<string, ClusterFlush>,
): ClusterFlush | undefined {
	const router = route.split('/')[3]
	const ofNode = [...clusters].filter(([cluster]) => nodeOfCluster(cluster) === node)
	const own = ofNode.find(([cluster]) => cluster.includes(`_rollout_${router}_`))
	return (own ?? ofNode.find(([cluster]) => !cluster.includes('_rollout_')))?.[1]
}

export function createReports(pairs: readonly Pair[], nowMs: () => number): Reports {
	let reports = new Map<FakeProxy, Report>()

	function of(target: FakeProxy): Report {
		const known = reports.get(target)
		if (known !== undefined) return known
		const report = {
			lastMs: -Infinity,
			healthy: new Map(),
			healthySinceMs: -Infinity,
			requests: new Map(),
			failing: new Map(),
		}
		reports.set(target, report)
		return report
	}

	return {
		of,
		flushed(target, clusters, counted) {
			const report = of(target)
			const nodes = sumByNode(clusters)
			report.lastMs = nowMs()
			const healthy = new Map([...nodes].map(([node, { healthyHosts }]) => [node, healthyHosts]))
			if ([...healthy].some(([node, hosts]) => report.healthy.get(node) !== hosts)) report.healthySinceMs = nowMs()
			report.healthy = healthy
			for (const pair of pairs) {
				const { host, stable, canary } = pair
				const ofHost = (node: string) => countsFor(pair, node, clusters)
				const ofCanary = ofHost(canary)
				report.requests.set(host, (report.requests.get(host) ?? 0) + (ofCanary?.completed ?? 0))
				const isBad = counted === 'counted' && isOverHardLimit(ofCanary, ofHost(stable))
				report.failing.set(host, isBad ? [...(report.failing.get(host) ?? []), nowMs()] : [])
			}
		},
		changed: (target, host) => void of(target).requests.set(host, 0),
		left: (target) => void reports.delete(target),
		restarted() {
			reports = new Map()
		},
	}
}

/** A node may be reached by several clusters: its own, and that of a route under rollout. */
function sumByNode(clusters: ReadonlyMap<string, ClusterFlush>): Map<string, Counted> {
	const nodes = new Map<string, Counted>()
	for (const [cluster, { completed, errors, healthyHosts }] of clusters) {
		const node = nodeOfCluster(cluster)
		const sum = nodes.get(node) ?? { completed: 0, errors: 0, healthyHosts }
		nodes.set(node, {
			completed: sum.completed + completed,
			errors: sum.errors + errors,
			healthyHosts: Math.max(sum.healthyHosts, healthyHosts),
		})
	}
	return nodes
}

type Counted = Pick<ClusterFlush, 'completed' | 'errors' | 'healthyHosts'>

/** At least 20 requests, half of them failed, and of the baseline less than a quarter (rules, watching 3). */
function isOverHardLimit(canary: Counted | undefined, stable: Counted | undefined): boolean {
	if (canary === undefined || canary.completed < 20 || canary.errors / canary.completed < 0.5) return false
	return stable === undefined || stable.completed === 0 || stable.errors / stable.completed < 0.25
}
