import { limits } from '#base/limits.ts'
import { describeEvidence, describeMeasure } from '#guard/evidence-text.ts'
import type { Counts, EvidenceNumbers } from '#guard/look.ts'
import { type Measure, measuresOf, proofWaitMs } from '#guard/measures.ts'
import { countBreaches, describeThreshold, newThreshold } from '#guard/threshold.ts'
import type { HookPoint } from '#mesh/hook-spec.ts'
import type { SplitTarget } from '#plan/plan.ts'
import { formatShare, formatSplit, nameOf, withoutZeros } from '#plan/split.ts'
import { describeOpen } from '#rollout/describe-open.ts'
import { describeInForce, describeLanes } from '#rollout/describe-step.ts'
import { describeUsers } from '#rollout/describe-sticky.ts'
import type { FleetFacts, OpenConnections } from '#rollout/fleet-facts.ts'
import { requestsOfStep } from '#rollout/front.ts'
import { drawnOf, thresholdGuardsOf } from '#rollout/guards-of-policy.ts'
import { demandsOfStep, splitAtStep, splitInForce } from '#rollout/ladder.ts'
import { type BackCause, type Command, type Hold, isRunning, type Lane, type Rollout } from '#rollout/rollout.ts'
import { describeWave } from '#rollout/wave.ts'
import { type BesideStatus, frontStatusOf, mirrorStatusOf } from './beside-status.ts'
import { describeHook } from './describe-hook.ts'
import { factsOfRollout, openToCanaries } from './facts.ts'
import { askedKeys } from './held-back.ts'
import type { StatusSource } from './status.ts'

// One rollout as people are told of it.

export type RolloutStatus = {
	readonly id: string
	/** Its routes, with their shares. Those of one lane have the same. */
	readonly lanes: readonly LaneStatus[]
	readonly revision: string
	readonly phase: Rollout['phase']['kind']
	/** The whole in one sentence: where it stands, and why it does not move. */
	readonly text: string
	/** Why it went or goes back; null for one that does not. */
	readonly cause: BackCause | null
	/** Step in force, from 1; 0 before the first. */
	readonly step: number
	readonly steps: readonly StepStatus[]
	/** Of the step in force: how long and how many canary requests, and what it must have at least. */
	readonly progress: {
		readonly elapsedMs: number
		readonly minDurationMs: number
		readonly requests: number
		readonly minRequests: number
		readonly warmUpMs: number
		/** `person`: it ends only when somebody has approved it. */
		readonly gate: 'none' | 'person'
		/** Of the step, reached when `countedMs` is as much; null: it has none. */
		readonly deadlineMs: number | null
		readonly countedMs: number
		/** Canary requests that the proof still needs, as far as the newest look can say. */
		readonly missingRequests: number | null
		/** How long that takes at the rate of the last looks; null where it is not known. */
		readonly proofWaitMs: number | null
		/** Since the newest look at this step, or since the step began. */
		readonly evidenceAgeMs: number
	}
	/** All that is compared, with rates and where they lie. */
	readonly measures: readonly (Measure & { readonly text: string })[]
	/** Over-dispersion of the baseline, and where the figure comes from. */
	readonly phi: Rollout['phi']
	/** The guard's numbers of the newest look; null until there is one. */
	readonly evidence: (EvidenceNumbers & { readonly text: string }) | null
	/** What goes to the canaries of a running rollout in front of the shares, and as copies; null: nothing. */
	readonly front: BesideStatus | null
	readonly mirror: BesideStatus | null
	/** What came of both, since the rollout began. */
	readonly beside: Counts
	/** Whose requests stay together, and what that means for the guard; null: all are drawn by chance. */
	readonly users: string | null
	/** What others measure; in the order of the policy. */
	readonly thresholds: readonly ThresholdStatus[]
	/** Who is asked whether it may go on, or told of it; in the order of the policy. */
	readonly hooks: readonly { readonly name: string; readonly point: HookPoint; readonly text: string }[]
	readonly holds: readonly Hold[]
	/** False until every connected proxy has ACKed the shares in force. */
	readonly confirmed: boolean
	/** Of a TCP route that goes or went back: connections that its canaries have still; else null. */
	readonly openConnections: OpenConnections | null
	/** Of a running rollout: what its proxies say. */
	readonly fleet: FleetFacts | null
	/** What Git asks for here is not tried again until it changes, or somebody says `sluice rollout retry`. */
	readonly quarantined: boolean
	/** Whether its routes have clusters of their own. */
	readonly clones: Rollout['clones']
	readonly promotedBy: string | null
	/** Who has opened the gate of the step in force; null while nobody has. */
	readonly approvedBy: string | null
	/** Who stopped it, and why; null while nobody has. */
	readonly pausedBy: Command | null
	/** What goes out by waves of proxies; null for a rollout of weights. */
	readonly changes: readonly string[] | null
	readonly startedAt: string
	readonly endedAt: string | null
}

export type ThresholdStatus = {
	readonly name: string
	/** The newest figure, or null where there is none. */
	readonly value: number | null
	readonly min: number | null
	readonly max: number | null
	/** Of the newest figures, how many are out of bounds, and how many of how many take the rollout back. */
	readonly breaches: number
	readonly allowed: { readonly count: number; readonly of: number }
	/** In bounds at the step in force, and how many it needs. */
	readonly measurements: number
	readonly minMeasurements: number
	/** In a sentence: the figure, or why there is none. */
	readonly text: string
}

export type StepStatus = {
	/** `25 %`, `no share`, or of waves `one proxy`. */
	readonly text: string
	/** What its routes have at most, where they have different shares. */
	readonly canarySharePpm: number
}

export type LaneStatus = {
	/** Ids; of waves that of the mesh. */
	readonly routes: readonly string[]
	readonly shares: {
		readonly now: readonly ShareStatus[]
		readonly good: readonly ShareStatus[]
		readonly target: readonly ShareStatus[]
	}
	/** In the order of the rollout's steps. */
	readonly steps: readonly (readonly ShareStatus[])[]
}
export type ShareStatus = { readonly virtualNode: string; readonly port: number; readonly sharePpm: number }

export function rolloutStatusOf(rollout: Rollout, source: StatusSource): RolloutStatus {
	const { view } = source
	const { phase, verdict, elapsed } = rollout
	const facts = isRunning(rollout) ? factsOf(rollout, source) : null
	const openConnections = openOf(rollout, source)
	const asked = askedKeys(view)
	const missingRequests = verdict?.kind === 'hold' ? verdict.missingRequests : null
	const quarantined = view.state.quarantine.some(({ rollout: id, key }) => id === rollout.id && asked.has(key))
	return {
		id: rollout.id,
		lanes: rollout.lanes.map((lane) => laneStatusOf(rollout, lane)),
		revision: rollout.revision,
		phase: phase.kind,
		text: sentenceOf(rollout, { durable: view.durable, facts, quarantined }) + describeOpen(openConnections),
		cause: 'cause' in phase ? phase.cause : null,
		step: rollout.step + 1,
		steps: rollout.stepsPpm.map((canarySharePpm, step) => ({
			text: nameOfStep(rollout, step),
			canarySharePpm,
		})),
		progress: {
			elapsedMs: Math.round(elapsed.stepMs),
			...demandsOfStep(rollout),
			countedMs: Math.round(elapsed.stepTotalMs),
			requests: requestsOfStep(rollout),
			missingRequests,
			proofWaitMs: missingRequests === null ? null : proofWaitMs(rollout.guard, missingRequests),
			evidenceAgeMs: Math.round(elapsed.sinceLookMs),
		},
		measures: measuresOf(rollout.guard).map((measure) => ({
			...measure,
			text: describeMeasure(measure, drawnOf(rollout.policy)),
		})),
		phi: rollout.phi,
		evidence: verdict === null ? null : { ...verdict.numbers, text: describeEvidence(verdict.numbers) },
		front: frontStatusOf(rollout),
		mirror: mirrorStatusOf(rollout),
		users: describeUsers(rollout.policy),
		beside: { requests: rollout.guard.beside[0], errors: rollout.guard.beside[1] },
		thresholds: thresholdsOf(rollout),
		hooks: rollout.policy.hooks.map((hook) => ({
			name: hook.name,
			point: hook.point,
			text: describeHook(hook, rollout.hooks[hook.name]),
		})),
		holds: rollout.holds,
		confirmed: rollout.confirmed,
		openConnections,
		fleet: facts,
		quarantined,
		clones: rollout.clones,
		approvedBy: rollout.approval?.actor ?? null,
		promotedBy: rollout.promotion?.actor ?? null,
		pausedBy: phase.kind === 'paused' ? phase.by : null,
		changes: rollout.wave?.changes ?? null,
		startedAt: new Date(rollout.startedWallMs).toISOString(),
		endedAt: rollout.endedWallMs === null ? null : new Date(rollout.endedWallMs).toISOString(),
	}
}

function laneStatusOf(rollout: Rollout, lane: Lane): LaneStatus {
	const { routes, good, target } = lane
	return {
		routes: routes.map(({ id }) => id),
		shares: { now: sharesOf(splitInForce(rollout, lane)), good: sharesOf(good), target: sharesOf(target) },
		steps: rollout.stepsPpm.map((_, step) => sharesOf(splitAtStep(rollout, lane, step))),
	}
}

function factsOf(rollout: Rollout, { view, fleet, evidence, placeOf }: StatusSource): FleetFacts | null {
	if (view.effective === null) return null
	return factsOfRollout(rollout, view.concernOf(rollout), {
		...view.served,
		fleet,
		evidence,
		placeOf,
	})
}

function openOf(rollout: Rollout, { view, fleet, evidence }: StatusSource): OpenConnections | null {
	if (!('cause' in rollout.phase) || rollout.wave !== null || view.effective === null) return null
	return openToCanaries(view.concernOf(rollout), { fleet, evidence })
}

/** `25 %`, `no share`, or of waves `one proxy`. */
function nameOfStep(rollout: Rollout, step: number): string {
	if (rollout.wave !== null) return describeWave(rollout, step)
	const sharePpm = rollout.stepsPpm[step] ?? 0
	return sharePpm === 0 ? 'no share' : formatShare(sharePpm)
}

function thresholdsOf({ policy, thresholds }: Rollout): ThresholdStatus[] {
	return thresholdGuardsOf(policy).map((guard) => {
		const { name, min, max, breaches, minMeasurements } = guard
		const state = thresholds[name] ?? newThreshold
		return {
			name,
			value: state.newest?.kind === 'value' ? state.newest.value : null,
			min,
			max,
			breaches: countBreaches(state.recent),
			allowed: breaches,
			measurements: state.inBounds,
			minMeasurements,
			text: describeThreshold(state, guard),
		}
	})
}

export function sharesOf(split: readonly SplitTarget[]): ShareStatus[] {
	return split.map(({ virtualNode, port, sharePpm }) => ({ virtualNode: nameOf(virtualNode), port, sharePpm }))
}

type Circumstances = { readonly durable: boolean; readonly facts: FleetFacts | null; readonly quarantined: boolean }

function sentenceOf(rollout: Rollout, { durable, facts, quarantined }: Circumstances): string {
	const { phase, stepsPpm, step, clones } = rollout
	const split = (lane: Lane) => formatSplit(withoutZeros(splitInForce(rollout, lane)))
	const now = rollout.wave === null ? describeLanes(rollout.lanes, split) : describeInForce(rollout)
	const reached =
		step < 0 ? 'before the first step' : `step ${step + 1} of ${stepsPpm.length} (${nameOfStep(rollout, step)})`
	const confirmed = facts === null ? '' : `, ${facts.current}/${facts.expected} proxies confirmed`
	const leaving = clones === 'none' ? '' : '; its traffic still has clusters of its own'
	switch (phase.kind) {
		case 'pending':
			return `${reached}: ${now}${clones === 'making' ? ', clusters of its own are being made' : ''}`
		case 'stepping':
			return `${reached}: ${now}${confirmed}`
		case 'held':
			return `held ${step < 0 ? '' : 'at '}${reached}: ${rollout.holds.map(({ text }) => text).join('; ')}`
		case 'paused':
			return `paused by ${phase.by.actor} (${phase.by.reason}), ${reached}: ${now}${confirmed}`
		case 'ramping': {
			const { cause, ramp } = phase
			const left = `${(ramp.partsLeft * 100) / limits.rampParts} % of the way left`
			const held = rollout.holds.map(({ text }) => `; ${text}`).join('')
			return `going back by a ramp over ${Math.round(ramp.overMs / 1000)} s, ${left}: ${now}${confirmed}: ${cause.reason}${held}`
		}
		case 'succeeded':
			return `done: ${now}${leaving}`
		case 'rollingBack':
			// What is in force is not in the store: a crash now would find the rollout where it was before.
			return durable
				? `going back to ${now}${confirmed}: ${phase.cause.reason}`
				: `rolled back, not yet durable: ${now}${confirmed}: ${phase.cause.reason}`
		case 'rolledBack':
		case 'aborted': {
			const word = phase.kind === 'aborted' ? 'aborted, back' : 'rolled back'
			const until = quarantined ? '; not tried again until the content changes or `sluice rollout retry`' : ''
			return `${durable ? word : `${word}, not yet durable,`} to ${now}: ${phase.cause.reason}${until}${leaving}`
		}
	}
}
