import { limits } from '#base/limits.ts'
import type { ControllerCommand } from '#controller/commands.ts'
import type { ControllerView } from '#controller/controller-view.ts'
import type { Measurement } from '#guard/look.ts'
import type { RolloutPolicySpec } from '#mesh/mesh.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'
import type { JournalEntry } from '#store/store.ts'
import { figure } from './extras.ts'
import type { Violate } from './invariants.ts'

// What a policy says beyond its steps: gates, windows, deadlines, other people's figures, precautions. Judged by what the
// journal says was decided, and when, against what people and sources have said.

export type PolicyInvariants = {
	/** A person asks for something. */
	asks(command: ControllerCommand): void
	/** The figure was answered so, to the daemon that is there. */
	answered(rollout: string, measurement: Measurement): void
	/** An entry of the journal is durable. */
	told(entry: JournalEntry, rollout: Rollout | undefined): void
	settled(view: ControllerView): void
	restarted(): void
}

export type PolicyInvariantOptions = {
	readonly policy: RolloutPolicySpec
	readonly nowMs: () => number
	readonly wallMs: () => number
	/** How long an answer of the store may take now. */
	readonly storeMs: () => number
	/** Nobody stops the deadlines of this life, and its clocks are steady. */
	readonly areDeadlinesSteady: boolean
	readonly violate: Violate
}

/** A turn, and the next look at time. */
const reactionMs = 1_500

type Known = {
	/** When it was started, and the step in force was decided. */
	readonly startedMs: number
	sinceMs: number
	step: number
	/** A precaution that no step forward has followed. */
	hasSteppedBack: boolean
	approved: boolean
	/** Steps that a person wants without proof; Infinity: all. */
	promotions: number
	/** Newest first: whether the figure was within bounds; null: no data. */
	answers: { readonly atMs: number; readonly isGood: boolean | null }[]
}

export function createPolicyInvariants(options: PolicyInvariantOptions): PolicyInvariants {
	const { policy, nowMs, wallMs, storeMs, violate } = options
	const rollouts = new Map<string, Known>()
	let closedSinceMs: number | null = null
	let bootedMs = 0
	const hasFigure = policy.guards.some(({ kind }) => kind === 'threshold')

	function of(id: string): Known {
		const known = rollouts.get(id) ?? {
			startedMs: nowMs(),
			sinceMs: nowMs(),
			step: -1,
			hasSteppedBack: false,
			approved: false,
			promotions: 0,
			answers: [],
		}
		rollouts.set(id, known)
		return known
	}

	function checkWindow(what: string): void {
		if (isOpen(policy, wallMs())) return
		if (closedSinceMs !== null && nowMs() - closedSinceMs > storeMs() + reactionMs)
			violate('12: nothing goes forward outside its windows', `${what}, closed since ${closedSinceMs}`)
	}

	function checkAdvance(known: Known, rollout: Rollout, from: number): void {
		const what = `${rollout.id} leaves step ${from + 1}`
		const share = rollout.stepsPpm[from]
		const demanded = policy.steps.find(({ sharePpm }) => sharePpm === share)
		if (demanded?.gate === 'person' && !known.approved) violate('a gate is opened by a person', what)
		// A figure is asked for as long as canaries have a share.
		if (hasFigure && share !== 0) checkFigure(known, what)
		const { deadlineMs } = demanded ?? { deadlineMs: null }
		const lateMs = reactionMs + 2 * storeMs()
		const mayAdvance = policy.onNoTraffic === 'advance' || policy.onInconclusive === 'advance'
		if (deadlineMs === null || mayAdvance || !options.areDeadlinesSteady) return
		if (nowMs() - known.sinceMs > deadlineMs + lateMs)
			violate('a deadline acts as the policy says', `${what} after ${nowMs() - known.sinceMs} of ${deadlineMs} ms`)
	}

	/** It was decided by the newest answer at some moment since the store was asked, which may take a while. */
	function checkFigure({ answers }: Known, what: string): void {
		const settled = answers.findIndex(({ atMs }) => nowMs() - atMs >= storeMs())
		const newest = settled === -1 ? answers : answers.slice(0, settled + 1)
		const good = newest.find(({ isGood }) => isGood === true)
		const staleMs = figure.intervalMs * limits.measurementsMissing + limits.measurementDeadlineMs + reactionMs
		if (newest.length === 0) violate('no data never advances', `${what} without a figure`)
		else if (good === undefined) violate('no data never advances', `${what}, the newest figure is not good`)
		else if (nowMs() - good.atMs > staleMs + storeMs())
			violate('no data never advances', `${what}, the newest figure is of ${good.atMs}`)
	}

	/** As many breaches in a row as it takes. */
	function checkBreaches(known: Known, rollout: Rollout): void {
		const numbers = known.answers.filter(({ isGood }) => isGood !== null).slice(0, figure.breaches.count)
		const [newest] = numbers
		if (newest === undefined || numbers.length < figure.breaches.count || numbers.some(({ isGood }) => isGood)) return
		if (nowMs() - newest.atMs > reactionMs + 2 * storeMs())
			violate('breaches take it back', `${rollout.id} goes on ${nowMs() - newest.atMs} ms later`)
	}

	function checkDeadline(known: Known, rollout: Rollout): void {
		// A ramp has an end of its own.
		if (rollout.phase.kind === 'ramping') return
		if (policy.onDeadline !== 'rollBack' || !options.areDeadlinesSteady || known.promotions > 0) return
		const lateMs = nowMs() - Math.max(known.startedMs + policy.deadlineMs, bootedMs)
		if (lateMs > reactionMs + 2 * storeMs())
			violate('a deadline acts as the policy says', `${rollout.id} is ${rollout.phase.kind} ${lateMs} ms after it`)
	}

	return {
		asks(command) {
			if (command.kind === 'approve') of(command.rollout).approved = true
			if (command.kind === 'promote') of(command.rollout).promotions += 1
			if (command.kind === 'promoteFull') of(command.rollout).promotions = Number.POSITIVE_INFINITY
		},
		answered(id, measurement) {
			const isNumber = measurement.kind === 'value' && Number.isFinite(measurement.value)
			const isGood = isNumber ? measurement.value <= (figure.max ?? 0) : null
			of(id).answers.unshift({ atMs: nowMs(), isGood })
		},
		told({ event, rollout: id, numbers }, rollout) {
			if (id === null || rollout === undefined) return
			const known = of(id)
			switch (event) {
				case 'rollout.started':
					return checkWindow(`${id} starts`)
				case 'rollout.advanced': {
					const step = Number(numbers.step)
					checkWindow(`${id} goes to step ${step + 1}`)
					if (step > 0 && known.promotions === 0) checkAdvance(known, rollout, step - 1)
					Object.assign(known, { step, sinceMs: nowMs(), hasSteppedBack: false, approved: false })
					known.promotions = Math.max(0, known.promotions - 1)
					return
				}
				case 'rollout.steppedBack':
					if (known.hasSteppedBack || Number(numbers.step) !== known.step - 1)
						violate('a precaution is one step', `${id} from step ${known.step + 1} to ${Number(numbers.step) + 1}`)
					Object.assign(known, { step: Number(numbers.step), sinceMs: nowMs(), hasSteppedBack: true, approved: false })
					return
				case 'rollout.retargeted':
					Object.assign(known, { step: rollout.step, sinceMs: nowMs(), hasSteppedBack: false, approved: false })
			}
		},
		restarted() {
			// What was decided and stored was not told.
			closedSinceMs = null
			bootedMs = nowMs()
			for (const known of rollouts.values()) known.answers = []
		},
		settled({ state }) {
			closedSinceMs = isOpen(policy, wallMs()) ? null : (closedSinceMs ?? nowMs())
			for (const rollout of state.rollouts) {
				const known = rollouts.get(rollout.id)
				if (known === undefined || !isRunning(rollout) || rollout.phase.kind === 'rollingBack') continue
				if (known.step < rollout.step) known.step = rollout.step
				if (hasFigure) checkBreaches(known, rollout)
				checkDeadline(known, rollout)
			}
		},
	}
}

/** Of windows that are the same each day, by UTC. */
function isOpen({ windows }: RolloutPolicySpec, wallMs: number): boolean {
	if (windows.length === 0) return true
	const minute = Math.floor(wallMs / 60_000) % 1440
	return windows.some(({ fromMinute, toMinute }) => minute >= fromMinute && minute < toMinute)
}
