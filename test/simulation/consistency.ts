import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import type { ControllerCommand } from '#controller/commands.ts'
import type { ControllerView } from '#controller/controller-view.ts'
import { effectiveMesh } from '#controller/effective.ts'
import { type ControllerState, parseStored } from '#controller/state.ts'
import { findBrokenLinks } from '#mesh/link.ts'
import { type Mesh, type ResourceId, resourceId } from '#mesh/mesh.ts'
import type { Split } from '#plan/plan.ts'
import { splitOf } from '#rollout/effective-mesh.ts'
import { isHeldBack } from '#rollout/ladder.ts'
import { isRunning, laneOf, type Rollout } from '#rollout/rollout.ts'
import type { MemorySnapshot } from '#store/memory-store.ts'
import type { Rejection } from '#xds/fleet-view.ts'
import type { FakeFleet } from './fake-fleet.ts'
import type { FakeProxy } from './fake-proxy.ts'
import { forwardingAt, sharesAt } from './fake-proxy.ts'
import type { Violate } from './invariants.ts'
import type { Reports } from './reports.ts'
import { nodeOfCluster, type Shares } from './shares.ts'
import { firstPair, type Pair } from './simulated-mesh.ts'
import { storedMesh } from './stored-mesh.ts'

// Whether what the controller says of itself is what the fleet holds and reports, what the store has, and what Git asks
// for. Looked at after each turn, when nothing is on its way inside the daemon.

export type Consistency = {
	/** A snapshot was published with these shares of a host; `stored` is what a crash would leave. */
	published(host: string, after: Shares, stored: MemorySnapshot | null): void
	/** What is in front of its shares has come. */
	fronted(host: string, stored: MemorySnapshot | null): void
	/** A proxy holds these shares of a host. */
	delivered(host: string, after: Shares): void
	settled(view: ControllerView): void
	/** The daemon dies, and its proxies do not know it yet. */
	died(): void
	/** Another daemon: it has published nothing yet, and finds this. */
	restarted(stored: MemorySnapshot | null): void
	/** A person's `promote` may cut any duration short. */
	promoted(): void
	/** A person asks for a pause or a freeze; what it returns is to be called when that is said to be done. */
	asksToStop(command: ControllerCommand): () => void
	/** A person asks for what ends that. */
	goesOn(command: ControllerCommand): void
}

export type ConsistencyOptions = {
	readonly pairs: readonly Pair[]
	readonly fleet: FakeFleet
	readonly reports: Reports
	readonly nowMs: () => number
	readonly wallMs: () => number
	/** How long an answer of the store may take now. */
	readonly storeMs: () => number
	readonly violate: Violate
}

/** A turn, and a little. */
const reactionMs = 1_500
/** A daemon that died is back after so long. */
const restartMs = 5_000
const droppable = resourceId.virtualNode('apps', firstPair.stable)

/** What is known of one rollout since it was first seen. */
type Known = {
	/** Hashes of its nodes as they were applied then. */
	readonly judged: string
	/** Since when this daemon has been moving it. */
	movesSinceMs: number | null
}

/** The canary's share that was published, and whether any proxy has had it. */
type Published = {
	readonly share: number
	readonly sinceMs: number
	isFelt: boolean
	/** The share before it. */
	readonly before: Published | null
}

export function createConsistency(options: ConsistencyOptions): Consistency {
	const { pairs, fleet, reports, nowMs, violate } = options
	const known = new Map<string, Known>()
	/** What was said of rollouts that have ended. What one daemon said the next one does not say anew: it may have been taken back. */
	const ended = new Map<string, Set<Rollout['phase']['kind']>>()
	/** Rollouts that a person has paused, and until when everything is frozen. */
	const paused = new Set<string>()
	let frozenUntilWallMs = 0
	/** How often a person has asked for what ends them. */
	const ends = { pause: 0, freeze: 0 }
	let last: ControllerState | null = null
	const sizedAt = new Map<string, string>()
	/** Rollout → since when it goes down by a ramp, and how often a daemon has died meanwhile. */
	const ramping = new Map<string, { readonly sinceMs: number; restarts: number }>()
	/** Proxy → since when it refuses what is published. */
	const refusing = new Map<string, number>()
	const refusedIn = new Map<string, ReadonlySet<string>>()
	/** Host → the canary's share that was published last by this daemon, and by any. */
	const shares = new Map<string, number>()
	const lastShares = new Map<string, Published>()
	let mayBeShort = false
	/** Who was connected when the last daemon died that was looked at: what the next one finds said was said of these. */
	let wereThere: ReadonlySet<FakeProxy> = new Set()
	/** What this daemon found. */
	let found: MemorySnapshot | null = null
	/** The mesh that was looked at last. */
	let linked: Mesh | null = null
	/** Null: a daemon has just started, and what it found is not its doing. */
	let wasDropped: boolean | null = false

	/** The canary's shares that may be served: the one that the store has, and those that ways back lead to. */
	function allowedShares(pair: Pair, stored: MemorySnapshot | null): Set<number> | null {
		if (stored === null || stored.state === null) return null
		const { state, content } = parseStored(stored.state)
		const mesh = storedMesh(stored, content, state.applied)
		if (mesh === null) return null
		const inForce = canaryShareOf(pair, splitOf(effectiveMesh(mesh, state.rollouts), pair.route))
		// The last one may be taken back by a person though it has ended.
		const ofRoute = state.rollouts.filter((rollout) => laneOf(rollout, pair.route) !== null)
		const goesBack = ofRoute.filter((rollout) => isRunning(rollout) || rollout === ofRoute.at(-1))
		return new Set([inForce, ...goesBack.map((rollout) => canaryShareOf(pair, laneOf(rollout, pair.route)?.good))])
	}

	/** A daemon died before anybody had what it published last: for the fleet the shares before it never ended. */
	function forgetUnfelt({ host }: Pair): void {
		const last = lastShares.get(host)
		if (last?.isFelt === false && last.before !== null) lastShares.set(host, last.before)
	}

	function checkEnd(pair: Pair, rollout: Rollout, by: 'thisDaemon' | 'daemonBefore'): void {
		const lane = laneOf(rollout, pair.route)
		const good = canaryShareOf(pair, rollout.phase.kind === 'succeeded' ? lane?.target : lane?.good)
		for (const target of fleet.proxies) {
			if (by === 'daemonBefore' && !wereThere.has(target)) continue
			const held = target.connected ? sharesAt(target).get(pair.host)?.get(pair.canary) : undefined
			if (held !== undefined && held !== good)
				violate('what is said to be done is done', `${rollout.phase.kind}, and ${target.proxy.key} holds ${held} ppm`)
			const hasFront = target.connected && forwardingAt(target).fronts.has(pair.host)
			if (hasFront && rollout.phase.kind !== 'succeeded')
				violate('what is said to be done is done', `${rollout.phase.kind}, and ${target.proxy.key} has a front still`)
		}
		const bakedMs = bakedFor(pair, rollout)
		if (rollout.phase.kind === 'succeeded' && !mayBeShort && bakedMs < rollout.policy.bakeMs)
			violate('8: the last step bakes', `succeeded after ${bakedMs} ms of ${rollout.policy.bakeMs}`)
	}

	/** At the last shares; where something was held back, at those before them. */
	function bakedFor({ host }: Pair, rollout: Rollout): number {
		const last = lastShares.get(host)
		const sinceMs = last?.sinceMs ?? 0
		const isHeld = isHeldBack({ ...rollout, step: rollout.stepsPpm.length - 2 })
		return isHeld ? sinceMs - (last?.before?.sinceMs ?? 0) : nowMs() - sinceMs
	}

	/**
	 * From its start until it goes back, the nodes that a rollout compares stay applied as they were: what changes a
	 * canary takes it back first, what changes the baseline waits for its end.
	 */
	function checkJudged(pair: Pair, rollout: Rollout, { applied, asked }: { applied: Mesh; asked: Mesh | undefined }) {
		const judged = nodesOf(pair)
			.map((id) => applied.resources[id]?.hash)
			.join()
		const before = known.get(rollout.id) ?? { judged, movesSinceMs: null }
		known.set(rollout.id, before)
		if (rollout.step >= 0) before.movesSinceMs ??= nowMs()
		if (before.judged !== judged)
			violate('9: what is judged does not change meanwhile', `${rollout.id} in phase ${rollout.phase.kind}`)
		const canaries = rollout.canaries.map(({ virtualNode }) => virtualNode)
		if (asked !== undefined && canaries.some((id) => asked.resources[id]?.hash !== applied.resources[id]?.hash))
			violate('4: another version is another canary', `${rollout.id} goes on in phase ${rollout.phase.kind}`)
	}

	/** Two flushes in a row over the hard limit, and it goes back, whatever else is going on. */
	function checkHardLimit({ host, canary }: Pair, rollout: Rollout): void {
		const sinceMs = known.get(rollout.id)?.movesSinceMs ?? null
		if (sinceMs === null || !rollout.canaries.some(({ virtualNode }) => virtualNode.endsWith(`/${canary}`))) return
		for (const target of fleet.proxies) {
			const failing = reports.of(target).failing.get(host) ?? []
			const [, second] = failing.filter((atMs) => atMs > sinceMs + limits.turnIntervalMs)
			if (second !== undefined && nowMs() - second > reactionMs + 2 * options.storeMs())
				violate(
					'10: a way back is immediate',
					`${rollout.id} moves on ${nowMs() - second} ms after ${target.proxy.key} fails`,
				)
		}
	}

	/** Of what is refused, which rollouts had a step in force when it first was: one that began later did not bring it. */
	function noteRefused(steps: readonly Rollout[]): void {
		const before = new Map(refusedIn)
		refusedIn.clear()
		for (const { proxy, refused } of fleet.proxies)
			for (const { typeUrl, name, version } of refused.values()) {
				const key = [proxy.key, typeUrl, name, version].join()
				refusedIn.set(key, before.get(key) ?? new Set(steps.map(({ id }) => id)))
			}
	}

	/** They are few: one of them is more than a fifth. */
	function checkRefused(running: readonly Rollout[]): void {
		// One of five is not more than a fifth.
		const isFew = fleet.proxies.filter(({ connected }) => connected).length < 5
		const steps = isFew ? running.filter(({ step, phase }) => step >= 0 && phase.kind !== 'rollingBack') : []
		// What is refused first when another one goes back is that way back, and nothing that a wave has brought.
		const isGoingBack = running.some(({ phase }) => phase.kind === 'rollingBack')
		noteRefused(steps.filter(({ wave }) => wave === null || !isGoingBack))
		const concerns = (proxyKey: string, { typeUrl, name, version }: Rejection) => {
			const since = refusedIn.get([proxyKey, typeUrl, name, version].join())
			return steps.some(({ id, canaries }) => {
				if (since?.has(id) !== true) return false
				if (typeUrl !== typeUrls.cluster) return true
				return canaries.some(({ virtualNode }) => virtualNode.endsWith(`/${nodeOfCluster(name)}`))
			})
		}
		for (const { proxy, connected, refused } of fleet.proxies) {
			const isConcerned = [...refused.values()].some((rejection) => concerns(proxy.key, rejection))
			if (!connected || !isConcerned) refusing.delete(proxy.key)
			else if (!refusing.has(proxy.key)) refusing.set(proxy.key, nowMs())
			else if (nowMs() - (refusing.get(proxy.key) ?? 0) > reactionMs + 2 * options.storeMs())
				violate('5: a refusal takes it back', `${proxy.key} refuses since ${refusing.get(proxy.key)}`)
		}
	}

	function checkDropped(applied: Mesh, running: readonly Rollout[]): void {
		const isDropped = applied.resources[droppable] === undefined
		if (!isDropped || wasDropped !== false) {
			wasDropped = isDropped
			return
		}
		wasDropped = true
		const invariant = '7: nothing is removed that somebody needs'
		for (const { id, lanes } of running)
			if (
				lanes.flatMap(({ good, target }) => [...good, ...target]).some(({ virtualNode }) => virtualNode === droppable)
			)
				violate(invariant, `${id} runs`)
		for (const target of fleet.proxies) {
			if (!target.connected) violate(invariant, `${target.proxy.key} is expected back`)
			else if (sharesAt(target).get(firstPair.host)?.has(firstPair.stable))
				violate(invariant, `${target.proxy.key} still routes to it`)
		}
	}

	/** No target is canary of one and baseline of another (rules, motion 3). */
	function checkRivals(running: readonly Rollout[]): void {
		// A way back waits for nobody.
		const forward = running.filter(({ phase }) => phase.kind !== 'rollingBack')
		for (const { id, canaries } of forward)
			for (const other of forward)
				if (other.baseline.some(({ virtualNode }) => canaries.some((canary) => canary.virtualNode === virtualNode)))
					violate('3: no canary is the baseline of another', `${id} and ${other.id}`)
	}

	function checkMesh(applied: Mesh): void {
		if (applied === linked) return
		linked = applied
		const [broken] = findBrokenLinks(applied.resources)
		if (broken !== undefined) violate('8: the mix in force links', broken.message)
	}

	function checkSize(rollout: Rollout): void {
		const looks = `${rollout.step} ${rollout.guard.looks}`
		if (sizedAt.get(rollout.id) === looks) return
		sizedAt.set(rollout.id, looks)
		const { length } = JSON.stringify(rollout)
		if (length > limits.rolloutStateBytes) violate('a rollout stays small', `${rollout.id} takes ${length} bytes`)
	}

	function checkRunning(pair: Pair, rollout: Rollout, meshes: { applied: Mesh; asked: Mesh | undefined }): void {
		checkSize(rollout)
		checkRamp(rollout)
		if (rollout.phase.kind !== 'rollingBack') {
			// Whatever Git asks for meanwhile, a ramp goes on with what it has.
			checkJudged(pair, rollout, rollout.phase.kind === 'ramping' ? { ...meshes, asked: undefined } : meshes)
			checkHardLimit(pair, rollout)
			return
		}
		const good = canaryShareOf(pair, laneOf(rollout, pair.route)?.good)
		const share = shares.get(pair.host)
		if (share !== undefined && share !== good)
			violate('10: a way back is published at once', `${share} ppm, and good is ${good}`)
	}

	/** Whatever holds its parts. A daemon that was away, and one whose clock jumped, loses no more than a little. */
	function checkRamp({ id, phase }: Rollout): void {
		if (phase.kind !== 'ramping') return void ramping.delete(id)
		const ramp = ramping.get(id) ?? { sinceMs: nowMs(), restarts: 0 }
		ramping.set(id, ramp)
		const lastedMs = nowMs() - ramp.sinceMs
		const allowedMs = phase.ramp.overMs + reactionMs + 2 * options.storeMs() + ramp.restarts * restartMs
		if (lastedMs > allowedMs)
			violate('10: a ramp ends in its time', `${id} after ${lastedMs} of ${phase.ramp.overMs} ms`)
	}

	/** Rollouts and resources before and after a turn. */
	function checkStopped(
		before: ControllerState | null,
		after: ControllerState,
		meshes: ControllerView['meshes'],
	): void {
		// A jump of the wall clock may end it. Several turns may lie between two looks: what came before the freeze may have moved.
		const isFrozen = options.wallMs() < frozenUntilWallMs && (before?.freezes.length ?? 0) > 0
		if (before === null || (!isFrozen && paused.size === 0)) return
		for (const { id, step } of after.rollouts) {
			const was = before.rollouts.find((rollout) => rollout.id === id)
			if (paused.has(id) && was !== undefined && step > was.step)
				violate('15: what is paused stays where it is', `${id} goes to step ${step}`)
			if (isFrozen && (was === undefined || step > was.step))
				violate('12: what is frozen does not go forward', `${id} is at step ${step}`)
		}
		const resourcesOf = ({ applied }: ControllerState) => Object.keys(meshes.get(applied ?? '')?.resources ?? {})
		const left = new Set(resourcesOf(after))
		const removed = resourcesOf(before).filter((id) => !left.has(id))
		if (isFrozen && removed.length > 0 && left.size > 0)
			violate('12: what is frozen does not go forward', `${removed.join()} removed`)
	}

	return {
		promoted() {
			mayBeShort = true
		},
		asksToStop(command) {
			const kind = command.kind === 'pause' ? 'pause' : 'freeze'
			const since = ends[kind]
			return () => {
				// What ends it may have been asked for before it was said to be done.
				if (ends[kind] > since) return
				if (command.kind === 'pause') paused.add(command.rollout)
				if (command.kind === 'freeze') frozenUntilWallMs = command.untilWallMs ?? Infinity
			}
		},
		goesOn(command) {
			ends[command.kind === 'resume' ? 'pause' : 'freeze'] += 1
			if (command.kind === 'resume') paused.delete(command.rollout)
			if (command.kind === 'unfreeze') frozenUntilWallMs = 0
		},
		died() {
			if (last !== null) wereThere = new Set(fleet.proxies.filter(({ connected }) => connected))
		},
		restarted(stored) {
			last = null
			found = stored
			pairs.forEach(forgetUnfelt)
			shares.clear()
			// A daemon that is away takes nothing back.
			refusing.clear()
			wasDropped = null
			for (const one of known.values()) one.movesSinceMs = null
			for (const ramp of ramping.values()) ramp.restarts += 1
		},
		published(host, after, stored) {
			const pair = pairs.find((one) => one.host === host)
			if (pair === undefined) return
			const share = after.get(pair.canary) ?? 0
			const before = lastShares.get(host) ?? null
			if (share !== before?.share) lastShares.set(host, { share, sinceMs: nowMs(), isFelt: false, before })
			// Whoever comes while its next step is being stored is met with what it has.
			const isMet = !shares.has(host) && allowedShares(pair, found)?.has(share) === true
			shares.set(host, share)
			const allowed = allowedShares(pair, stored)
			if (allowed !== null && !allowed.has(share) && !isMet)
				violate('6: written down before it takes effect', `${share} ppm, and the store allows ${[...allowed].join()}`)
		},
		fronted(host, stored) {
			const route = pairs.find((pair) => pair.host === host)?.route
			if (stored === null || stored.state === null) return
			const { state } = parseStored(stored.state)
			const isAllowed = state.rollouts.some((rollout) => {
				const { policy, step, phase } = rollout
				const isInForce = isRunning(rollout) && step >= 0 && phase.kind !== 'rollingBack'
				return laneOf(rollout, route ?? '') !== null && policy.front.length > 0 && isInForce
			})
			if (!isAllowed)
				violate('6: written down before it takes effect', `a front of ${host} that the store knows of no step for`)
		},
		delivered(host, after) {
			const canary = pairs.find((pair) => pair.host === host)?.canary ?? ''
			const last = lastShares.get(host)
			if (last !== undefined && last.share === (after.get(canary) ?? 0)) last.isFelt = true
		},
		settled({ state, meshes }) {
			const applied = meshes.get(state.applied ?? '')
			const asked = meshes.get(state.accepted?.mesh ?? '')
			if (applied === undefined) return
			const before = last
			checkStopped(before, state, meshes)
			last = state
			checkMesh(applied)
			if (state.accepted?.info.id === 'broken') violate('8: only what is valid is taken in', 'broken')
			const running = state.rollouts.filter(isRunning)
			checkDropped(applied, running)
			checkRefused(running)
			checkRivals(running)
			for (const rollout of state.rollouts) {
				const pair = pairs.find(({ route }) => laneOf(rollout, route) !== null)
				if (pair === undefined || rollout.wave !== null) continue
				const said = ended.get(rollout.id) ?? new Set()
				ended.set(rollout.id, said)
				if (isRunning(rollout)) {
					said.clear()
					checkRunning(pair, rollout, { applied, asked })
				} else if (!said.has(rollout.phase.kind)) {
					said.add(rollout.phase.kind)
					if (before !== null) checkEnd(pair, rollout, 'thisDaemon')
					else if (rollout.phase.kind !== 'succeeded') checkEnd(pair, rollout, 'daemonBefore')
				}
			}
		},
	}
}

function nodesOf({ stable, canary }: Pair): readonly ResourceId[] {
	return [stable, canary].map((name) => resourceId.virtualNode('apps', name))
}

export function canaryShareOf({ canary }: Pair, split: Split | undefined): number {
	const id = resourceId.virtualNode('apps', canary)
	return split?.find(({ virtualNode }) => virtualNode === id)?.sharePpm ?? 0
}
