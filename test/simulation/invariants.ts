import { limits } from '#base/limits.ts'
import type { RolloutPolicySpec } from '#mesh/mesh.ts'
import { wholePpm } from '#plan/plan.ts'
import { type FakeProxy, sharesAt } from './fake-proxy.ts'
import type { Reports } from './reports.ts'
import type { Shares } from './shares.ts'
import type { Pair, Weights } from './simulated-mesh.ts'

// What must always hold of one route (design: "What must always hold"), seen from outside: from what proxies are sent,
// hold and report, never from what the controller says of itself. The numbers are the design's; what cannot be seen so is
// in consistency.ts.

export type Violate = (invariant: string, text: string) => void

export type Invariants = {
	/** Git asked for something: shares may rise again. `goodPpm`: the canary's, where a rollout under way began. */
	asked(weights: Weights, goodPpm: number | null): void
	/** The step in force was taken back as a precaution: the shares may rise again, step by step. */
	steppedBack(): void
	/** A part of a ramp leaves the canary this much. */
	ramped(sharePpm: number): void
	/** A rollout was decided, towards more of this node. */
	begins(node: string): void
	/** What was asked for last is another canary than the one under way, which goes back before the new one rises. */
	replaced(): void
	/** Git has other specifications for these nodes: what failed may be tried again. */
	respecified(nodes: readonly string[]): void
	/** A person asks for a step without proof, or for all of them: from now on one may be taken. */
	asksToPromote(): void
	/** The answer to that has come; `unknown`: the daemon has died before, and may have written it down. */
	answersPromote(reach: 'step' | 'target', outcome: 'known' | 'unknown'): void
	/** It is written down: the step that comes next is the one. */
	promoted(reach: 'step' | 'target'): void
	/** A person wants what went back to be tried again. */
	retried(): void
	published(before: Shares | null, after: Shares): void
	delivered(target: FakeProxy, before: Shares | null, after: Shares): void
	/** A proxy has gone: the others may be all that hold the shares by now. */
	left(): void
	/** Another daemon. `settled`: as the store has it, nothing moves on this route. */
	restarted(route: 'moving' | 'settled'): void
}

export type InvariantOptions = {
	readonly pair: Pair
	readonly nowMs: () => number
	readonly proxies: () => readonly FakeProxy[]
	readonly reports: Reports
	readonly policy: RolloutPolicySpec
	/** How long an answer of the store may take now: what changes meanwhile comes too late for the step. */
	readonly storeMs: () => number
	readonly violate: Violate
}

/** The oldest flush on which a step may rest: it was not silent when the newest look closed. */
const freshMs = limits.silentAfterMs + limits.lookIntervalMs + 500

export function createInvariants(options: InvariantOptions): Invariants {
	const { pair, nowMs, proxies, reports, policy, storeMs, violate } = options
	const stepsPpm = policy.steps.map(({ sharePpm }) => sharePpm)
	// Whichever of the two targets rises, the ladder is in its shares.
	const allowed = new Set(stepsPpm.flatMap((share) => [share, wholePpm - share]))
	/** The lowest share published since something was last asked for, once it had fallen. */
	let ceiling: number | null = null
	/** Some proxy has been taken down to it: only then can a crash not undo it. */
	let isFelt = false
	/** What went back, and was not written down, had succeeded before: then one proxy that holds it may as well have been away. */
	let takesHalf = false
	let highest: number | null = null
	let mayPromote: 'no' | 'step' | 'target' = 'no'
	/** Asked for and not answered: of a step that is taken meanwhile nobody can tell whether it was for that. */
	let promotesAsked = 0
	let isPrecaution = false
	/** A step was taken: before that, a share that is also a step's is only where it all began. */
	let raised = false
	/** A fall that makes way for another canary. A crash may undo it before it was written down: then it comes again. */
	let makesWay: 'no' | 'expected' | 'done' = 'no'
	/** A ramp goes down whatever is asked for meanwhile; that begins when the ramp has ended. */
	let isRamping = false
	let liftsAtStart = false
	let bootedMs = 0
	let sharesSinceMs = 0
	/** When all that were connected held the shares for the first time, whoever joins or returns later; null until then. */
	let confirmedMs: number | null = 0
	/** The node that Git wants to have more: what is said of a canary is said of it. */
	let rising: string | null = pair.canary
	let last: Shares | null = null

	return {
		asked([stable, canary], goodPpm) {
			const wanted = Math.round((canary / (stable + canary)) * wholePpm)
			for (const share of [wanted, heldBackAt(wanted), wholePpm - heldBackAt(wholePpm - wanted)]) allowed.add(share)
			const from = goodPpm ?? last?.get(pair.canary) ?? 0
			const wins = wanted < from ? pair.stable : pair.canary
			// The one that rose falls first, so that the other rises without a step: nothing of this kind can be checked then.
			// Of the other target no step was taken yet.
			if (wins !== rising) raised = false
			if (goodPpm === null) rising = wins
			// A store that is slow may write down the end of the one under way before anybody has heard of this.
			else if ((wins !== rising && wanted !== from) || storeMs() > 0) rising = null
			lift()
		},
		steppedBack() {
			isPrecaution = true
		},
		ramped(sharePpm) {
			allowed.add(sharePpm)
			isRamping = true
		},
		begins(node) {
			if (liftsAtStart) lift()
			isRamping = false
			liftsAtStart = false
			// What it begins with no step of its own has reached.
			raised = false
			rising ??= node
		},
		replaced() {
			makesWay = 'expected'
		},
		respecified(nodes) {
			if (rising !== null && nodes.includes(rising)) lift()
		},
		asksToPromote() {
			promotesAsked += 1
		},
		answersPromote(reach, outcome) {
			promotesAsked -= 1
			if (outcome === 'unknown') mayPromote = reach
		},
		promoted(reach) {
			mayPromote = reach
		},
		retried: lift,
		restarted(route) {
			bootedMs = nowMs()
			if (makesWay === 'done') makesWay = 'expected'
			takesHalf = route === 'settled'
			if (!isFelt) ceiling = null
		},
		published(before, after) {
			const previous = last
			last = after
			if (rising === null) return
			const share = after.get(rising) ?? 0
			const was = before?.get(rising) ?? highest ?? previous?.get(rising) ?? 0
			if (share < was) raised = false
			// A ramp falls more than once.
			if (makesWay !== 'no' && share < was) {
				makesWay = 'done'
				highest = null
			}
			if (isPrecaution && share < was) {
				highest = null
				isPrecaution = false
			}
			// Git wanted another canary before the step was written down, and the same moment has taken back what nobody felt.
			if (share < was && sharesSinceMs === nowMs()) highest = null
			// What a daemon has found in its store it publishes first.
			if (before === null) isPrecaution = false
			if (highest !== null && share < highest && share < (ceiling ?? wholePpm)) {
				ceiling = share
				isFelt = false
			}
			if (before !== null && share > was) {
				checkRaise(rising, was, share)
				raised = true
				if (makesWay === 'done') makesWay = 'no'
			}
			if (share !== was) {
				sharesSinceMs = nowMs()
				confirmedMs = allHold(rising, share) ? nowMs() : null
			}
			highest = Math.max(highest ?? 0, share)
		},
		delivered({ proxy }, before, after) {
			const sum = [...after.values()].reduce((total, part) => total + part, 0)
			const share = rising === null ? 0 : (after.get(rising) ?? 0)
			const was = rising === null ? 0 : (before?.get(rising) ?? share)
			if (ceiling !== null && share <= ceiling) isFelt = true
			if (ceiling !== null && share > was && share > ceiling && takesHalf && !isHeldByHalf(ceiling)) ceiling = null
			if (ceiling !== null && share > was && share > ceiling)
				violate(
					'4: after a way back the canary never rises',
					`${was} → ${share} ppm at ${proxy.key}, once at ${ceiling}`,
				)
			if (Math.abs(sum - wholePpm) > 5) violate('1: shares sum to the whole', `${sum} ppm at ${proxy.key}`)
			const canary = after.get(pair.canary) ?? 0
			if (![...allowed].some((step) => Math.abs(step - canary) <= 1))
				violate('1: shares are those of a decided step', `${canary} ppm at ${proxy.key}`)
			noteConfirmed()
		},
		left: noteConfirmed,
	}

	/** What the node that rises has while it bakes. */
	function heldBackAt(wanted: number): number {
		return wanted - Math.max(0, policy.holdBackPpm - (wholePpm - wanted))
	}

	/** Shares may rise again. */
	function lift(): void {
		liftsAtStart = isRamping
		ceiling = null
		highest = null
	}

	/** Before this very proxy was raised. */
	function isHeldByHalf(most: number): boolean {
		if (nowMs() - bootedMs < limits.bootHoldMs) return true
		const shares = connected().map(
			(target) =>
				sharesAt(target)
					.get(pair.host)
					?.get(rising ?? '') ?? 0,
		)
		return 2 * (shares.filter((share) => share <= most).length + 1) >= shares.length
	}

	function noteConfirmed(): void {
		if (rising !== null && allHold(rising, last?.get(rising) ?? 0)) confirmedMs ??= nowMs()
	}

	function connected(): FakeProxy[] {
		return proxies().filter((target) => target.connected)
	}

	function allHold(node: string, share: number): boolean {
		return connected().every((target) => (sharesAt(target).get(pair.host)?.get(node) ?? 0) === share)
	}

	function checkRaise(node: string, from: number, to: number): void {
		const promoted = mayPromote !== 'no' || promotesAsked > 0
		if (mayPromote === 'step') mayPromote = 'no'
		const step = `${from} → ${to} ppm of ${node}`
		checkPresence(node, from, step)
		for (const target of connected()) checkReadiness(target, node, { step, promoted })
		if (promoted) return
		checkDurations(from, step)
		const requests = connected().reduce((sum, target) => sum + (reports.of(target).requests.get(pair.host) ?? 0), 0)
		// Nobody sends any, and the policy says that the step is to be taken all the same when its time is over.
		const needsNone = policy.onNoTraffic === 'advance'
		const isKnown = !proxies().some(isNews) && !needsNone
		if (isKnown && node === pair.canary && from > 0 && ceiling === null && hasStepped(from) && requests === 0)
			violate('2: no step forward without fresh evidence', `${step} with no canary request`)
	}

	/** They are few: one that is missing is more than a tenth. Whom only the daemon before has seen is not missed for long. */
	function checkPresence(node: string, from: number, step: string): void {
		const isMissed = ({ leftMs }: FakeProxy) => nowMs() - bootedMs < limits.bootHoldMs || (leftMs ?? 0) >= bootedMs
		const missing = proxies().find((target) => !target.connected && isMissed(target) && !isNews(target))
		if (missing !== undefined)
			violate('5: no step forward while proxies are missing', `${step} without ${missing.proxy.key}`)
		for (const target of connected()) {
			const held = sharesAt(target).get(pair.host)?.get(node) ?? 0
			if (held !== from && !isNews(target))
				violate('5: no step forward before all have ACKed', `${step}, ${target.proxy.key} holds ${held}`)
		}
	}

	/** It came or went when the step was decided already, and the store had not answered. */
	function isNews({ leftMs, startedMs, arrivedMs }: FakeProxy): boolean {
		return Math.max(leftMs ?? 0, startedMs, arrivedMs) > nowMs() - storeMs()
	}

	function checkReadiness(
		target: FakeProxy,
		node: string,
		{ step, promoted }: { step: string; promoted: boolean },
	): void {
		if (isNews(target)) return
		const { healthy, lastMs } = reports.of(target)
		if ((healthy.get(node) ?? 0) < 1 && nowMs() - reports.of(target).healthySinceMs >= storeMs())
			violate('3: no weight to a target that is not ready', `${step}, ${target.proxy.key} has no healthy host`)
		if (!promoted && nowMs() - lastMs > freshMs + storeMs())
			violate('2: no step forward without fresh evidence', `${step}, ${target.proxy.key} silent since ${lastMs}`)
	}

	/** The last step of what was asked before may be the first of the new ladder: its durations are those of another. */
	function checkDurations(from: number, step: string): void {
		if (!raised || !stepsPpm.includes(from)) return
		const demanded = policy.steps.find(({ sharePpm }) => sharePpm === from)?.minDurationMs ?? 0
		const lastedMs = nowMs() - (confirmedMs ?? nowMs())
		if (lastedMs < demanded)
			violate('5: a step lasts as long as it must', `${step} after ${lastedMs} of ${demanded} ms`)
		const lookMs = policy.warmUpMs + limits.flushIntervalMs + limits.lookIntervalMs
		const sinceMs = nowMs() - Math.max(sharesSinceMs, bootedMs)
		if (sinceMs < lookMs)
			violate('5: a step is looked at before the next', `${step} after ${sinceMs} ms, a look takes ${lookMs}`)
	}

	/** The share in force is one that a rollout reached, not the one it started from. */
	function hasStepped(share: number): boolean {
		return raised && stepsPpm.includes(share) && highest === share
	}
}
