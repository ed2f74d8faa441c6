// What the simulator must be able to see: the source broken on purpose, in as few places as it takes. The text that is looked
// for must be in its file exactly once; when it is gone, the test says so, and the breakage is to be made anew.
// `breakages/NAME.json` is a life that finds it out.

export type Breakage = {
	readonly name: string
	/** What the broken daemon does. */
	readonly does: string
	readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[]
	/** The invariant that is to catch it. */
	readonly caughtBy: string
}

const rolloutStep = 'src/rollout/step-rollout.ts'
const holds = 'src/rollout/holds.ts'
const controller = 'src/controller/controller.ts'
const wave = 'src/rollout/wave.ts'
const threshold = 'src/guard/threshold.ts'
const settle = 'src/controller/settle.ts'
const toStart = 'src/controller/shifts-to-start.ts'
const serving = 'src/controller/serving.ts'

export const breakages: readonly Breakage[] = [
	{
		name: 'advance-on-silence',
		does: 'takes a look for fresh though proxies had no part in it',
		edits: [
			{ file: holds, find: 'if (!rollout.guard.fresh)', replace: 'if (!rollout.guard)' },
			{ file: rolloutStep, find: 'state.fresh ? 0 : rollout.elapsed.sinceLookMs', replace: '0' },
			{
				file: 'src/controller/facts.ts',
				find: 'if (hosts !== null && hosts >= 1) continue',
				replace: 'if (hosts === null ? evidence.isSilent(key) : hosts >= 1) continue',
			},
		],
		caughtBy: '2: no step forward without fresh evidence',
	},
	{
		name: 'forget-the-journal',
		does: 'puts a step in force before it is stored',
		edits: [
			{
				file: controller,
				find: 'keeper.addMeshes(result.newMeshes)\n\t\tconst stored =',
				replace:
					'keeper.addMeshes(result.newMeshes)\n\t\tconst was = state\n\t\tstate = result.state\n\t\tpublish()\n\t\tstate = was\n\t\tconst stored =',
			},
		],
		caughtBy: '6: written down before it takes effect',
	},
	{
		name: 'advance-twice-after-a-crash',
		does: 'takes the last step again when it starts, since it may not have been taken',
		edits: [
			{
				file: rolloutStep,
				find: '\t\t// Looks are numbered anew by each boot.\n',
				replace:
					"\t\tstep: rollout.phase.kind === 'rollingBack' ? rollout.step : Math.min(rollout.step + 1, rollout.stepsPpm.length - 1),\n",
			},
		],
		caughtBy: '2: no step forward without fresh evidence',
	},
	{
		name: 'rise-after-going-back',
		does: 'goes on to the next step as soon as the way back is confirmed',
		edits: [
			{
				file: rolloutStep,
				find: "\tconst kind = cause.by === 'command'",
				replace:
					"\tif (!isLastStep(rollout)) {\n\t\tconst advanced = { event: 'rollout.advanced', actor: 'sluice', reason: 'on', numbers: {} }\n\t\treturn { rollout: { ...rollout, step: rollout.step + 1, phase: { kind: 'stepping' } }, notes: [advanced] }\n\t}\n\tconst kind = cause.by === 'command'",
			},
		],
		caughtBy: '4: after a way back the canary never rises',
	},
	{
		name: 'target-not-ready',
		does: 'gives weight to a canary that has no healthy host',
		edits: [{ file: holds, find: 'facts.notReady.slice(0, limits.holdNames)', replace: 'facts.notReady.slice(0, 0)' }],
		caughtBy: '3: no weight to a target that is not ready',
	},
	{
		name: 'no-quarantine',
		does: 'starts again at once what has just gone back',
		edits: [{ file: toStart, find: '!isQuarantined(quarantineKey) && ', replace: '' }],
		caughtBy: '4: after a way back the canary never rises',
	},
	{
		name: 'no-boot-hold',
		does: 'serves the stored step to proxies that were taken back and not yet written down',
		edits: [
			{
				file: serving,
				find: 'createBootHold({ rollouts: state.rollouts,',
				replace: 'createBootHold({ rollouts: [],',
			},
		],
		caughtBy: '4: after a way back the canary never rises',
	},
	{
		name: 'lost-rollback-of-a-success',
		does: 'forgets when it starts what a person took back after it had succeeded',
		edits: [
			{
				file: 'src/controller/boot-hold.ts',
				find: '...mayBeTakenBack(rollouts, applied)]',
				replace: '...mayBeTakenBack([], applied)]',
			},
		],
		caughtBy: '4: after a way back the canary never rises',
	},
	{
		name: 'rolled-back-before-confirmed',
		does: 'says that it is rolled back while proxies hold other shares',
		edits: [
			{
				file: holds,
				find: 'if (current + stranded.length < connected)',
				replace: 'if (current + stranded.length < 0)',
			},
		],
		caughtBy: 'what is said to be done is done',
	},
	{
		name: 'remove-what-is-used',
		does: 'removes a node while proxies still route to it',
		edits: [
			{
				file: settle,
				find: '(user === undefined ? fleetLags :',
				replace: '(user === undefined ? null :',
			},
		],
		caughtBy: '7: nothing is removed that somebody needs',
	},
	{
		name: 'way-back-waits-for-the-store',
		does: 'goes back only once that is written down',
		edits: [
			{
				file: controller,
				find: 'if (!result.wentBack)',
				replace: 'if (result.wentBack) return await commitForward(result, { asked, input })\n\t\tif (!result.wentBack)',
			},
		],
		caughtBy: '10: a way back is immediate',
	},
	{
		name: 'stale-look',
		does: 'counts a look at the shares before for the step in force',
		edits: [
			{
				file: rolloutStep,
				find: "if (event.step !== rollout.step || rollout.phase.kind === 'rollingBack')",
				replace: "if (rollout.phase.kind === 'rollingBack')",
			},
		],
		caughtBy: '5: a step is looked at before the next',
	},
	{
		name: 'not-acked',
		does: 'takes a step while proxies have not confirmed the last one',
		edits: [
			{
				file: holds,
				find: 'if (facts.current < facts.connected - facts.rejectedProxies)',
				replace: 'if (facts.current < 0)',
			},
		],
		caughtBy: '5: no step forward before all have ACKed',
	},
	{
		name: 'proxies-missing',
		does: 'takes a step while expected proxies are gone',
		edits: [
			{ file: holds, find: 'if (present < facts.expected * limits.connectedShare)', replace: 'if (present < 0)' },
		],
		caughtBy: '5: no step forward while proxies are missing',
	},
	{
		name: 'refusal-is-no-news',
		does: 'stays where it is when proxies refuse the step',
		edits: [
			{
				file: 'src/rollout/back-of-turn.ts',
				find: 'if (facts.rejectedShare > limits.rejectedShare)',
				replace: 'if (facts.rejectedShare > 1)',
			},
		],
		caughtBy: '5: a refusal takes it back',
	},
	{
		name: 'no-bake',
		does: 'says that it succeeded without watching the last step',
		edits: [{ file: 'src/rollout/ladder.ts', find: 'Math.max(policy.bakeMs,', replace: 'Math.max(0,' }],
		caughtBy: '8: the last step bakes',
	},
	{
		name: 'waves-to-all-at-once',
		does: 'gives the first wave to all proxies',
		edits: [{ file: wave, find: 'if (isLastStep(rollout) || proxy', replace: 'if (rollout.step >= 0 || proxy' }],
		caughtBy: '6: written down before it takes effect',
	},
	{
		name: 'waves-that-shrink',
		does: 'forgets in the second wave who was alone in the first',
		edits: [
			{
				file: wave,
				find: 'proxy.key === rollout.wave.first) return true',
				replace: '(rollout.step === 0 && proxy.key === rollout.wave.first)) return true',
			},
		],
		caughtBy: 'a wave only grows',
	},
	{
		name: 'waves-without-a-look',
		does: 'takes a look of the warm-up for one that has judged a wave',
		edits: [
			{
				file: holds,
				find: 'if (rollout.wave === null || rollout.guard.stepStartDue) return false',
				replace: 'if (rollout.wave !== null) return true',
			},
		],
		caughtBy: '5: a step is looked at before the next',
	},
	{
		name: 'shifts-beside-waves',
		does: 'starts to shift shares while waves go out',
		edits: [{ file: settle, find: 'due === null ? shiftsNow : behindWaves(shiftsNow)', replace: 'shiftsNow' }],
		caughtBy: 'waves go out alone',
	},
	{
		name: 'waves-come-again',
		does: 'sends out again by waves what has just gone back from them',
		edits: [{ file: settle, find: 'failedAmong(all.due, options.quarantine)', replace: 'failedAmong(all.due, [])' }],
		caughtBy: '4: after a way back the canary never rises',
	},
	{
		name: 'waves-taken-for-a-way-back',
		does: 'takes all that a commit changes for a way back when it takes back the one before it',
		edits: [
			{
				file: 'src/controller/apply-at-once.ts',
				find: 'return hashApartFromShares(whole.resources[id]) === hashApartFromShares(takesBackTo.resources[id])',
				replace: 'return whole.resources[id] !== undefined',
			},
		],
		caughtBy: '4: after a way back the canary never rises',
	},
	{
		name: 'gate-stands-open',
		does: 'ends a step with a gate that nobody has opened',
		edits: [
			{
				file: holds,
				find: "if (demandsOfStep(rollout).gate === 'none' || rollout.approval !== null) return []",
				replace: "if (demandsOfStep(rollout).gate !== 'shut') return []",
			},
		],
		caughtBy: 'a gate is opened by a person',
	},
	{
		name: 'windows-do-not-close',
		does: 'goes forward outside its windows',
		edits: [
			{
				file: 'src/controller/draft.ts',
				find: 'const isClosed = !draft.input.isWithin(windows)',
				replace: 'const isClosed = windows.length < 0',
			},
		],
		caughtBy: '12: nothing goes forward outside its windows',
	},
	{
		name: 'deadline-is-passed-over',
		does: 'goes on when the deadline of a step has passed, though it is to hold',
		edits: [
			{
				file: rolloutStep,
				find: "overdue?.action === 'hold' ? [deadlineHold(overdue)] : []",
				replace: 'overdue === undefined ? [deadlineHold(overdue)] : []',
			},
		],
		caughtBy: 'a deadline acts as the policy says',
	},
	{
		name: 'deadline-without-end',
		does: 'stays where it is when the deadline has passed, though it is to go back',
		edits: [{ file: rolloutStep, find: "if (overdue?.action === 'rollBack')", replace: 'if (overdue === undefined)' }],
		caughtBy: 'a deadline acts as the policy says',
	},
	{
		name: 'no-traffic-advances',
		does: 'takes a step without a request when its deadline has passed, whatever the policy says',
		edits: [{ file: 'src/rollout/deadlines.ts', find: 'action: policy.onNoTraffic', replace: "action: 'advance'" }],
		caughtBy: '2: no step forward without fresh evidence',
	},
	{
		name: 'no-data-is-good',
		does: 'takes a figure that nobody has for a good one',
		edits: [
			{
				file: threshold,
				find: "if (newest.kind === 'noData') return { kind: 'noData', text: ",
				replace: "if (newest.kind === 'noData') return null\n\tif (name === '') return { kind: 'noData', text: ",
			},
		],
		caughtBy: 'no data never advances',
	},
	{
		name: 'not-a-number-is-good',
		does: 'takes a figure that is not a number for one within bounds',
		edits: [{ file: threshold, find: 'if (!Number.isFinite(value))', replace: 'if (value === Infinity)' }],
		caughtBy: 'no data never advances',
	},
	{
		name: 'breaches-are-no-news',
		does: 'stays where it is though the figure is out of bounds',
		edits: [
			{
				file: threshold,
				find: 'if (!isBreach || bad < guard.breaches.count)',
				replace: 'if (!isBreach || bad < 1_000)',
			},
		],
		caughtBy: 'breaches take it back',
	},
	{
		name: 'precaution-too-far',
		does: 'takes all steps back where one would do',
		edits: [
			{
				file: 'src/rollout/shared-incident.ts',
				find: 'changeStep(rollout, rollout.step - 1)',
				replace: 'changeStep(rollout, -1)',
			},
		],
		caughtBy: 'a precaution is one step',
	},
	{
		name: 'another-canary-goes-on',
		does: 'goes on with a rollout whose canary Git has changed',
		edits: [
			{
				file: 'src/controller/changed-rollouts.ts',
				find: "rollout.canaries.some(changes) ? 'otherCanary' : 'otherShares'",
				replace: "rollout.canaries.some(changes) ? 'otherShares' : 'otherShares'",
			},
		],
		caughtBy: '4: another version is another canary',
	},
	{
		name: 'front-stays',
		does: 'leaves what is in front where it is on a way back',
		edits: [
			{
				file: 'src/rollout/front.ts',
				find: 'rollout.step >= 0 && !isGoingBack(rollout)',
				replace: 'rollout.step >= 0 && isRunning(rollout)',
			},
		],
		caughtBy: 'what is said to be done is done',
	},
	{
		name: 'front-too-soon',
		does: 'puts something in front before the first step',
		edits: [{ file: 'src/rollout/front.ts', find: 'rollout.step >= 0 &&', replace: 'rollout.step >= -1 &&' }],
		caughtBy: '6: written down before it takes effect',
	},
	{
		name: 'ramp-without-end',
		does: 'lets the end of a ramp wait for a healthy host, too',
		edits: [
			{
				file: 'src/rollout/ramp.ts',
				find: 'if (due >= ramp.partsLeft) return',
				replace: 'if (due >= ramp.partsLeft && facts.stranded.length === 0) return',
			},
		],
		caughtBy: '10: a ramp ends in its time',
	},
	{
		name: 'ramp-mutes-the-guard',
		does: 'goes on with its ramp though the canary fails',
		edits: [
			{
				file: 'src/rollout/step-rollout.ts',
				find: "\t\tcase 'alarm':\n\t\t\treturn goBack(",
				replace:
					"\t\tcase 'alarm':\n\t\t\tif (rollout.phase.kind === 'ramping') return { rollout, notes: [] }\n\t\t\treturn goBack(",
			},
		],
		caughtBy: '10: a way back is immediate',
	},
	{
		name: 'ramp-by-memory-alone',
		does: 'serves the parts of a ramp before they are written down',
		edits: [
			{
				file: 'src/controller/step.ts',
				find: "event === 'rollout.rollingBack'),",
				replace: "event === 'rollout.rollingBack' || event === 'rollout.ramping'),",
			},
		],
		caughtBy: '6: written down before it takes effect',
	},
]
