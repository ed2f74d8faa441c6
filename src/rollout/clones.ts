import type { FleetFacts } from './fleet-facts.ts'
import {
	type Clones,
	type Hold,
	laneOf,
	type Rollout,
	type RolloutEvent,
	type RolloutNote,
	type RolloutStepResult,
} from './rollout.ts'

// Clusters of its routes' own, while they are under rollout and others send requests to its targets too (rules, serving 8),
// or they have different shares, so that their requests must not be counted together. They come before the first step and go after the end, each in two moves that change no share: a step never changes
// clusters, and no cluster is taken away before all have confirmed that they send nothing there.

type Turn = Extract<RolloutEvent, { kind: 'turn' }>

/** Before anything has moved: the route's clusters are others' too, and it can have its own. */
export function needsClones({ step, clones }: Rollout, facts: FleetFacts): boolean {
	return step === -1 && clones === 'none' && facts.sharedWith.length > 0 && facts.cloneProblem === null
}

export function makeClones(rollout: Rollout, { sharedWith }: FleetFacts): RolloutStepResult {
	const reason = `${describeSharing(rollout, sharedWith)}: it is given clusters of its own`
	return move(rollout, 'making', { event: 'rollout.cloning', reason })
}

/** All of them are ready at every proxy. The shares stay what they are. */
export function routeToClones(rollout: Rollout): RolloutStepResult {
	return move(rollout, 'routed', { event: 'rollout.cloned', reason: 'its clusters are ready: its traffic goes there' })
}

/** Others' requests are counted with its own, which is no evidence for a step; a way back does not ask. */
export function sharingHolds(rollout: Rollout, { sharedWith, cloneProblem }: FleetFacts): Hold[] {
	if (rollout.clones !== 'none' || sharedWith.length === 0) return []
	const why = cloneProblem ?? 'that began when it had moved already'
	return [{ code: 'EVIDENCE_SHARED', text: `${describeSharing(rollout, sharedWith)}, and ${why}` }]
}

/** Routes of its own are among them where they have different shares. */
function describeSharing(rollout: Rollout, sharedWith: readonly string[]): string {
	const strangers = sharedWith.filter((id) => laneOf(rollout, id) === null)
	const others = strangers.length === 0 ? [] : [`${strangers.join(', ')} leads to its targets too`]
	return [...(strangers.length < sharedWith.length ? ['its routes have different shares'] : []), ...others].join(
		', and ',
	)
}

/** Of a rollout that has ended. Nothing is said of its shares any more; a move waits for the store. */
export function leaveClones(rollout: Rollout, { facts, forward }: Turn): RolloutStepResult {
	// Just after a start, that nobody holds something else says nothing.
	const waits = !forward || facts.returning
	switch (rollout.clones) {
		case 'none':
			return { rollout, notes: [] }
		case 'making':
			return waits ? { rollout, notes: [] } : move(rollout, 'none', { event: 'rollout.uncloned', reason: 'not needed' })
		case 'routed': {
			if (waits || facts.notReady.length > 0) return { rollout, notes: [] }
			const reason = 'its traffic goes to the clusters that all share again'
			return move(rollout, 'leaving', { event: 'rollout.uncloning', reason })
		}
		case 'leaving': {
			if (waits || facts.current < facts.connected) return { rollout, notes: [] }
			return move(rollout, 'none', { event: 'rollout.uncloned', reason: 'every proxy has left its own clusters' })
		}
	}
}

function move(
	rollout: Rollout,
	clones: Clones,
	{ event, reason }: Pick<RolloutNote, 'event' | 'reason'>,
): RolloutStepResult {
	const elapsed = { ...rollout.elapsed, sinceChangeMs: 0 }
	const notes: RolloutNote[] = [{ event, actor: 'sluice', reason, numbers: { clones } }]
	return { rollout: { ...rollout, clones, confirmed: false, elapsed }, notes }
}
