import { assert } from '#base/assert.ts'
import type { Clock, Timer } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { typeUrls } from '#compile/compiled.ts'
import type { Mesh } from '#mesh/mesh.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'
import type { SourceEvent } from '#source/source.ts'
import type { JournalEntry, Store } from '#store/store.ts'
import type { Flush } from '#telemetry/flush.ts'
import type { Proxy, Rejection, XdsEvent } from '#xds/fleet-view.ts'
import { type BootHold, createBootHold } from './boot-hold.ts'
import type { CommandReply, ControllerCommand } from './commands.ts'
import { type Concern, concernOf } from './concerns.ts'
import { type Content, createContent } from './content.ts'
import { effectiveMesh } from './effective.ts'
import { createEvidence, type Evidence } from './evidence.ts'
import { factsOfRollout, fleetLagOf } from './facts.ts'
import type { FleetPort, RevisionReader } from './ports.ts'
import { createPublisher, type Publisher } from './publish.ts'
import type { Settlement } from './settle.ts'
import { type ControllerState, initialState, parseStored, type StoredState } from './state.ts'
import { type CoreEvent, stepController, type TurnInput, type TurnResult } from './step.ts'
import { strandedProxies } from './stranded.ts'
import { watchesOf } from './watches.ts'

// The loop: outside events only mark work due; a turn drains them, decides, stores, publishes. The only writer of
// state. Everything that is served or told is derived from that state.

export type ControllerOptions = {
	readonly clock: Clock
	readonly log: Log
	readonly store: Store
	readonly fleet: FleetPort
	readonly readRevision: RevisionReader
	/** A decision that cannot be undone by trying again: another writer, a broken assertion. The process must end. */
	readonly fatal: (error: Error) => void
}

/** What the faces read. A snapshot of one moment: the objects are never changed afterwards. */
export type ControllerView = {
	readonly state: ControllerState
	readonly settlement: Settlement | null
	/** False: the last decision is in force but not in the store yet, and nothing moves forward. */
	readonly durable: boolean
	readonly storeFailure: string | null
	readonly source: SourceHealth
	readonly meshes: ReadonlyMap<string, Mesh>
	readonly effective: EffectiveMesh | null
	readonly turns: number
	readonly lastTurnMs: number
}

export type SourceHealth = {
	readonly kind: 'starting' | 'reachable' | 'unreachable'
	readonly text: string
	/** Wall clock of the last poll that worked. */
	readonly lastSuccessWallMs: number | null
}

export type Controller = {
	/** Loads the last state. From then on arrivals are served from it; Git comes later. */
	start(): Promise<void>
	takeSource(event: SourceEvent): void
	takeXds(event: XdsEvent): void
	takeFlush(flush: Flush): void
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

type Waiting = { readonly command: ControllerCommand; readonly answer: (reply: CommandReply) => void }

export function createController(options: ControllerOptions): Controller {
	const { clock, log, store, fleet } = options
	const publisher: Publisher = createPublisher({ fleet, log })
	const evidence = createEvidence({
		clock,
		emit(event) {
			queue.push(event)
			need(event.kind === 'alarm')
		},
	})
	const proxies = new Map<string, Proxy>()
	const listeners = new Set<(entry: JournalEntry) => void>()
	const queue: CoreEvent[] = []
	const waiting: Waiting[] = []
	let unsavedJournal: JournalEntry[] = []
	let state: ControllerState = initialState
	let content: Content | null = null
	let bootHold: BootHold | null = null
	let settlement: Settlement | null = null
	let effective: EffectiveMesh | null = null
	let epoch = 0
	let durable = true
	let storeFailure: string | null = null
	let source: SourceHealth = { kind: 'starting', text: 'not looked at yet', lastSuccessWallMs: null }
	let turning: Promise<void> | null = null
	let timer: Timer | null = null
	let due: 'no' | 'soon' | 'now' = 'no'
	let lastTurnMs = 0
	let lastWallMs = 0
	let lastSavedMs = 0
	let turns = 0
	let started = false
	let stopped = false

	async function start(): Promise<void> {
		const text = await store.loadState()
		const stored: StoredState = text === null ? { state: initialState, content: {} } : parseStored(text)
		content = await createContent(store, stored.content)
		state = stored.state
		const claimed = await store.nextEpoch()
		if (claimed.ok) epoch = claimed.value
		else setFailure(claimed.error.message)
		lastTurnMs = clock.monotonicMs()
		lastWallMs = clock.wallMs()
		const downMs = state.savedWallMs === 0 ? 0 : Math.max(0, lastWallMs - state.savedWallMs)
		const applied = state.applied === null ? undefined : content.meshes.get(state.applied)
		bootHold = createBootHold({ rollouts: state.rollouts, applied, fleet, clock })
		for (const proxy of proxies.values()) bootHold.greet(proxy)
		queue.push({ kind: 'boot', downMs })
		publish()
		started = true
		need(false)
	}

	/** Work is due: at once, or when the turn interval has passed. */
	function need(now: boolean): void {
		if (stopped || !started) return
		due = now || due === 'now' ? 'now' : 'soon'
		if (turning !== null) return
		timer?.cancel()
		const wait = due === 'now' ? 0 : Math.max(0, lastTurnMs + limits.turnIntervalMs - clock.monotonicMs())
		if (wait === 0) run()
		else timer = clock.setTimer(wait, run)
	}

	function run(): void {
		if (turning !== null || stopped) return
		timer?.cancel()
		due = 'no'
		turning = turn()
			.catch((error: unknown) => {
				stopped = true
				options.fatal(error instanceof Error ? error : new Error(String(error)))
			})
			.finally(() => {
				turning = null
				if (due !== 'no') need(due === 'now')
				else if (hasWork()) timer = clock.setTimer(limits.tickMs, () => need(true))
			})
	}

	/** Time alone can move something: rollouts under way, removals that wait, a store that failed. */
	function hasWork(): boolean {
		return !stopped && (!durable || state.rollouts.some(isRunning) || (settlement?.waiting.length ?? 0) > 0)
	}

	async function turn(): Promise<void> {
		const nowMs = clock.monotonicMs()
		const wallMs = clock.wallMs()
		const elapsedMs = nowMs - lastTurnMs
		if (Math.abs(wallMs - lastWallMs - elapsedMs) > limits.wallJumpMs) queue.push({ kind: 'boot', downMs: 0 })
		lastTurnMs = nowMs
		lastWallMs = wallMs
		turns += 1
		const asked = waiting.splice(0)
		const events = [...queue.splice(0), ...asked.map(({ command }): CoreEvent => ({ kind: 'command', command }))]
		const concerns = new Map(state.rollouts.filter(isRunning).map((rollout) => [rollout.id, concern(rollout)]))
		const input: TurnInput = {
			events,
			elapsedMs,
			wallMs,
			forward: durable,
			fleetLags: fleetLagOf(fleet.fleet()),
			meshes: loaded().meshes,
			factsOf: (rollout) => factsOfRollout(rollout, concerns.get(rollout.id) ?? concern(rollout), factsOptions),
		}
		const result = stepController(state, input)
		if (!result.wentBack) return finish(result, { asked, input, back: false })
		// The way back alone, published before anything else is thought of; steps forward come with the next turn.
		const back = stepController(state, { ...input, forward: false })
		due = 'now'
		return finish(back, { asked, input: { ...input, forward: false }, back: true })
	}

	type Finish = { readonly asked: readonly Waiting[]; readonly input: TurnInput; readonly back: boolean }

	async function finish(result: TurnResult, { asked, input, back }: Finish): Promise<void> {
		for (const mesh of result.newMeshes) loaded().addMesh(mesh)
		const before = state
		const isForward = input.forward
		if (back || !isForward) {
			state = result.state
			unsavedJournal.push(...result.journal)
			if (back) publish()
		}
		if (isForward && !isWorthSaving(before, result, input)) {
			state = result.state
			settlement = result.settlement ?? settlement
			watch()
			return answer(asked, result.replies)
		}
		const journal = isForward ? result.journal : unsavedJournal
		const saved = await save({ ...result.state, savedWallMs: input.wallMs }, journal)
		if (saved) {
			state = result.state
			settlement = result.settlement ?? settlement
			if (!isForward) unsavedJournal = []
			for (const entry of journal) for (const listen of listeners) listen(entry)
			if (!back) publish()
			watch()
			return answer(asked, result.replies)
		}
		watch()
		if (!isForward) return answer(asked, result.replies)
		// Nothing of this turn has happened; what came in is looked at again, without a step forward.
		queue.unshift(...input.events.filter((event) => event.kind !== 'command'))
		waiting.unshift(...asked)
		due = 'soon'
	}

	function isWorthSaving(before: ControllerState, result: TurnResult, input: TurnInput): boolean {
		if (result.journal.length > 0 || input.events.length > 0) return true
		if (signature(before) !== signature(result.state)) return true
		return result.state.rollouts.some(isRunning) && clock.monotonicMs() - lastSavedMs > limits.saveIntervalMs
	}

	async function save(next: ControllerState, journal: readonly JournalEntry[]): Promise<boolean> {
		if (epoch === 0) {
			const claimed = await store.nextEpoch()
			if (!claimed.ok) return setFailure(claimed.error.message)
			epoch = claimed.value
		}
		const keep = new Set(
			[next.applied, next.accepted?.mesh, next.accepted?.origins].filter((name) => typeof name === 'string'),
		)
		const stored: StoredState = { state: next, content: loaded().index(keep) }
		const outcome = await store.commit({
			epoch,
			state: JSON.stringify(stored),
			journal,
			blobs: loaded().unsaved(),
			dropBlobs: loaded().droppable(keep),
		})
		if (!outcome.ok) {
			if (outcome.error.code === 'fenced')
				throw new Error(`another Sluice writes to this store: ${outcome.error.message}`)
			return setFailure(outcome.error.message)
		}
		loaded().saved(keep)
		lastSavedMs = clock.monotonicMs()
		if (!durable) log.info('store.recovered')
		durable = true
		storeFailure = null
		return true
	}

	function setFailure(message: string): false {
		if (durable) log.error('store.failed', { message })
		durable = false
		storeFailure = message
		return false
	}

	function answer(asked: readonly Waiting[], replies: readonly CommandReply[]): void {
		asked.forEach((one, index) => {
			const reply = replies[index]
			assert(reply !== undefined, 'every command of a turn has a reply')
			one.answer(reply)
		})
	}

	/** What follows from the state: effective mesh, pins, snapshots. Taken in by the fleet when this returns. */
	function publish(): void {
		const applied = state.applied === null ? undefined : loaded().meshes.get(state.applied)
		if (applied === undefined) return
		effective = effectiveMesh(applied, state.rollouts)
		for (const rollout of state.rollouts) pinStranded(rollout)
		publisher.publish(effective)
	}

	/** Proxies where the way back would land on nothing keep what they hold of the route. */
	function pinStranded(rollout: Rollout): void {
		if (!isRunning(rollout)) return
		const about = concern(rollout)
		for (const groupKey of about.groupKeys) {
			const stranded = strandedProxies(rollout, about, { fleet, evidence }).get(groupKey) ?? new Set<string>()
			for (const name of about.routeConfigurations.get(groupKey) ?? [])
				fleet.pin(groupKey, typeUrls.route, name, stranded)
		}
	}

	function watch(): void {
		bootHold?.expire(state.rollouts)
		for (const rollout of state.rollouts) if (rollout.phase.kind === 'rollingBack') pinStranded(rollout)
		evidence.watch(watchesOf(state.rollouts, concern, { fleet, publisher, proxyOf: (key) => proxies.get(key) }))
	}

	function concern(rollout: Rollout): Concern {
		assert(effective !== null, 'a rollout runs on an applied mesh')
		return concernOf(rollout, effective, fleet.fleet())
	}

	function loaded(): Content {
		assert(content !== null, 'the controller has started')
		return content
	}

	function placeOf(rejection: Rejection): string {
		const origins = state.accepted === null ? {} : loaded().origins(state.accepted.origins)
		for (const id of publisher.suspectsOf(rejection.version)) {
			const origin = origins[id]?.['/spec'] ?? origins[id]?.['']
			if (origin !== undefined) return `${origin.file}:${origin.line}`
		}
		return ''
	}

	const factsOptions = {
		fleet,
		evidence,
		placeOf,
		strandedOf: (rollout: Rollout, about: Concern) =>
			[...strandedProxies(rollout, about, { fleet, evidence }).values()]
				.flatMap((names) => [...names])
				.slice(0, limits.namedProxies),
		foundBack: (rollout: Rollout, about: Concern) => bootHold?.foundBack(rollout, about) ?? false,
	}

	async function readRevision(event: Extract<SourceEvent, { kind: 'revision' }>): Promise<void> {
		const { files: _, ...info } = event.revision
		const outcome = await options.readRevision(event.revision)
		if (outcome.kind === 'refused')
			queue.push({ kind: 'refused', info, diagnostics: outcome.diagnostics, acceptable: false })
		else {
			const origins = loaded().addOrigins(outcome.origins)
			queue.push({ kind: 'read', info, mesh: outcome.mesh, origins, warnings: outcome.warnings })
		}
		need(false)
	}

	let reading: Promise<void> = Promise.resolve()

	return {
		start,
		evidence,
		placeOf,
		takeSource(event) {
			const lastSuccessWallMs = event.kind === 'unreachable' ? source.lastSuccessWallMs : clock.wallMs()
			source =
				event.kind === 'unreachable'
					? { kind: 'unreachable', text: event.message, lastSuccessWallMs }
					: { kind: 'reachable', text: '', lastSuccessWallMs }
			switch (event.kind) {
				case 'unchanged':
				case 'unreachable':
					return
				case 'refused':
					queue.push({
						kind: 'refused',
						info: event.revision,
						diagnostics: event.diagnostics,
						acceptable: event.acceptable,
					})
					return need(false)
				case 'revision':
					reading = reading.then(() => readRevision(event)).catch((error: unknown) => options.fatal(error as Error))
					return
			}
		},
		takeXds(event) {
			switch (event.kind) {
				case 'arrived':
					proxies.set(event.proxy.key, event.proxy)
					bootHold?.greet(event.proxy)
					publisher.greet(event.proxy.group, event.proxy.groupKey)
					return need(false)
				case 'left':
					proxies.delete(event.proxy.key)
					evidence.forget(event.proxy.key)
					return need(false)
				case 'progressed':
					return need(false)
			}
		},
		takeFlush: (flush) => evidence.takeFlush(flush),
		command(command) {
			return new Promise((answerWith) => {
				waiting.push({ command, answer: answerWith })
				need(true)
			})
		},
		view: () => ({
			state,
			settlement,
			durable,
			storeFailure,
			source,
			meshes: content?.meshes ?? new Map(),
			effective,
			turns,
			lastTurnMs,
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
			stopped = true
			timer?.cancel()
			evidence.close()
			while (turning !== null) await turning
		},
	}
}

/** What of a state must not get lost, apart from what the journal says: everything but the passing of time. */
function signature(state: ControllerState): string {
	return JSON.stringify(state.rollouts.map(({ id, step, phase, confirmed }) => [id, step, phase.kind, confirmed]))
}
