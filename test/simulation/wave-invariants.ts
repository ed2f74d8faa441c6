import { createHash } from 'node:crypto'
import { limits } from '#base/limits.ts'
import type { ControllerView } from '#controller/controller-view.ts'
import { parseStored } from '#controller/state.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'
import type { MemorySnapshot } from '#store/memory-store.ts'
import { type FakeProxy, timeoutAt } from './fake-proxy.ts'
import type { Violate } from './invariants.ts'
import type { Reports } from './reports.ts'
import { firstPair } from './simulated-mesh.ts'
import { storedMesh } from './stored-mesh.ts'

// What must always hold while a change of another kind than shares goes out by waves (rules §4): one proxy, then some, then
// all. The change is that of a timeout; who has it is read from what proxies hold.

export type WaveInvariants = {
	/** Git or a person asks for something: what went back may come again. */
	asked(): void
	/** A person asks for a step without proof: from now on one may be taken. */
	promoted(): void
	/** A proxy holds another timeout now; `stored` is what a crash would leave. */
	treated(target: FakeProxy, change: { beforeMs: number | null; afterMs: number }, stored: MemorySnapshot | null): void
	left(): void
	settled(view: ControllerView): void
	restarted(): void
}

export type WaveInvariantOptions = {
	readonly proxies: () => readonly FakeProxy[]
	readonly reports: Reports
	readonly nowMs: () => number
	/** How long an answer of the store may take now. */
	readonly storeMs: () => number
	readonly violate: Violate
}

/** What App Mesh gives a request where nothing is written. */
const usualMs = 15_000
/** The oldest flush on which a step may rest. */
const freshMs = limits.silentAfterMs + limits.lookIntervalMs + 500
const turnMs = 400

/** The rollout, and the timeouts in what candidates and all others are served. */
type Going = { readonly rollout: Rollout; readonly newMs: number; readonly oldMs: number }

export function createWaveInvariants(options: WaveInvariantOptions): WaveInvariants {
	const { proxies, reports, nowMs, storeMs, violate } = options
	/** What a proxy has lost to a way back, and its proxies must not be given again. */
	let lost: number | null = null
	/** Losses that the daemon has not yet explained: rollout and proxy. */
	let unexplained: { readonly id: string; readonly proxy: string; readonly atMs: number }[] = []
	let wave: Going | null = null
	/** When all that are in the wave in force had the change for the first time; null until then. */
	let confirmedMs: number | null = null
	/** When the wave in force was decided. */
	let changedMs = 0
	let bootedMs = 0
	/** What a daemon starts with the one before has decided. */
	let isFirstLook = true
	let mayBeShort = false
	/** What was said of rollouts that have ended. */
	const ended = new Set<string>()

	function connected(): FakeProxy[] {
		return proxies().filter((target) => target.connected)
	}

	/** It came or went when what is seen now was decided already. */
	function isNews({ leftMs, startedMs, arrivedMs }: FakeProxy): boolean {
		return Math.max(leftMs ?? 0, startedMs, arrivedMs) > nowMs() - storeMs() - turnMs
	}

	function holds(target: FakeProxy, timeoutMs: number): boolean {
		return timeoutAt(target, firstPair.host) === timeoutMs
	}

	function noteConfirmed(): void {
		if (wave === null) return
		const going = wave
		const members = connected().filter(({ proxy }) => isMember(going.rollout, proxy))
		// Where the first one has gone for good, the next wave may have nobody.
		if (connected().length > 0 && members.every((target) => hasChange(target, going))) confirmedMs ??= nowMs()
	}

	/** Of what it changes beside timeouts a proxy shows nothing; it may have refused the timeout of an earlier change. */
	function hasChange(target: FakeProxy, { newMs, oldMs }: Pick<Going, 'newMs' | 'oldMs'>): boolean {
		return newMs === oldMs || holds(target, newMs)
	}

	function checkForward(going: Going, step: string): void {
		const { rollout } = going
		const members = connected().filter((target) => isMember(rollout, target.proxy) && !isNews(target))
		for (const target of members) {
			if (!hasChange(target, going))
				violate('5: no step forward before all have ACKed', `${step}, not ${target.proxy.key}`)
		}
		const isMissed = ({ leftMs }: FakeProxy) => nowMs() - bootedMs < limits.bootHoldMs || (leftMs ?? 0) >= bootedMs
		const missing = proxies().find((target) => !target.connected && isMissed(target) && !isNews(target))
		if (missing !== undefined)
			violate('5: no step forward while proxies are missing', `${step} without ${missing.proxy.key}`)
		if (mayBeShort) return
		for (const target of connected()) {
			// Who has joined since the newest look is in none.
			const lastMs = Math.max(reports.of(target).lastMs, target.arrivedMs)
			if (!isNews(target) && nowMs() - lastMs > freshMs + storeMs() + turnMs)
				violate('2: no step forward without fresh evidence', `${step}, ${target.proxy.key} silent since ${lastMs}`)
		}
		const demandedMs = rollout.policy.steps.find(({ sharePpm }) => sharePpm === rollout.stepsPpm[rollout.step])
		const lookMs = rollout.policy.warmUpMs + limits.flushIntervalMs + limits.lookIntervalMs
		const sinceMs = nowMs() - Math.max(changedMs, bootedMs)
		if (sinceMs < lookMs)
			violate('5: a step is looked at before the next', `${step} after ${sinceMs} ms, a look takes ${lookMs}`)
		const lastedMs = nowMs() - (confirmedMs ?? nowMs())
		if (lastedMs < (demandedMs?.minDurationMs ?? 0))
			violate('5: a step lasts as long as it must', `${step} after ${lastedMs} of ${demandedMs?.minDurationMs} ms`)
	}

	function follow(rollout: Rollout, { meshes, state }: ControllerView): void {
		const newMs = timeoutOf(meshes.get(rollout.wave?.candidate ?? ''))
		const oldMs = timeoutOf(meshes.get(state.applied ?? ''))
		const before = wave
		if (before?.rollout.id === rollout.id && rollout.step > before.rollout.step) {
			const step = `${rollout.id} to wave ${rollout.step + 1}`
			if (before.rollout.step >= 0 && !isFirstLook) checkForward(before, step)
			confirmedMs = null
			changedMs = nowMs()
		}
		if (before?.rollout.id !== rollout.id) confirmedMs = null
		wave = { rollout, newMs, oldMs }
		noteConfirmed()
	}

	function checkAlone(running: readonly Rollout[], rollout: Rollout): void {
		const others = running.filter(({ id, phase }) => id !== rollout.id && phase.kind !== 'rollingBack')
		for (const { id } of others) violate('waves go out alone', `${id} runs beside ${rollout.id}`)
	}

	/** Who loses the change while it goes out was taken back, and so are all. */
	function explain({ state }: ControllerView): void {
		unexplained = unexplained.filter(({ id, proxy, atMs }) => {
			const rollout = state.rollouts.find((other) => other.id === id)
			const goesOn = rollout !== undefined && isRunning(rollout) && rollout.phase.kind !== 'rollingBack'
			if (goesOn && nowMs() - atMs > turnMs + 2 * storeMs())
				violate('a wave only grows', `${proxy} has lost what ${id} gave it, in phase ${rollout.phase.kind}`)
			return goesOn && nowMs() - atMs <= turnMs + 2 * storeMs()
		})
	}

	function checkEnd(rollout: Rollout): void {
		if (wave?.rollout.id !== rollout.id || wave.newMs === wave.oldMs) return
		const wanted = rollout.phase.kind === 'succeeded' ? wave.newMs : wave.oldMs
		for (const target of connected())
			if (!isNews(target) && !holds(target, wanted) && timeoutAt(target, firstPair.host) !== null)
				violate('what is said to be done is done', `${rollout.phase.kind}, and ${target.proxy.key} holds the other`)
	}

	return {
		asked() {
			lost = null
		},
		promoted() {
			mayBeShort = true
		},
		restarted() {
			bootedMs = nowMs()
			isFirstLook = true
			unexplained = []
		},
		left: noteConfirmed,
		treated(target, { beforeMs, afterMs }, stored) {
			const known = storedWave(stored)
			const { proxy } = target
			// Who holds nothing is given what the store has; only proxies can tell a daemon that has just started of a way back.
			if (afterMs === lost && beforeMs !== null)
				violate('4: after a way back the canary never rises', `${proxy.key} is given ${afterMs} ms again`)
			if (known === null) return
			const { rollout, newMs, oldMs } = known
			const given = rollout !== null && rollout.phase.kind !== 'rollingBack' && isMember(rollout, proxy) ? newMs : oldMs
			if (afterMs !== oldMs && afterMs !== given)
				violate('6: written down before it takes effect', `${proxy.key} holds ${afterMs} ms, and ${oldMs} is applied`)
			if (rollout !== null && beforeMs === newMs && afterMs === oldMs && newMs !== oldMs) {
				lost = newMs
				unexplained.push({ id: rollout.id, proxy: proxy.key, atMs: nowMs() })
			}
			noteConfirmed()
		},
		settled(view) {
			// It has not loaded it yet.
			if (view.state.applied === null) return
			const running = view.state.rollouts.filter(isRunning)
			const waves = running.filter((rollout) => rollout.wave !== null)
			if (waves.length > 1) violate('one wave at a time', waves.map(({ id }) => id).join())
			const [rollout] = waves
			if (rollout !== undefined) {
				follow(rollout, view)
				if (rollout.phase.kind !== 'rollingBack') checkAlone(running, rollout)
			}
			explain(view)
			// Git wanted something else: what comes next is another change, though it may have a part of the last one.
			const last = view.state.rollouts.findLast((one) => one.wave !== null)?.phase
			if (last !== undefined && 'cause' in last && last.cause.by === 'superseded') lost = null
			for (const one of view.state.rollouts) {
				if (one.wave === null || isRunning(one) || ended.has(one.id)) continue
				ended.add(one.id)
				if (one.phase.kind === 'succeeded' && !isFirstLook && wave?.rollout.id === one.id && !isQuick(one))
					checkForward(wave, `${one.id} to its end`)
				checkEnd(one)
			}
			isFirstLook = false
		},
	}
}

/** Nobody was there who would have had it. */
function isQuick({ step, stepsPpm }: Rollout): boolean {
	return step < stepsPpm.length - 1
}

/** The first wave has one proxy, the last all; between, a proxy's name says whether it is in (rules §4.1). */
function isMember({ id, step, stepsPpm, wave }: Rollout, { key, instance }: FakeProxy['proxy']): boolean {
	if (step < 0) return false
	if (step === stepsPpm.length - 1 || key === wave?.first) return true
	if (step === 0 || instance === null) return false
	const place = Number.parseInt(createHash('sha256').update(`${id} ${key}`).digest('hex').slice(0, 12), 16) / 2 ** 48
	return place < (stepsPpm[step] ?? 0) / 1_000_000
}

/** What is stored of waves: the rollout that runs, and the two timeouts; null: nothing is stored yet. */
function storedWave(
	snapshot: MemorySnapshot | null,
): { readonly rollout: Rollout | null; readonly newMs: number; readonly oldMs: number } | null {
	if (snapshot === null || snapshot.state === null) return null
	const { state, content } = parseStored(snapshot.state)
	const timeoutStored = (hash: string) => {
		const mesh = storedMesh(snapshot, content, hash)
		return mesh === null ? usualMs : timeoutOf(mesh)
	}
	if (state.applied === null) return null
	const oldMs = timeoutStored(state.applied)
	const rollout = state.rollouts.find((one) => isRunning(one) && one.wave !== null) ?? null
	return { rollout, oldMs, newMs: rollout === null ? oldMs : timeoutStored(rollout.wave?.candidate ?? '') }
}

function timeoutOf(mesh: Mesh | undefined): number {
	const route = mesh?.resources[firstPair.route]
	return (route?.kind === 'Route' ? route.spec.timeout.perRequestMs : null) ?? usualMs
}
