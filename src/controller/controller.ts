import type { Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { HookEvent } from '#hooks/hook-call.ts'
import { isRunning } from '#rollout/rollout.ts'
import type { SourceEvent } from '#source/source.ts'
import type { JournalEntry } from '#store/store.ts'
import type { Flush } from '#telemetry/flush.ts'
import type { MeasurementEvent } from '#telemetry/measurement.ts'
import type { Rejection, XdsEvent } from '#xds/fleet-view.ts'
import { answer, type CommandReply, type ControllerCommand, type Waiting } from './commands.ts'
import type { ControllerOptions } from './controller-options.ts'
import type { ControllerView } from './controller-view.ts'
import { createEvidence, type Evidence } from './evidence.ts'
import { createFacts } from './facts.ts'
import { hookCallsOf } from './hook-calls.ts'
import { createInbox } from './inbox.ts'
import { isBusy } from './is-busy.ts'
import { createKeeper } from './keeper.ts'
import { createServing, type ServedMeshes } from './serving.ts'
import type { Settlement } from './settle.ts'
import { coreEventOf, eventOfReading, healthAfter, type SourceHealth, untriedSource } from './source-events.ts'
import { type ControllerState, initialState, signatureOf } from './state.ts'
import { stepController } from './step.ts'
import { thresholdWatchesOf } from './threshold-watches.ts'
import type { CoreEvent, TurnInput, TurnResult } from './turn.ts'
import { createTurnClock } from './turn-clock.ts'
import { isWithin } from './windows.ts'

// The loop: outside events only mark work due; a turn drains them, decides, stores, publishes. The only writer of
// state. Everything that is served or told is derived from that state.

export type Controller = {
	/** Loads the last state. From then on arrivals are served from it; Git comes later. */
	start(): Promise<void>
	takeSource(event: SourceEvent): void
	takeXds(event: XdsEvent): void
	/** What discovery knows has changed. Served at once: it is no decision, and waits for no turn. */
	takeDiscovery(): void
	takeFlush(flush: Flush): void
	takeMeasurement(event: MeasurementEvent): void
	takeHook(event: HookEvent): void
	command(command: ControllerCommand): Promise<CommandReply>
	view(): ControllerView
	readonly evidence: Evidence
	/** `file:line` that a rejection probably comes from, or ''. */
	placeOf(rejection: Rejection): string
	/** Told of each entry when it is durable. */
	onJournal(listen: (entry: JournalEntry) => void): () => void
	/** Resolves when no turn runs and none is due at once. */
	idle(): Promise<void>
	stop(): Promise<void>
}

export function createController(options: ControllerOptions): Controller {
	const { clock, log, store, fleet, discovery, thresholds, hooks } = options
	const evidence = createEvidence({ clock, emit: take })
	const keeper = createKeeper({ store, clock, log })
	const serving = createServing({
		fleet,
		discovery,
		evidence,
		clock,
		log,
		onStrangers: (strangers) => take({ kind: 'strangers', proxies: strangers }),
	})
	const facts = createFacts({ fleet, evidence, placeOf, ...serving.facts })
	const listeners = new Set<(entry: JournalEntry) => void>()
	const inbox = createInbox()
	const turnClock = createTurnClock(clock)
	const waiting: Waiting[] = []
	let unsavedJournal: readonly JournalEntry[] = []
	let state: ControllerState = initialState
	let settlement: Settlement | null = null
	let source: SourceHealth = untriedSource
	let reading: Promise<void> = Promise.resolve()
	let turning: Promise<void> | null = null
	let timer: Timer | null = null
	let due: 'no' | 'soon' | 'now' = 'no'
	let phase: 'loading' | 'running' | 'stopped' = 'loading'

	async function start(): Promise<void> {
		state = await keeper.load()
		const downMs = turnClock.begin(state.savedWallMs)
		serving.begin(state, servedMeshes())
		inbox.take({ kind: 'boot', downMs })
		publish()
		phase = 'running'
		need(false)
	}

	function take(event: CoreEvent): void {
		inbox.take(event)
		need(event.kind === 'alarm')
	}

	/** Work is due: at once, or when the turn interval has passed. */
	function need(now: boolean): void {
		if (phase !== 'running') return
		due = now || due === 'now' ? 'now' : 'soon'
		if (turning !== null) return
		timer?.cancel()
		const wait = due === 'now' ? 0 : Math.max(0, turnClock.monotonicMs() + limits.turnIntervalMs - clock.monotonicMs())
		if (wait === 0) run()
		else timer = clock.setTimer(wait, run)
	}

	function run(): void {
		if (turning !== null || phase !== 'running') return
		timer?.cancel()
		due = 'no'
		turning = turn()
			.catch(end)
			.finally(() => {
				turning = null
				if (due !== 'no') need(due === 'now')
				else if (phase === 'running' && isWaiting()) timer = clock.setTimer(limits.tickMs, () => need(true))
			})
	}

	/** Time alone can move something, or what proxies hold that come back to this boot. */
	function isWaiting(): boolean {
		return isBusy({ state, settlement, durable: keeper.isDurable() }) || serving.isFinding()
	}

	function end(error: unknown): void {
		phase = 'stopped'
		options.fatal(error instanceof Error ? error : new Error(String(error)))
	}

	async function turn(): Promise<void> {
		const { elapsedMs, wall } = turnClock.pass()
		// What was known of the fleet is void then, as after a boot.
		if (wall === 'jumped') inbox.take({ kind: 'boot', downMs: 0 })
		const asked = waiting.splice(0)
		const events = [...inbox.drain(), ...asked.map(({ command }): CoreEvent => ({ kind: 'command', command }))]
		const input: TurnInput = {
			events,
			elapsedMs,
			wallMs: turnClock.wallMs(),
			forward: keeper.isDurable(),
			durable: keeper.isDurable(),
			fleetLags: serving.fleetLags(),
			isWhole: serving.isWhole(),
			proxyStanding: serving.proxyStanding,
			meshes: keeper.content().meshes,
			originsOf: keeper.content().origins,
			isWithin: (windows) => isWithin(windows, turnClock.wallMs()),
			phiOf: ({ falling }) => evidence.phiOf(serving.clustersOf(falling)),
			foundBack: serving.foundBack(),
			factsOf: (rollout) => facts.of(rollout, serving.concernOf(rollout)),
		}
		const result = stepController(state, input)
		if (!result.wentBack)
			return input.forward ? await commitForward(result, { asked, input }) : await commitHeld(result, { asked, input })
		// The way back alone, published before anything else is thought of; steps forward come with the next turn.
		const held = { ...input, forward: false }
		const back = stepController(state, held)
		keeper.addMeshes(back.newMeshes)
		state = back.state
		publish()
		// What was published leaves with the loop's next round. The store's commit would hold that up until the disk has synced.
		await new Promise<void>((resolve) => setImmediate(resolve))
		due = 'now'
		return await commitHeld(back, { asked, input: held })
	}

	type Turn = { readonly asked: readonly Waiting[]; readonly input: TurnInput }

	/** All of the turn takes effect when it is stored, or none of it. */
	async function commitForward(result: TurnResult, { asked, input }: Turn): Promise<void> {
		keeper.addMeshes(result.newMeshes)
		const stored =
			!isWorthSaving(result, input) ||
			(await keeper.save({ ...result.state, savedWallMs: input.wallMs }, result.journal, result.looks))
		if (stored) {
			state = result.state
			settlement = result.settlement ?? settlement
			tell(result.journal)
			if (result.journal.length > 0) publish()
			follow()
			return answer(asked, result.replies)
		}
		// What came in is looked at again, without a step forward.
		inbox.putBack(input.events.filter((event) => event.kind !== 'command'))
		waiting.unshift(...asked)
		if (due === 'no') due = 'soon'
	}

	/** Holds and ways back take effect whether the store answers or not; it is asked again with every turn. */
	async function commitHeld(result: TurnResult, { asked, input }: Turn): Promise<void> {
		keeper.addMeshes(result.newMeshes)
		state = result.state
		unsavedJournal = [...unsavedJournal, ...result.journal]
		if (await keeper.save({ ...state, savedWallMs: input.wallMs }, unsavedJournal, result.looks)) {
			tell(unsavedJournal)
			unsavedJournal = []
			due = 'now'
		}
		follow()
		answer(asked, result.replies)
	}

	function isWorthSaving(result: TurnResult, input: TurnInput): boolean {
		if (result.journal.length > 0 || input.events.length > 0) return true
		if (signatureOf(state) !== signatureOf(result.state)) return true
		return result.state.rollouts.some(isRunning) && clock.monotonicMs() - keeper.savedMs() > limits.saveIntervalMs
	}

	function tell(journal: readonly JournalEntry[]): void {
		for (const entry of journal) for (const listen of listeners) listen(entry)
	}

	function servedMeshes(): ServedMeshes {
		const meshNamed = (hash: string) => keeper.content().meshes.get(hash)
		return { applied: meshNamed(state.applied ?? ''), meshNamed }
	}

	function publish(): void {
		serving.publish(state, servedMeshes())
	}

	/** What is watched follows from the state. */
	function follow(): void {
		serving.follow(state)
		thresholds.follow(thresholdWatchesOf(state.rollouts))
		hooks.follow(hookCallsOf(state.rollouts))
	}

	function placeOf(rejection: Rejection): string {
		return state.accepted === null ? '' : serving.placeOf(rejection, keeper.content().origins(state.accepted.origins))
	}

	async function readRevision(event: Extract<SourceEvent, { kind: 'revision' }>): Promise<void> {
		const { files: _, ...info } = event.revision
		const byHand = state.acceptedByHand?.revision === info.id
		const outcome = await options.readRevision(event.revision, byHand ? 'leave' : 'run')
		take(eventOfReading(info, outcome, keeper.content()))
	}

	return {
		start,
		evidence,
		placeOf,
		takeSource(event) {
			source = healthAfter(event, source, clock.wallMs())
			if (event.kind === 'revision') {
				reading = reading.then(() => readRevision(event)).catch(end)
				return
			}
			const core = coreEventOf(event)
			if (core !== null) take(core)
		},
		takeXds(event) {
			serving.takeXds(event)
			need(false)
		},
		takeDiscovery() {
			if (phase === 'running') serving.rediscover()
		},
		takeFlush: (flush) => evidence.takeFlush(flush),
		takeMeasurement: take,
		takeHook: take,
		command(command) {
			return new Promise((answerWith) => {
				waiting.push({ command, answer: answerWith })
				need(true)
			})
		},
		view: () => ({
			state,
			settlement,
			durable: keeper.isDurable(),
			storeFailure: keeper.failure(),
			source,
			meshes: phase === 'loading' ? new Map() : keeper.content().meshes,
			effective: serving.effective(),
			origins: state.accepted === null ? {} : keeper.content().origins(state.accepted.origins),
			served: serving.facts,
			concernOf: serving.concernOf,
			troubles: discovery.troubles(),
			turns: turnClock.count(),
			lastTurnMs: turnClock.monotonicMs(),
		}),
		onJournal(listen) {
			listeners.add(listen)
			return () => listeners.delete(listen)
		},
		async idle() {
			await reading
			while (turning !== null) await turning
		},
		async stop() {
			phase = 'stopped'
			timer?.cancel()
			evidence.close()
			while (turning !== null) await turning
		},
	}
}
