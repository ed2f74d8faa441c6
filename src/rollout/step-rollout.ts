import { unreachable } from '#base/assert.ts'
import { limits } from '#base/limits.ts'
import { describeAlarm } from '#guard/evidence-text.ts'
import { judge } from '#guard/judge.ts'
import { measuresOf } from '#guard/measures.ts'
import { backOfTurn } from './back-of-turn.ts'
import { approve, pause, promote, resume } from './by-hand.ts'
import { changeStep, phaseOfHolds } from './change-step.ts'
import { leaveClones, makeClones, needsClones, routeToClones, sharingHolds } from './clones.ts'
import { countedMs, findOverdue, type Overdue } from './deadlines.ts'
import { describeOpen } from './describe-open.ts'
import { describeInForce, describeStep } from './describe-step.ts'
import type { FleetFacts } from './fleet-facts.ts'
import { goBack } from './go-back.ts'
import { backHolds, clipHolds, evidenceHolds, fleetHolds, gateHolds, incidentHolds } from './holds.ts'
import { ageHooks, askGates, closedGates, gateAnswerHolds, hearHook, watchHolds } from './hooks.ts'
import { demandsOfStep, isLastStep } from './ladder.ts'
import { rampDown, startRamp } from './ramp.ts'
import type { Elapsed, Hold, Rollout, RolloutEvent, RolloutStepResult } from './rollout.ts'
import { isRunning } from './rollout.ts'
import { isStepBackDue, meetIncident, stepBack } from './shared-incident.ts'
import { guardParametersOf } from './start-rollout.ts'
import { ageThresholds, bootThresholds, measure, thresholdHolds } from './thresholds.ts'
import { hasBaseline, isHeldByNobody, replaceFirst } from './wave.ts'

// One rollout's state machine. Pure: what is served, told or due next is derived from what it returns.

/**
 * One event happens to one rollout. A rollout that has ended stays as it is, but for clusters of its own that it leaves.
 * @param wallMs wall clock, written down for people and never compared
 */
export function stepRollout(rollout: Rollout, event: RolloutEvent, wallMs: number): RolloutStepResult {
	if (!isRunning(rollout)) return afterEnd(rollout, event)
	switch (event.kind) {
		case 'look':
			return look(rollout, event)
		case 'alarm':
			return goBack(
				rollout,
				{ by: 'guard', reason: describeAlarm(event.alarm), actor: 'sluice' },
				{ alarm: event.alarm },
			)
		case 'measurement':
			return measure(rollout, event)
		case 'hook':
			return hearHook(rollout, event)
		case 'promote':
			return promote(rollout, { ...event.command, reach: 'step' })
		case 'promoteFull':
			return promote(rollout, { ...event.command, reach: 'target' })
		case 'approve':
			return approve(rollout, event.command)
		case 'pause':
			return pause(rollout, event.command)
		case 'resume':
			return resume(rollout, event.command)
		case 'abortByRamp':
			return startRamp(rollout, event)
		case 'abort':
			return goBack(rollout, { by: 'command', ...event.command })
		case 'supersede':
			return goBack(rollout, { by: 'superseded', reason: event.reason, actor: 'sluice' })
		case 'boot':
			return { rollout: boot(rollout, event.downMs), notes: [] }
		case 'turn':
			return turn(rollout, event, wallMs)
		default:
			return unreachable(event)
	}
}

function afterEnd(rollout: Rollout, event: RolloutEvent): RolloutStepResult {
	if (event.kind === 'turn') return leaveClones(rollout, event)
	return event.kind === 'hook' ? hearHook(rollout, event) : { rollout, notes: [] }
}

function look(rollout: Rollout, event: Extract<RolloutEvent, { kind: 'look' }>): RolloutStepResult {
	// A look at other shares than those in force says nothing about these.
	if (event.step !== rollout.step || rollout.phase.kind === 'rollingBack') return { rollout, notes: [] }
	const parameters = guardParametersOf(rollout)
	const baselineHasTraffic = hasBaseline(rollout, event.look)
	const { state, verdict } = judge(rollout.guard, event.look, parameters, { baselineHasTraffic })
	// A look at silence is no news of the canary: only one that all proxies had part in ends the wait for evidence.
	const sinceLookMs = state.fresh ? 0 : rollout.elapsed.sinceLookMs
	const judged: Rollout = { ...rollout, guard: state, verdict, elapsed: { ...rollout.elapsed, sinceLookMs } }
	if (verdict.kind !== 'rollBack') return meetIncident(rollout, judged)
	return goBack(
		judged,
		{ by: 'guard', reason: verdict.reason, actor: 'sluice' },
		{
			...verdict.numbers,
			measures: measuresOf(state),
		},
	)
}

/**
 * Nothing that was known of the fleet counts any more: a step needs evidence of this boot (rules, motion 13). The time
 * that a ramp takes went on meanwhile.
 */
function boot(rollout: Rollout, downMs: number): Rollout {
	const { sinceChangeMs } = rollout.elapsed
	const sinceChange = rollout.phase.kind === 'ramping' ? sinceChangeMs + downMs : sinceChangeMs
	return {
		...rollout,
		verdict: null,
		thresholds: bootThresholds(rollout.thresholds),
		// Whom this process has not heard is asked again.
		hooks: {},
		// Looks are numbered anew by each boot.
		guard: { ...rollout.guard, fresh: false, lastSequence: 0 },
		elapsed: countDeadlines(rollout, downMs, { ...rollout.elapsed, sinceChangeMs: sinceChange, sinceLookMs: 0 }),
	}
}

type Turn = Extract<RolloutEvent, { kind: 'turn' }>

function turn(before: Rollout, event: Turn, wallMs: number): RolloutStepResult {
	const rollout = passTime(before, event)
	const back = backOfTurn(rollout, event.facts)
	if (back !== null) return goBack(rollout, back)
	if (rollout.phase.kind === 'rollingBack') return confirmBack(rollout, event.facts, wallMs)
	if (rollout.phase.kind === 'ramping') return rampDown(rollout, rollout.phase, event)
	// A precaution waits for the store, as all but a way back to good do: a restart would raise the share again.
	if (isStepBackDue(rollout, event)) return stepBack(rollout)
	if (rollout.phase.kind === 'paused') return { rollout, notes: [] }
	const other = event.forward && event.bars.length === 0 ? replaceFirst(rollout, event.facts) : null
	if (other !== null) return other

	// Whoever would hold it is not there: nobody can be harmed, and there is nothing to watch.
	if (event.forward && event.bars.length === 0 && isHeldByNobody(rollout, event.facts))
		return forward(rollout, { wallMs, overdue: null, facts: event.facts })
	if (event.forward && event.bars.length === 0 && needsClones(rollout, event.facts))
		return makeClones(rollout, event.facts)
	const promoted = rollout.promotion !== null
	const fleet = fleetHolds(event.facts)
	const ofGuards = [
		...sharingHolds(rollout, event.facts),
		...evidenceHolds(rollout),
		...thresholdHolds(rollout),
		...watchHolds(rollout),
	]
	const incident = promoted ? [] : incidentHolds(rollout)
	const missing = promoted ? [] : [...ofGuards, ...gateHolds(rollout)]
	const overdue = promoted ? null : findOverdue(rollout, [...fleet, ...incident, ...missing])
	if (overdue?.action === 'rollBack')
		return goBack(rollout, { by: overdue.cause, reason: overdue.text, actor: 'sluice' })
	const deadline = overdue?.action === 'hold' ? [deadlineHold(overdue)] : []
	const evidence = overdue?.action === 'advance' ? [] : [...missing, ...deadline]
	const durable: Hold[] = event.forward
		? []
		: [{ code: 'NOT_DURABLE', text: 'the store does not answer: nothing moves forward' }]
	const others = [...event.bars, ...durable]
	const timeIsUp = promoted || rollout.step === -1 || rollout.elapsed.stepMs >= demandsOfStep(rollout).minDurationMs
	const all = [...fleet, ...incident, ...evidence, ...others]
	const gates = promoted ? [] : closedGates(rollout)
	const isReady = all.length === 0 && timeIsUp
	if (isReady && gates.length === 0) return forward(rollout, { wallMs, overdue, facts: event.facts })
	const asking = isReady ? askGates(rollout, gates) : rollout
	const shown = shownHolds(rollout, { fleet, evidence: timeIsUp ? evidence : deadline, others })
	return hold(asking, [...incident, ...shown, ...(promoted ? [] : gateAnswerHolds(asking))])
}

function passTime(rollout: Rollout, { elapsedMs, facts }: Turn): Rollout {
	const { elapsed } = rollout
	// Who is here after a restart is not yet all: the last one to ACK may still be on its way back.
	const confirmed = facts.connected > 0 && facts.current === facts.connected && !facts.returning
	return {
		...rollout,
		confirmed: rollout.confirmed || confirmed,
		thresholds: ageThresholds(rollout, elapsedMs),
		hooks: ageHooks(rollout, elapsedMs),
		elapsed: countDeadlines(rollout, elapsedMs, {
			...elapsed,
			// Counted from the turn that saw that all had ACKed: what passed before it was not at these shares, as long as the store
			// took to write them down. A proxy that joins later does not start it again.
			stepMs: elapsed.stepMs + (rollout.confirmed ? elapsedMs : 0),
			sinceChangeMs: elapsed.sinceChangeMs + elapsedMs,
			sinceLookMs: elapsed.sinceLookMs + elapsedMs,
			sinceForwardMs: elapsed.sinceForwardMs === null ? null : elapsed.sinceForwardMs + elapsedMs,
		}),
	}
}

function countDeadlines(rollout: Rollout, ms: number, elapsed: Elapsed): Elapsed {
	const counted = countedMs(rollout, ms)
	return { ...elapsed, stepTotalMs: elapsed.stepTotalMs + counted.step, totalMs: elapsed.totalMs + counted.total }
}

/** 'Rolled back' is said when every connected proxy has confirmed it, and not before (rules, serving 7). */
function confirmBack(rollout: Rollout, facts: FleetFacts, wallMs: number): RolloutStepResult {
	if (rollout.phase.kind !== 'rollingBack') return { rollout, notes: [] }
	const { cause } = rollout.phase
	const holds = backHolds(facts)
	if (holds.length > 0) return hold(rollout, shownHolds(rollout, { fleet: holds, evidence: [], others: [] }))
	const kind = cause.by === 'command' || cause.by === 'superseded' ? 'aborted' : 'rolledBack'
	const unreachable = facts.gone.map(({ proxy, version }) => `${proxy} (${version})`)
	const excluded = facts.excluded.map(({ proxy, version }) => `${proxy} (${version})`)
	const without = excluded.length === 0 ? '' : `, ${excluded.length} excluded`
	// Of those who are gone not all are named; who has no instance is in no expectation.
	const all = Math.max(facts.expected, facts.connected + unreachable.length)
	const confirmed = `${facts.connected}/${all} proxies confirmed${without}${describeOpen(facts.openToCanaries)}`
	return {
		rollout: { ...rollout, phase: { kind, cause }, holds: [], confirmed: true, endedWallMs: wallMs },
		notes: [
			{
				event: `rollout.${kind}`,
				actor: cause.actor,
				reason: `${cause.reason}; ${confirmed}`,
				numbers: {
					connected: facts.connected,
					unreachable,
					excluded,
					openConnections: facts.openToCanaries?.open ?? null,
					confirmedAfterMs: Math.round(rollout.elapsed.sinceChangeMs),
				},
			},
		],
	}
}

/** The next step, or the end. All of it has been allowed. */
type Going = { readonly wallMs: number; readonly overdue: Overdue | null; readonly facts: FleetFacts }

function forward(rollout: Rollout, { wallMs, overdue, facts }: Going): RolloutStepResult {
	if (rollout.clones === 'making') return routeToClones({ ...rollout, holds: [] })
	const actor = rollout.promotion?.actor ?? 'sluice'
	const numbers = {
		evidence: rollout.verdict?.numbers ?? null,
		measures: measuresOf(rollout.guard),
		promoted: rollout.promotion?.reason ?? null,
		approvedBy: rollout.approval?.actor ?? null,
	}
	// Nobody may read later that it was proven.
	const unproven = overdue === null ? '' : `; without proof, as the policy says: ${overdue.text}`
	if (isLastStep(rollout) || isHeldByNobody(rollout, facts)) {
		const ended = {
			phase: { kind: 'succeeded' },
			holds: [],
			promotion: null,
			approval: null,
			endedWallMs: wallMs,
		} as const
		const done: Rollout = { ...rollout, ...ended, hooks: {} }
		const reason = `${describeInForce(done)}, in force and watched${unproven}`
		return { rollout: done, notes: [{ event: 'rollout.succeeded', actor, reason, numbers }] }
	}
	const step = rollout.step + 1
	const goesOn = rollout.promotion?.reach === 'target' && step < rollout.stepsPpm.length - 1
	const changed = changeStep(rollout, step)
	const next: Rollout = {
		...changed,
		wave: rollout.wave === null ? null : { ...rollout.wave, first: facts.firstCandidate ?? null },
		elapsed: { ...changed.elapsed, sinceForwardMs: 0 },
		promotion: goesOn ? rollout.promotion : null,
	}
	const reason = `step ${step + 1} of ${rollout.stepsPpm.length}: ${describeStep(rollout, step)}${unproven}`
	const split = describeInForce(next)
	return { rollout: next, notes: [{ event: 'rollout.advanced', actor, reason, numbers: { ...numbers, step, split } }] }
}

function deadlineHold({ text }: Overdue): Hold {
	return { code: 'DEADLINE', text: `${text}: promote or abort it` }
}

/**
 * What is worth telling. Just after a step an ACK that is on its way is not, nor is evidence that cannot be there yet: the
 * warm-up, and the first look after it.
 */
function shownHolds(rollout: Rollout, holds: { fleet: Hold[]; evidence: Hold[]; others: Hold[] }): Hold[] {
	const { sinceChangeMs } = rollout.elapsed
	const acksMayCome = sinceChangeMs < limits.ackGraceMs
	const lookMayCome = sinceChangeMs < demandsOfStep(rollout).warmUpMs + limits.firstLookMs
	const fleet = holds.fleet.filter(
		({ code }) => !acksMayCome || (code !== 'NOT_ACKED' && code !== 'NOT_READY' && code !== 'SILENT'),
	)
	const evidence = holds.evidence.filter(({ code }) => !lookMayCome || code === 'DEADLINE' || code === 'GATE')
	return [...holds.others, ...fleet, ...evidence]
}

/** Stays where it is. The journal hears of it when the kind of reason changes, not whenever a figure does. */
function hold(rollout: Rollout, holds: readonly Hold[]): RolloutStepResult {
	const phase = rollout.phase.kind === 'rollingBack' ? rollout.phase : phaseOfHolds(rollout, holds)
	const next: Rollout = { ...rollout, phase, holds: clipHolds(holds) }
	if (codesOf(rollout.holds) === codesOf(holds) || holds.length === 0) return { rollout: next, notes: [] }
	const reason = holds.map(({ text }) => text).join('; ')
	return {
		rollout: next,
		notes: [{ event: 'rollout.held', actor: 'sluice', reason, numbers: { codes: holds.map(({ code }) => code) } }],
	}
}

function codesOf(holds: readonly Hold[]): string {
	return [...new Set(holds.map(({ code }) => code))].sort().join(' ')
}
