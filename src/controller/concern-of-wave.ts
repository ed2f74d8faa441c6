import type { ProxyGroup } from '#compile/compiled.ts'
import type { Carrier } from '#compile/names.ts'
import type { Rollout } from '#rollout/rollout.ts'
import { placeInWaves } from '#rollout/wave.ts'
import type { FleetView, GroupView } from '#xds/fleet-view.ts'
import type { Concern } from './concerns.ts'
import type { Evidence } from './evidence.ts'
import type { FleetPort } from './ports.ts'

/**
 * What a rollout by waves moves: all groups, of both cohorts, whose candidates are served something else, and what that
 * is. Its traffic is told apart by whose proxy it goes through, so no clusters are named.
 */
export function concernOfWave(differencesOf: (group: ProxyGroup) => readonly Carrier[], fleet: FleetView): Concern {
	const groups: GroupView[] = []
	const carriers = new Map<string, readonly Carrier[]>()
	for (const [groupKey, view] of fleet) {
		const differences = differencesOf(view.group)
		if (differences.length === 0) continue
		carriers.set(groupKey, differences)
		groups.push(view)
	}
	return {
		groups,
		groupKeys: new Set(carriers.keys()),
		lanes: [],
		beside: [],
		demanded: [],
		sharing: { now: [], soon: [], cloneProblem: null },
		good: [],
		carriers,
		unit: 'requests',
		endpoints: new Map(),
		hosts: new Map(),
	}
}

/**
 * The proxy that is to be alone in the first wave: of those with the least traffic that have some, the first by its place
 * in the waves. The one that was chosen stays, unless it has gone for good before all have the change.
 */
export function firstCandidateOf(
	rollout: Rollout,
	concern: Concern,
	{ fleet, evidence }: { readonly fleet: FleetPort; readonly evidence: Evidence },
): string | null {
	const first = rollout.wave?.first ?? null
	const proxies = [...concern.groupKeys].flatMap((groupKey) => [...fleet.counted(groupKey)])
	if (first !== null) {
		const isBack = proxies.some(({ key }) => key === first)
		const mayComeBack = concern.groups.some(({ gone }) => gone.some(({ proxy }) => proxy === first))
		if (isBack || mayComeBack || rollout.step === rollout.stepsPpm.length - 1) return first
	}
	const ranked = proxies
		.filter(({ instance }) => instance !== null)
		.map(({ key }) => ({ key, requests: evidence.requestsOf(key), place: placeInWaves(rollout.id, key) }))
		.sort((left, right) => left.requests - right.requests || left.place - right.place)
	return (ranked.find(({ requests }) => requests > 0) ?? ranked[0])?.key ?? null
}
