import { type FaultKind, isThin, type Scenario } from './scenario.ts'
import { type Outcome, simulate } from './world.ts'

export type Summary = {
	rollouts: number
	violations: number
	/** Invariant → lives that broke it. */
	broken: Record<string, number>
	faults: Partial<Record<FaultKind, number>>
	statesSeen: string[]
	crashes: number
	turns: number
	failures: Outcome[]
}

/** Simulates one life after the other. Failing outcomes are kept with their seed: `--seeds N` replays one. */
export async function runSimulation(options: {
	scenarios: Iterable<Scenario>
	onFailure?: (outcome: Outcome) => void
}): Promise<Summary> {
	const summary: Summary = {
		rollouts: 0,
		violations: 0,
		broken: {},
		faults: {},
		statesSeen: [],
		crashes: 0,
		turns: 0,
		failures: [],
	}
	const states = new Set<string>()
	for (const scenario of options.scenarios) {
		const outcome = await simulate(scenario)
		summary.rollouts += 1
		summary.crashes += outcome.crashes
		summary.turns += outcome.turns
		for (const kind of outcome.faults) summary.faults[kind] = (summary.faults[kind] ?? 0) + 1
		for (const phase of outcome.phases) states.add(phase)
		const complaints = [...outcome.violations, ...wrongEnding(scenario, outcome)]
		if (complaints.length === 0 && outcome.errors.length === 0) continue
		const failure = { ...outcome, violations: complaints }
		summary.violations += Math.max(1, complaints.length)
		for (const invariant of new Set(failure.violations.map((violation) => violation.invariant)))
			summary.broken[invariant] = (summary.broken[invariant] ?? 0) + 1
		summary.failures.push(failure)
		options.onFailure?.(failure)
	}
	summary.statesSeen = [...states].sort()
	return summary
}

/** What must have come of it, where nothing that went wrong could change the answer. */
function wrongEnding(scenario: Scenario, outcome: Outcome): Outcome['violations'] {
	const startPpm = Math.round((scenario.from[1] / (scenario.from[0] + scenario.from[1])) * 1_000_000)
	const complain = (invariant: string, text: string) => [{ invariant, atMs: -1, text }]
	if (
		scenario.quality.kind === 'unresolved' &&
		outcome.reachedPpm > startPpm &&
		!scenario.faults.some(({ kind }) => kind === 'retarget')
	) {
		return complain(
			'3: held before the first percent',
			`reached ${outcome.reachedPpm} ppm of a canary that does not resolve`,
		)
	}
	if (scenario.faults.length > 0 || scenario.second === 'chained') return []
	// A gate, a window and a deadline may each be why it ends otherwise, and rightly.
	if (scenario.extra === 'gate' || scenario.extra === 'window' || scenario.extra === 'deadline') return []
	const { treatment } = scenario
	if (treatment !== undefined) {
		// What is bad from the beginning fails at all proxies alike, and nothing goes forward.
		if (startPpm > 0 && scenario.quality.kind !== 'healthy') return []
		const wanted = treatment.errorShare > 0 ? 'rolledBack' : 'succeeded'
		if (outcome.endedWaves !== wanted) return complain(`waves that are ${wanted}`, `${outcome.endedWaves}`)
		if (treatment.weights === 'same') return []
	}
	// Two minutes prove nothing then, and being held is the right answer.
	const isWaiting = outcome.ended === 'held' || outcome.ended === 'stepping'
	if (isWaiting && isThin(scenario)) return []
	switch (scenario.quality.kind) {
		case 'healthy':
			return outcome.ended === 'succeeded'
				? []
				: complain('a healthy canary succeeds', `${outcome.ended} ${outcome.holds.join()}`)
		case 'stalling':
			return outcome.ended === 'rolledBack'
				? []
				: complain('a stalling canary is rolled back', `${outcome.ended} ${outcome.holds.join()}`)
		case 'failing': {
			const targetPpm = Math.round((scenario.to[1] / (scenario.to[0] + scenario.to[1])) * 1_000_000)
			if (scenario.quality.fromPpm > targetPpm || scenario.quality.at !== 'everywhere') return []
			return outcome.ended === 'rolledBack'
				? []
				: complain('a failing canary is rolled back', `${outcome.ended} ${outcome.holds.join()}`)
		}
		case 'unresolved':
			// It may be refused for the errors of the share that it has already.
			return outcome.ended === 'held' || (startPpm > 0 && outcome.ended === 'rolledBack')
				? []
				: complain('an unresolved canary is held', `${outcome.ended}`)
	}
}
