import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import type { FleetFacts, Rollout } from '#rollout/rollout.ts'
import type { FleetView, GroupView, Rejection } from '#xds/fleet-view.ts'
import { type Concern, typesOfShift } from './concerns.ts'
import type { Evidence } from './evidence.ts'
import type { FleetPort } from './ports.ts'

export type FactsOptions = {
	readonly fleet: FleetPort
	readonly evidence: Evidence
	/** `file:line` that probably caused a rejection, or ''. */
	readonly placeOf: (rejection: Rejection) => string
	/** Proxies that are to keep the canary, since nothing of `good` is healthy there. */
	readonly strandedOf: (rollout: Rollout, concern: Concern) => readonly string[]
	/** After a restart: a proxy was found at the last good shares. */
	readonly foundBack: (rollout: Rollout, concern: Concern) => boolean
}

/** Facts for turns that follow one another: what only flushes and arrivals can change is not looked up again each time. */
export function createFacts(options: FactsOptions): { of(rollout: Rollout, concern: Concern): FleetFacts } {
	const { evidence } = options
	const known = new Map<string, { readonly key: string; readonly notReady: FleetFacts['notReady'] }>()
	return {
		of(rollout, concern) {
			const connected = concern.groups.map((view) => view.connected).join()
			const key = `${evidence.readiness()} ${connected} ${rollout.phase.kind} ${[...concern.canaries.values()].join()}`
			const before = known.get(rollout.id)
			const notReady = before?.key === key ? before.notReady : notReadyOf(rollout, concern, options)
			known.set(rollout.id, { key, notReady })
			return { ...factsApartFromReadiness(rollout, concern, options), notReady }
		},
	}
}

/** What the fleet says of one rollout: sums over the groups that send to its route. */
export function factsOfRollout(rollout: Rollout, concern: Concern, options: FactsOptions): FleetFacts {
	return { ...factsApartFromReadiness(rollout, concern, options), notReady: notReadyOf(rollout, concern, options) }
}

type OtherFacts = Omit<FleetFacts, 'notReady'>

function factsApartFromReadiness(rollout: Rollout, concern: Concern, options: FactsOptions): OtherFacts {
	const { groups } = concern
	const rejections = groups.flatMap((view) => view.rejections.filter((rejection) => isConcerned(rejection, concern)))
	const rejecting = new Set(rejections.map(({ proxy }) => proxy))
	const connected = sum(groups, (view) => view.connected)
	const pending = sum(groups, pendingProxies)
	return {
		connected,
		expected: sum(groups, (view) => view.expected),
		current: Math.max(0, connected - pending - rejecting.size),
		pending: groups.flatMap((view) => view.pending).slice(0, limits.namedProxies),
		rejected: rejections
			.map((rejection) => ({ proxy: rejection.proxy, text: rejection.text, place: options.placeOf(rejection) }))
			.slice(0, limits.namedProxies),
		rejectedProxies: rejecting.size,
		stranded: options.strandedOf(rollout, concern),
		gone: groups.flatMap((view) => view.gone),
		foundBack: options.foundBack(rollout, concern),
	}
}

/** A refusal of something else, a listener say, is another change's affair. */
function isConcerned(rejection: Rejection, concern: Concern): boolean {
	if (rejection.typeUrl === typeUrls.route)
		return [...concern.routeConfigurations.values()].some((names) => names.includes(rejection.name))
	const clusters = [...concern.canaries.values(), ...concern.baseline]
	return (
		(rejection.typeUrl === typeUrls.cluster || rejection.typeUrl === typeUrls.endpoint) &&
		clusters.includes(rejection.name)
	)
}

function pendingProxies(view: GroupView): number {
	return Math.max(...typesOfShift.map((type) => view.types[type].pending))
}

/** Canaries that some connected proxy cannot reach. ACKed is not ready: only the proxy's own gauge says so. */
function notReadyOf(rollout: Rollout, concern: Concern, { fleet, evidence }: FactsOptions): FleetFacts['notReady'] {
	if (rollout.phase.kind === 'rollingBack') return []
	const missing: FleetFacts['notReady'][number][] = []
	for (const groupKey of concern.groupKeys) {
		for (const { key } of fleet.connected(groupKey)) {
			for (const [target, cluster] of concern.canaries) {
				const hosts = evidence.healthyHosts(key, cluster)
				if (hosts !== null && hosts >= 1) continue
				const why = hosts === null ? 'silent' : 'noHost'
				missing.push({ proxy: key, target, host: concern.hosts.get(target) ?? '', why })
				if (missing.length === limits.namedProxies) return missing
			}
		}
	}
	return missing
}

/** What keeps removals waiting: somebody who is expected has not let go of everything yet. Null when nobody. */
export function fleetLagOf(fleet: FleetView): string | null {
	for (const view of fleet.values()) {
		const pending = Math.max(...Object.values(view.types).map((type) => type.pending))
		if (pending > 0) return `${view.pending.join(', ')} have not ACKed yet`
		if (view.expected > view.connected) return `${view.gone.map(({ proxy }) => proxy).join(', ')} are expected back`
		const [rejection] = view.rejections
		if (rejection !== undefined) return `${rejection.proxy} refused ${rejection.name}: ${rejection.text}`
	}
	return null
}

function sum(views: readonly GroupView[], count: (view: GroupView) => number): number {
	return views.reduce((total, view) => total + count(view), 0)
}
