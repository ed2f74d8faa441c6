import type { TypeUrl } from '#compile/compiled.ts'
import { isGoingBack, type Rollout } from '#rollout/rollout.ts'
import { type Concern, canaryClusters } from './concerns.ts'
import type { Evidence } from './evidence.ts'
import type { FleetPort } from './ports.ts'

/**
 * Where a way back would land on nothing (rules, motion 7): proxies that say that a target of the last good shares has
 * no healthy host, while the canary has one. They keep what they hold of the route, until they say otherwise or the
 * rollout has ended. A proxy that never said anything is moved: a way back never waits for evidence. Where a rollout is
 * taken back that had ended, the old clusters may be new to a proxy, which tells of none that never had a host: while it
 * counts others, and not these, it is not moved.
 */
export type Stranded = {
	/** Connected proxies that count and are not moved back, or would not be: no ramp and no step back lands there. */
	of(rollout: Rollout, concern: Concern): readonly string[]
	/** Makes the stranded of all rollouts that go back keep what they hold, and lets go of everyone else. */
	pin(rollouts: readonly Rollout[], concernOf: (rollout: Rollout) => Concern): void
}

/** Why it is not moved: it tells that there is no healthy host, or it counts, and tells nothing of the cluster. */
type Ground = 'none' | 'untold'
type Landing = { readonly rollout: Rollout; readonly concern: Concern; readonly before: Ground | null }
type Pin = { readonly groupKey: string; readonly type: TypeUrl; readonly name: string; readonly proxies: Set<string> }

export function createStranded({ fleet, evidence }: { fleet: FleetPort; evidence: Evidence }): Stranded {
	/** Rollout → group → proxies, those that have left for a moment among them. */
	let known = new Map<string, Map<string, Map<string, Ground>>>()
	let pinned = new Map<string, Pin>()

	function strandedIn(groupKey: string, rollout: Rollout, concern: Concern): Map<string, Ground> {
		const before = known.get(rollout.id)?.get(groupKey) ?? new Map<string, Ground>()
		const stranded = new Map(before)
		for (const { key } of fleet.connected(groupKey)) {
			const ground = groundAt(key, { rollout, concern, before: before.get(key) ?? null })
			if (ground === null) stranded.delete(key)
			else stranded.set(key, ground)
		}
		return stranded
	}

	function groundAt(proxyKey: string, { rollout: { phase }, concern, before }: Landing): Ground | null {
		const hosts = (cluster: string) => evidence.healthyHosts(proxyKey, cluster)
		const good = concern.good.map(hosts)
		if (before === 'none' && good.includes(null)) return 'none'
		if (!canaryClusters(concern).some((name) => (hosts(name) ?? 0) > 0)) return null
		if (good.includes(0)) return 'none'
		const hadEnded = phase.kind === 'rollingBack' && phase.cause.by === 'rollback'
		return hadEnded && good.includes(null) ? 'untold' : null
	}

	return {
		of(rollout, concern) {
			if (!isGoingBack(rollout) && rollout.guard.incident.kind === 'none') return []
			return [...concern.groupKeys].flatMap((groupKey) => {
				const stranded = strandedIn(groupKey, rollout, concern)
				return [...fleet.counted(groupKey)].map(({ key }) => key).filter((key) => stranded.has(key))
			})
		},
		pin(rollouts, concernOf) {
			const pins = new Map<string, Pin>()
			const found: typeof known = new Map()
			for (const rollout of rollouts) {
				if (rollout.phase.kind !== 'rollingBack') continue
				const concern = concernOf(rollout)
				const groups = new Map([...concern.groupKeys].map((key) => [key, strandedIn(key, rollout, concern)]))
				found.set(rollout.id, groups)
				// Several rollouts may share what carries their routes: it is kept where any of them would land on nothing.
				for (const [groupKey, proxies] of groups) {
					for (const { typeUrl: type, name } of concern.carriers.get(groupKey) ?? []) {
						const key = `${groupKey} ${type} ${name}`
						const pin = pins.get(key) ?? { groupKey, type, name, proxies: new Set() }
						for (const proxy of proxies.keys()) pin.proxies.add(proxy)
						pins.set(key, pin)
					}
				}
			}
			for (const [key, { groupKey, type, name }] of pinned)
				if (!pins.has(key)) fleet.pin(groupKey, type, name, new Set())
			for (const { groupKey, type, name, proxies } of pins.values()) fleet.pin(groupKey, type, name, proxies)
			known = found
			pinned = pins
		},
	}
}
