import type { Log } from '#base/log.ts'
import { silentLog } from '#base/log.ts'
import { type Random, seededRandom } from '#base/random.ts'
import { fail } from '#base/result.ts'
import type { ProxyGroup } from '#compile/compiled.ts'
import type { ControllerCommand } from '#controller/commands.ts'
import { type Controller, createController } from '#controller/controller.ts'
import type { RevisionReader } from '#controller/ports.ts'
import { parseStored } from '#controller/state.ts'
import type { Mesh } from '#mesh/mesh.ts'
import type { Phase } from '#rollout/rollout.ts'
import type { Revision } from '#source/revision.ts'
import { createMemoryStore, type MemorySnapshot, type MemoryStore } from '#store/memory-store.ts'
import type { Store } from '#store/store.ts'
import { noDiscovery } from '../fakes/no-discovery.ts'
import { type Consistency, canaryShareOf, createConsistency } from './consistency.ts'
import { createFakeFleet, type FakeFleet } from './fake-fleet.ts'
import { createInvariants, type Invariants, type Violation } from './invariants.ts'
import type { Fault, FaultKind, Scenario } from './scenario.ts'
import { canaryCluster, simulatedMesh, type Wish } from './simulated-mesh.ts'
import { createVirtualClock } from './virtual-clock.ts'

// One simulated life: a commit, a rollout, what goes wrong. The controller is the real one; Git, Envoys, traffic, time
// and the disk are simulated. The same scenario always ends the same way.

export type Outcome = {
	readonly seed: number
	readonly violations: readonly Violation[]
	readonly faults: readonly FaultKind[]
	readonly phases: readonly Phase['kind'][]
	/** Phase of the newest rollout at the end, or null when there was none. */
	readonly ended: Phase['kind'] | null
	readonly holds: readonly string[]
	/** Highest share that a proxy ever held of the canary, beyond where it started. */
	readonly reachedPpm: number
	readonly rollouts: number
	readonly crashes: number
	readonly errors: readonly string[]
	readonly turns: number
}

const group: ProxyGroup = {
	identity: { mesh: 'apps', kind: 'virtualNode', name: 'A' },
	cohort: 'stable',
	capture: { mode: 'explicit', bind: '127.0.0.1', egressPort: 15001, app: { address: '127.0.0.1', port: null } },
	envoyMinor: '1.40',
	secrets: 'daemon',
}

/** One daemon, from its start to its crash. */
type Incarnation = {
	readonly controller: Controller
	alive: boolean
	readonly death: PromiseWithResolvers<void>
	readonly stall: PromiseWithResolvers<void>
}

export async function simulate(scenario: Scenario, log: Log = silentLog): Promise<Outcome> {
	const random: Random = seededRandom(scenario.seed ^ 0x5eed)
	const clock = createVirtualClock(1_790_000_000_000)
	const meshes = new Map<string, Mesh>()
	const errors: string[] = []
	const phases = new Set<Phase['kind']>()
	const faults: FaultKind[] = []
	let wish: Wish = {
		weights: scenario.from,
		policy: scenario.policy,
		hostname: 'b2.local',
		baseline: 'b1.local',
		port: 80,
		stable: 'kept',
		unrelated: 0,
	}
	let unanswered = 0
	let commits = 0
	let newest: Revision | null = null
	let stored: MemorySnapshot | null = null
	let crashes = 0
	let storeFails = false
	/** The disk is full from the commit on that writes a step down. */
	let fillsAtStep = false
	/** `stalled`: it was published, the disk does not answer, and soon the process is gone. */
	let crashAt: 'beforeCommit' | 'afterCommit' | 'afterPublish' | 'stalled' | null = null
	let current: Incarnation | null = null
	let reachedPpm = 0
	let turns = 0

	const invariants: Invariants = createInvariants({
		nowMs: clock.monotonicMs,
		proxies: () => fleet.proxies,
		sharesOf: (proxy) => fleet.sharesOf(proxy),
		steps: scenario.policy.steps,
		freshMs: 12_000,
	})
	const fleet: FakeFleet = createFakeFleet({
		clock,
		random,
		groups: [{ group, instances: Array.from({ length: scenario.proxies }, (_, index) => `i${index}`) }],
		canaryCluster,
		traffic: {
			requestsPerSecond: scenario.requestsPerSecond,
			errorShare: (cluster, sharePpm) =>
				cluster === canaryCluster ? canaryErrors(scenario, sharePpm) : scenario.baseErrorShare,
			stalls: (cluster) => cluster === canaryCluster && scenario.quality.kind === 'stalling',
		},
		watcher: {
			published(_, before, after) {
				invariants.published(before, after)
				consistency.published(after, stored)
				// Where a way back is to be expected, that is the publication which it takes a crash to test.
				const isBack = before !== null && (after.get(canaryCluster) ?? 0) < (before.get(canaryCluster) ?? 0)
				if (crashAt !== 'afterPublish' || !(isBack || scenario.quality.kind === 'healthy')) return
				crashAt = 'stalled'
				current?.stall.resolve()
				clock.setTimer(300, crash)
			},
			delivered(proxy, before, after) {
				invariants.delivered(proxy, before, after)
				reachedPpm = Math.max(reachedPpm, after.get(canaryCluster) ?? 0)
			},
		},
	})
	const consistency: Consistency = createConsistency({
		fleet,
		nowMs: clock.monotonicMs,
		violate: invariants.violate,
	})
	if (scenario.quality.kind === 'unresolved') for (const proxy of fleet.proxies) proxy.healthy.set(canaryCluster, 0)

	const readRevision: RevisionReader = async (revision) => {
		const mesh = meshes.get(revision.id)
		if (mesh !== undefined) return { kind: 'ok', mesh, origins: {}, expectations: [], warnings: [] }
		const finding = {
			code: 'SL0101',
			severity: 'error',
			message: 'simulated',
			file: 'a.yaml',
			line: 1,
			column: 1,
			hint: null,
			frame: [],
		} as const
		return { kind: 'refused', diagnostics: [finding] }
	}

	function boot(): void {
		const incarnation: Incarnation = {
			alive: true,
			controller: null as unknown as Controller,
			death: Promise.withResolvers(),
			stall: Promise.withResolvers(),
		}
		const store = crashingStore(createMemoryStore(stored ?? undefined), incarnation)
		const isAlive = () => incarnation.alive
		const port = fleet.portFor(
			(event) => isAlive() && incarnation.controller.takeXds(event),
			(flush) => isAlive() && incarnation.controller.takeFlush(flush),
			isAlive,
		)
		const ownClock = {
			...clock,
			setTimer: (delayMs: number, fire: () => void) => clock.setTimer(delayMs, () => isAlive() && fire()),
		}
		const controller = createController({
			clock: ownClock,
			log,
			store,
			fleet: port,
			discovery: noDiscovery,
			readRevision,
			fatal: (error) => {
				if (isAlive()) errors.push(error.stack ?? error.message)
			},
		})
		;(incarnation as { controller: Controller }).controller = controller
		current = incarnation
		void controller.start().then(() => {
			if (newest !== null && isAlive()) controller.takeSource({ kind: 'revision', revision: newest })
		})
	}

	/** The process dies here: nothing that it does afterwards counts, and it never hears an answer. */
	function crash(): void {
		if (current === null || !current.alive) return
		crashAt = null
		crashes += 1
		turns += current.controller.view().turns
		current.alive = false
		current.death.resolve()
		fleet.daemonDied()
		clock.setTimer(200 + random() * 3000, () => {
			invariants.restarted()
			consistency.restarted()
			boot()
		})
	}

	function crashingStore(store: MemoryStore, owner: Incarnation): Store {
		const never = new Promise<never>(() => {})
		return {
			...store,
			async commit(transaction) {
				if (!owner.alive || crashAt === 'stalled') return never
				const isStep = transaction.journal.some(({ event }) => event === 'rollout.advanced')
				if (fillsAtStep && isStep) storeFails = true
				if (storeFails) return fail({ code: 'full', message: 'simulated: no space' })
				if (crashAt === 'beforeCommit') {
					crash()
					return never
				}
				const outcome = await store.commit(transaction)
				stored = store.snapshot()
				if (crashAt === 'afterCommit') {
					crash()
					return never
				}
				return outcome
			},
			async nextEpoch() {
				const epoch = await store.nextEpoch()
				stored = store.snapshot()
				return epoch
			},
		}
	}

	function commit(change: Partial<Wish>): void {
		wish = { ...wish, ...change }
		commits += 1
		const id = `commit-${commits}`
		meshes.set(id, simulatedMesh(wish))
		if (change.weights !== undefined || change.hostname !== undefined)
			invariants.asked(wish.weights, goodOfMoving(current, stored))
		deliverRevision(id)
	}

	function deliverRevision(id: string): void {
		newest = { id, author: 'simulation', message: id, timeMs: clock.wallMs(), files: new Map() }
		if (current?.alive) current.controller.takeSource({ kind: 'revision', revision: newest })
	}

	function strike({ kind, forMs, proxy: index }: Fault): void {
		faults.push(kind)
		const proxy = fleet.proxies[index % fleet.proxies.length]
		if (proxy === undefined) return
		const running = current?.alive ? current.controller.view().state.rollouts.at(-1) : undefined
		const later = (undo: () => void) => clock.setTimer(forMs, undo)
		switch (kind) {
			case 'crashBeforeCommit':
				crashAt = 'beforeCommit'
				return
			case 'crashAfterCommit':
				crashAt = 'afterCommit'
				return
			case 'crashAfterPublish':
				crashAt = 'afterPublish'
				return
			case 'storeFull':
				if (random() < 0.5) storeFails = true
				else fillsAtStep = true
				later(() => {
					storeFails = false
					fillsAtStep = false
				})
				return
			case 'silence':
				proxy.silent = true
				later(() => {
					proxy.silent = false
				})
				return
			case 'disconnect':
				fleet.disconnect(proxy)
				later(() => fleet.connect(proxy))
				return
			case 'refuse':
				proxy.refuseRoutes = true
				later(() => {
					proxy.refuseRoutes = false
				})
				return
			case 'slowAck':
				// Longer than the first look of a step takes.
				proxy.ackDelayMs = 9000
				later(() => {
					proxy.ackDelayMs = 5
				})
				return
			case 'revert':
				return commit({ weights: scenario.from, stable: 'kept' })
			case 'retarget':
				return commit({ weights: [60, 40], stable: 'kept' })
			case 'newCanary':
				if (goodOfMoving(current, stored) !== null) invariants.replaced()
				return commit({ hostname: `b2-${commits}.local` })
			case 'newBaseline':
				return commit({ baseline: `b1-${commits}.local` })
			case 'newPort':
				if (goodOfMoving(current, stored) !== null) invariants.replaced()
				return commit({ port: wish.port === 80 ? 8080 : 80 })
			case 'dropStable':
				// Somebody is still to let go when the others have.
				proxy.ackDelayMs = 3000
				return commit({ weights: [0, 1], stable: 'dropped' })
			case 'unrelatedCommit':
				return commit({ unrelated: commits })
			case 'syntaxError':
				return deliverRevision('broken')
			case 'clockJump':
				return clock.jumpWall(random() < 0.5 ? -3_600_000 : 3_600_000)
			case 'abort':
			case 'promote':
				if (running === undefined || current === null) return
				if (kind === 'promote') {
					invariants.promoted()
					consistency.promoted()
				}
				return ask(current, { kind, rollout: running.id, actor: 'person', reason: 'simulated' })
			case 'freeze': {
				const by = { scope: { mesh: null, router: null, route: null }, actor: 'person', reason: 'simulated' }
				later(() => current?.alive && ask(current, { kind: 'unfreeze', ...by }))
				return current === null ? undefined : ask(current, { kind, ...by, untilWallMs: clock.wallMs() + 2 * forMs })
			}
			case 'pause':
				if (running === undefined || current === null) return
				later(
					() => current?.alive && ask(current, { kind: 'resume', rollout: running.id, actor: 'person', reason: 'on' }),
				)
				return ask(current, { kind, rollout: running.id, actor: 'person', reason: 'simulated' })
		}
	}

	/** Whoever asks hears an answer, unless the process dies meanwhile. */
	function ask(asked: Incarnation, command: ControllerCommand): void {
		unanswered += 1
		const heard = () => {
			unanswered -= 1
		}
		void Promise.race([asked.controller.command(command), asked.death.promise]).then(heard)
	}

	const settle = async () => {
		if (!current?.alive) return
		const { controller, death, stall } = current
		if (crashAt === 'stalled') await new Promise(setImmediate)
		else await Promise.race([controller.idle(), death.promise, stall.promise])
		if (!current?.alive) return
		const view = current.controller.view()
		for (const { phase } of view.state.rollouts) phases.add(phase.kind)
		if (crashAt !== 'stalled') consistency.settled(view)
	}

	function checkNothingLost(last: Incarnation | null): void {
		if (last === null || !last.alive) return
		const { state } = last.controller.view()
		if (unanswered > 0) invariants.violate('a command has an answer', `${unanswered} have none`)
		const known = [state.accepted?.info.id, state.refused?.info?.id]
		if (!known.includes(newest?.id)) invariants.violate('a commit is taken in or refused', `${newest?.id} is neither`)
	}

	invariants.asked(scenario.from, null)
	boot()
	commit({})
	clock.setTimer(2_000, () => commit({ weights: scenario.to }))
	for (const fault of scenario.faults) clock.setTimer(fault.atMs, () => strike(fault))
	await clock.runUntil(5_000, settle)
	const endMs = 120_000
	while (clock.monotonicMs() < endMs && errors.length === 0 && invariants.violations.length === 0) {
		await clock.runUntil(clock.monotonicMs() + 2_000, settle)
		if (clock.monotonicMs() > 32_000 && isQuiet(current)) break
	}
	if (errors.length === 0 && invariants.violations.length === 0) checkNothingLost(current)
	const view = current === null ? null : (current as Incarnation).controller.view()
	const last = view?.state.rollouts.at(-1)
	return {
		seed: scenario.seed,
		violations: invariants.violations,
		faults,
		phases: [...phases],
		ended: last?.phase.kind ?? null,
		holds: last?.holds.map(({ code }) => code) ?? [],
		reachedPpm,
		rollouts: view?.state.rolloutCount ?? 0,
		crashes,
		errors,
		turns: turns + (view?.turns ?? 0),
	}
}

/** Where the canary's share began, if a rollout is under way: in the daemon, or in the store of one that only starts. */
function goodOfMoving(incarnation: Incarnation | null, stored: MemorySnapshot | null): number | null {
	const known = stored?.state == null ? [] : parseStored(stored.state).state.rollouts
	const rollouts = [...known, ...(incarnation?.controller.view().state.rollouts ?? [])]
	const moving = rollouts.find(({ step, phase }) => step >= 0 && ['stepping', 'held', 'paused'].includes(phase.kind))
	return moving === undefined ? null : canaryShareOf(moving.good)
}

/** Nothing runs any more: the rest of the time would be more of the same. */
function isQuiet(incarnation: Incarnation | null): boolean {
	if (incarnation === null || !incarnation.alive) return false
	const { state, durable } = incarnation.controller.view()
	return durable && state.rollouts.length > 0 && state.rollouts.every(({ endedWallMs }) => endedWallMs !== null)
}

function canaryErrors({ quality, baseErrorShare }: Scenario, sharePpm: number): number {
	switch (quality.kind) {
		case 'healthy':
		case 'stalling':
		case 'unresolved':
			return baseErrorShare
		case 'failing':
			return sharePpm >= quality.fromPpm ? quality.errorShare : baseErrorShare
	}
}
