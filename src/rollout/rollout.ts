import type { Alarm, GuardParameters, GuardState, Look, Measurement, ThresholdState, Verdict } from '#guard/look.ts'
import type { ResourceId, RolloutPolicySpec } from '#mesh/mesh.ts'
import type { Split, Target } from '#plan/plan.ts'
import type { FleetFacts } from './fleet-facts.ts'
import type { HookAnswer, HookState } from './hook-state.ts'

// The contract of stage 5: one rollout as plain JSON (≤ 4 KB), what may happen to it, and what it answers.

/**
 * A rollout is the segment from `good` to `target`, of one route or several, and how far along it is. Forward raises the
 * shares of the canaries, back lowers them; nothing else moves them.
 */
export type Rollout = {
	/** `<router>/<route>#<number>`, of several routes `<router>#<number>`; unique in a store. */
	readonly id: string
	/** Its routes, one or several of one virtual router. Of several lanes each has other shares. */
	readonly lanes: readonly [Lane, ...Lane[]]
	/** The commit that asked for it. */
	readonly revision: string
	/** Targets whose share rises, on each of its routes; each judged alone. */
	readonly canaries: readonly Target[]
	/** Targets whose share falls on any of its routes: together the baseline. */
	readonly baseline: readonly Target[]
	readonly policy: RolloutPolicySpec
	/**
	 * Shares, in ppm, that the policy gives the canaries together at each step; the last is the largest of the targets'.
	 * Rising. Where its routes have different shares none has more than this at a step.
	 */
	readonly stepsPpm: readonly number[]
	/** Index into `stepsPpm` of the step in force; -1 while the shares are still those of `good`. */
	readonly step: number
	/** Whether its route has clusters of its own. An ended rollout may still have them. */
	readonly clones: Clones
	readonly phase: Phase
	/** Why it does not move, for people; empty when nothing but time is missing. */
	readonly holds: readonly Hold[]
	/** Every connected proxy has ACKed the shares in force. */
	readonly confirmed: boolean
	/** Over-dispersion of the baseline, as it was known when the rollout began. */
	readonly phi: GuardParameters['phi']
	readonly guard: GuardState
	/** By the name of the threshold guard. */
	readonly thresholds: Readonly<Record<string, ThresholdState>>
	/** By the name of the hook: what they have said of the step in force, or of the end. */
	readonly hooks: Readonly<Record<string, HookState>>
	/** The verdict on the newest look at the step in force; null until this boot has one. */
	readonly verdict: Verdict | null
	/** Durations of this rollout, in ms the daemon was up; those that count for deadlines have its absence too. */
	readonly elapsed: Elapsed
	/** A shared incident began soon after a step: that step is to be taken back when the store can write it down. */
	readonly stepBack: 'none' | 'due'
	/**
	 * A person asked for the next step without the guard's proof, or for all of them; cleared when the last of these is
	 * taken.
	 */
	readonly promotion: Promotion | null
	/** A person has opened the gate of the step in force. Cleared by the step. */
	readonly approval: Command | null
	/** What goes out by waves of proxies; null for a rollout that shifts the shares of a route. */
	readonly wave: Wave | null
	/** Wall clock, for people. */
	readonly startedWallMs: number
	readonly endedWallMs: number | null
}

/** Routes with the same shares at every step: over others a sum would blame the canary for those that it was given first. */
export type Lane = {
	/** By id. */
	readonly routes: readonly [LaneRoute, ...LaneRoute[]]
	/** Shares of the last finished rollout: where the way back leads. */
	readonly good: Split
	readonly target: Split
}

export type LaneRoute = {
	readonly id: ResourceId
	/** In quarantine when the rollout went back: what is asked of this route is not tried again. */
	readonly key: string
}

/** `good`, `target` and `stepsPpm` of such a rollout are parts of the proxies; its one route is its mesh. */
export type Wave = {
	/** Hash of the mesh that the candidates are served. */
	readonly candidate: string
	/** What it changes; the first few. */
	readonly changes: readonly ResourceId[]
	/** Key of the proxy that is alone in the first wave; null before that. */
	readonly first: string | null
}

/**
 * `none` · `making`: they are served, and the route leads to the shared clusters still · `routed`: the route leads to its
 * own · `leaving`: the route leads to the shared ones again, and not every proxy has confirmed it.
 */
export type Clones = 'none' | 'making' | 'routed' | 'leaving'

export type Elapsed = {
	/** Since every connected proxy had ACKed the step in force. */
	readonly stepMs: number
	/** Since the shares in force were decided. */
	readonly sinceChangeMs: number
	/** Since the newest look at the step in force, or since the step began. */
	readonly sinceLookMs: number
	/** Since the last step forward; null before the first, and when it was taken back as a precaution. */
	readonly sinceForwardMs: number | null
	/** What counts for the deadline of the step in force, from the moment it was decided. */
	readonly stepTotalMs: number
	/** What counts for the rollout's: not the time in which people or a window held it. */
	readonly totalMs: number
}

export type Promotion = Command & { readonly reach: 'step' | 'target' }

/**
 * pending: nothing moved yet · stepping: moving, or waiting for time and evidence · held: by the guard or the fleet ·
 * paused: by a person · ramping: a person has it go back by and by · rollingBack: the shares of `good` are served, not
 * every proxy has confirmed them.
 */
export type Phase =
	| { readonly kind: 'pending' | 'stepping' | 'held' | 'succeeded' }
	| { readonly kind: 'paused'; readonly by: Command }
	| { readonly kind: 'ramping'; readonly cause: BackCause; readonly ramp: Ramp }
	| { readonly kind: 'rollingBack' | 'rolledBack' | 'aborted'; readonly cause: BackCause }

/** Of the way from `good` to the step in force so many parts are left, of `limits.rampParts`; it takes `overMs` in all. */
export type Ramp = { readonly partsLeft: number; readonly overMs: number }

export type BackCause = {
	/**
	 * `guard`: its evidence, or a threshold · `hook`: one that says so · `command`: a person · `rollback`: a person, after it had succeeded ·
	 * `superseded`: Git wants something else · `rejected`: proxies refused the step · `noEvidence`, `noTraffic`,
	 * `inconclusive`, `deadline`: where the policy says so · `restart`: proxies were found taken back after a crash.
	 */
	readonly by:
		| 'guard'
		| 'hook'
		| 'command'
		| 'rollback'
		| 'superseded'
		| 'rejected'
		| DeadlineCause
		| 'noEvidence'
		| 'restart'
	/** In a sentence, with the numbers. */
	readonly reason: string
	readonly actor: string
}

/** What kept it from going on when its time was over: no canary request, too few of them, anything else. */
export type DeadlineCause = 'noTraffic' | 'inconclusive' | 'deadline'

export type Hold = {
	readonly code:
		| 'NO_PROXY'
		| 'NOT_READY'
		| 'NOT_ACKED'
		| 'REJECTED'
		| 'PROXIES_MISSING'
		| 'NO_EVIDENCE'
		| 'SILENT'
		| 'EVIDENCE_SHARED'
		| 'MORE_REQUESTS'
		| 'SHARED_INCIDENT'
		| 'WEIGHTS_NOT_APPLIED'
		| 'BAD_ENDPOINT'
		| 'NO_DATA'
		| 'OUT_OF_BOUNDS'
		| 'MORE_MEASUREMENTS'
		| 'GATE'
		| 'HOOK'
		| 'QUEUED'
		| 'DEADLINE'
		| 'NOT_DURABLE'
		| 'FROZEN'
		| 'WINDOW'
		| 'LAST_GOOD_UNHEALTHY'
	readonly text: string
}

/** A person's wish. Always with a name and a reason. */
export type Command = { readonly actor: string; readonly reason: string }

/** What may happen to a rollout. `elapsedMs` of a turn: monotonic time since the last one. */
export type RolloutEvent =
	| { readonly kind: 'look'; readonly step: number; readonly look: Look }
	| { readonly kind: 'alarm'; readonly alarm: Alarm }
	/** `promoteFull`: all steps up to the target, which bakes as ever. */
	| { readonly kind: 'abort' | 'approve' | 'pause' | 'promote' | 'promoteFull' | 'resume'; readonly command: Command }
	/** What the source of a threshold guard answered, numbered by this boot. */
	| {
			readonly kind: 'measurement'
			readonly guard: string
			readonly sequence: number
			readonly measurement: Measurement
	  }
	/** What a hook answered to the call of this id, which it was asked at this step. */
	| {
			readonly kind: 'hook'
			readonly hook: string
			readonly call: string
			readonly step: number
			readonly answer: HookAnswer
	  }
	/** Back, by and by: within `overMs` it is at the last good shares. */
	| { readonly kind: 'abortByRamp'; readonly command: Command; readonly overMs: number }
	| { readonly kind: 'supersede'; readonly reason: string }
	/** The daemon was away for `downMs`; what it knew of the fleet is void. */
	| { readonly kind: 'boot'; readonly downMs: number }
	| {
			readonly kind: 'turn'
			readonly elapsedMs: number
			readonly facts: FleetFacts
			readonly forward: boolean
			/** What people and windows forbid: it holds everybody, a `promote` included. */
			readonly bars: readonly Hold[]
	  }

/** A line of the journal, before the controller adds time and place. */
export type RolloutNote = {
	readonly event: string
	readonly actor: string
	readonly reason: string
	readonly numbers: Readonly<Record<string, unknown>>
}

export type RolloutStepResult = { readonly rollout: Rollout; readonly notes: readonly RolloutNote[] }

/** In the order of lanes. */
export function routesOf({ lanes }: Pick<Rollout, 'lanes'>): readonly ResourceId[] {
	return lanes.flatMap(({ routes }) => routes.map(({ id }) => id))
}

/** Null: the route is not one of the rollout's. */
export function laneOf({ lanes }: Pick<Rollout, 'lanes'>, route: string): Lane | null {
	return lanes.find(({ routes }) => routes.some(({ id }) => id === route)) ?? null
}

export function isRunning(rollout: Rollout): boolean {
	switch (rollout.phase.kind) {
		case 'pending':
		case 'stepping':
		case 'held':
		case 'paused':
		case 'ramping':
		case 'rollingBack':
			return true
		case 'succeeded':
		case 'rolledBack':
		case 'aborted':
			return false
	}
}

/** It goes back, at once or by a ramp: nothing moves it forward any more. */
export function isGoingBack({ phase }: Pick<Rollout, 'phase'>): boolean {
	return phase.kind === 'rollingBack' || phase.kind === 'ramping'
}

/** It runs, or it has ended and its route still has clusters of its own. */
export function isUnsettled(rollout: Rollout): boolean {
	return isRunning(rollout) || rollout.clones !== 'none'
}
