import type { Mesh, ResourceId } from '#mesh/mesh.ts'
import { groupOf } from '#plan/join-shifts.ts'
import type { Shift, ShiftGroup, Target } from '#plan/plan.ts'
import { isSameSplit } from '#plan/split.ts'
import { isGoingBack, isRunning, laneOf, type Rollout, routesOf } from '#rollout/rollout.ts'
import { planOnce } from './plan-once.ts'
import { askOfWave } from './waves-to-start.ts'

/** What Git now asks of a running rollout, when that is something else. */
export type Ask =
	| { readonly kind: 'lastGood' }
	/** Something else than what goes out by waves. */
	| { readonly kind: 'otherChanges' }
	/** Of some of its routes the last good shares, or what does not make one rollout with what it asks of the others. */
	| { readonly kind: 'noGroup'; readonly routes: readonly ResourceId[] }
	/** `otherCanary`: the same targets, of which a rising one is specified otherwise. */
	| { readonly kind: 'otherShares' | 'otherCanary'; readonly group: ShiftGroup }

type Between = { readonly applied: Mesh; readonly desired: Mesh }

export function changedRollouts(
	options: Between & {
		readonly rollouts: readonly Rollout[]
		readonly candidateOf: (hash: string) => Mesh | null
	},
): { rollout: Rollout; ask: Ask }[] {
	const { applied, desired } = options
	const running = options.rollouts.filter((rollout) => isRunning(rollout) && !isGoingBack(rollout))
	if (running.length === 0) return []
	const shifts = planOnce(applied, desired).changes.filter((change) => change.kind === 'shift')
	return running.flatMap((rollout): { rollout: Rollout; ask: Ask }[] => {
		if (rollout.wave !== null) {
			const ask = askOfWave(options.candidateOf(rollout.wave.candidate), options)
			return ask === null ? [] : [{ rollout, ask }]
		}
		const ask = askOfShifts(rollout, shifts, options)
		return ask === null ? [] : [{ rollout, ask }]
	})
}

/** Null: just what it brings. */
function askOfShifts(rollout: Rollout, shifts: readonly Shift[], { applied, desired }: Between): Ask | null {
	const asked = shifts.filter(({ route }) => laneOf(rollout, route) !== null)
	if (asked.length === 0) return { kind: 'lastGood' }
	const routes = routesOf(rollout)
	const isBrought = ({ route, after, quarantineKey }: Shift) => {
		const lane = laneOf(rollout, route)
		const known = lane?.routes.find(({ id }) => id === route)?.key
		return lane !== null && known === quarantineKey && isSameSplit(after, lane.target)
	}
	if (asked.length === routes.length && asked.every(isBrought)) return null
	const group = groupOf(asked)
	if (group === null || asked.length < routes.length) {
		const changed = routes.filter((id) => !asked.some((shift) => shift.route === id && isBrought(shift)))
		return { kind: 'noGroup', routes: changed }
	}
	// Since it began, its canaries are applied as they were: what differs is what Git has changed.
	const changes = ({ virtualNode: id }: Target) => applied.resources[id]?.hash !== desired.resources[id]?.hash
	return { kind: rollout.canaries.some(changes) ? 'otherCanary' : 'otherShares', group }
}
