// A turn of the controller while a rollout runs, with 5 proxies and with 5,000: what it decides from should not cost
// more when the fleet is larger. Closing a look, at the edge, may: it is told apart. The proxies are those of steady-fleet.ts, so that their own cost does not count.
import { performance } from 'node:perf_hooks'
import { assert } from '#base/assert.ts'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { type Controller, createController } from '#controller/controller.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import type { Mesh, RolloutPolicySpec } from '#mesh/mesh.ts'
import { defaultErrorsGuard, defaultRolloutPolicySpec, defaultRolloutStep } from '#mesh/rollout-policy.ts'
import type { Revision } from '#source/revision.ts'
import { createMemoryStore } from '#store/memory-store.ts'
import { plainWish, simulatedMesh, type Wish } from '../test/simulation/simulated-mesh.ts'
import { createVirtualClock } from '../test/simulation/virtual-clock.ts'
import { type Bench, median, rounded } from './report.ts'
import { createSteadyFleet } from './steady-fleet.ts'

const few = 5
const many = 5_000
const measuredSeconds = 60
const turnsInSecond = 10

/** Stays at its first step for longer than is measured. */
const policy: RolloutPolicySpec = {
	...defaultRolloutPolicySpec,
	guards: [defaultErrorsGuard],
	steps: [{ ...defaultRolloutStep, sharePpm: 250_000, minDurationMs: 3_600_000 }],
	deadlineMs: 24 * 3_600_000,
}

export const benchTurn: Bench = async (say) => {
	// Once for nothing, so that both are measured by code that is compiled already.
	await measureTurns(few)
	const small = await measureTurns(few)
	const large = await measureTurns(many)
	for (const { proxies, turns, turnMs, lookMs } of [small, large]) {
		say(
			`${String(proxies).padStart(5)} proxies: a turn takes ${turnMs.toFixed(3)} ms, closing a look ${lookMs.toFixed(3)} ms (${turns} turns)`,
		)
	}
	const turnRatio = large.turnMs / small.turnMs
	const lookRatio = large.lookMs / small.lookMs
	say(
		`${many / few} times the proxies: ${turnRatio.toFixed(1)} times the turn, ${lookRatio.toFixed(1)} times the look (one in ${limits.lookIntervalMs / 1000} s)`,
	)
	return { few: figuresOf(small), many: figuresOf(large), turnRatio: rounded(turnRatio), lookRatio: rounded(lookRatio) }
}

type Turns = { readonly proxies: number; readonly turns: number; readonly turnMs: number; readonly lookMs: number }

function figuresOf({ proxies, turns, turnMs, lookMs }: Turns): Record<keyof Turns, number> {
	return { proxies, turns, turnMs: rounded(turnMs), lookMs: rounded(lookMs) }
}

async function measureTurns(proxies: number): Promise<Turns> {
	const clock = createVirtualClock(1_790_000_000_000)
	const fleet = createSteadyFleet(proxies)
	const meshes = new Map<string, Mesh>()
	const looksMs: number[] = []
	const turnsMs: number[] = []
	/** When the turn that runs began: the first thing it does is to ask where the fleet stands. */
	let turnSinceMs: number | null = null
	const controller: Controller = createController({
		clock: withMeasuredLooks(clock, (startedMs) => looksMs.push((turnSinceMs ?? performance.now()) - startedMs)),
		log: silentLog,
		store: createMemoryStore(),
		discovery: { current: () => nothingDiscovered, follow() {}, troubles: () => [] },
		thresholds: { follow() {} },
		hooks: { follow() {} },
		fleet: {
			...fleet.port,
			fleet() {
				turnSinceMs ??= performance.now()
				return fleet.port.fleet()
			},
		},
		readRevision: async ({ id }) => ({
			kind: 'ok',
			mesh: meshes.get(id) as Mesh,
			origins: {},
			expectations: [],
			warnings: [],
		}),
		fatal(error) {
			throw error
		},
	})

	async function pass(ms: number): Promise<void> {
		await clock.runUntil(clock.monotonicMs() + ms, async () => {
			await controller.idle()
			if (turnSinceMs !== null) turnsMs.push(performance.now() - turnSinceMs)
			turnSinceMs = null
		})
	}

	function commit(id: string, weights: Wish['weights']): void {
		meshes.set(
			id,
			simulatedMesh({
				weights,
				policy,
				...plainWish,
			}),
		)
		const revision: Revision = { id, author: 'bench', message: id, timeMs: clock.wallMs(), files: new Map() }
		controller.takeSource({ kind: 'revision', revision })
	}

	/** All proxies flush, then something happens before each turn of a second. */
	async function passSecond(): Promise<void> {
		for (const flush of fleet.flushes(clock.monotonicMs())) controller.takeFlush(flush)
		for (let turn = 0; turn < turnsInSecond; turn += 1) {
			controller.takeXds({ kind: 'progressed', groupKey: fleet.groupKey })
			await pass(1000 / turnsInSecond)
		}
	}

	await controller.start()
	for (const proxy of fleet.proxies) controller.takeXds({ kind: 'arrived', proxy })
	commit('first', [1, 0])
	await passSecond()
	commit('second', [0, 1])
	for (let seconds = 0; seconds < 10; seconds += 1) await passSecond()
	assert(controller.view().state.rollouts[0]?.step === 0, 'the rollout is at its first step')

	turnsMs.length = 0
	looksMs.length = 0
	for (let seconds = 0; seconds < measuredSeconds; seconds += 1) await passSecond()
	await controller.stop()
	return { proxies, turns: turnsMs.length, turnMs: median(turnsMs), lookMs: median(looksMs) }
}

/** Tells of each time that the timer of the looks has fired, and when it began. */
function withMeasuredLooks(clock: Clock, closed: (startedMs: number) => void): Clock {
	return {
		...clock,
		setTimer: (delayMs, fire) =>
			clock.setTimer(delayMs, () => {
				const startedMs = performance.now()
				fire()
				if (delayMs === limits.lookIntervalMs) closed(startedMs)
			}),
	}
}
