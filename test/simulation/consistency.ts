import type { ControllerView } from '#controller/controller-view.ts'
import { effectiveMesh } from '#controller/effective.ts'
import { parseStored } from '#controller/state.ts'
import { findBrokenLinks } from '#mesh/link.ts'
import { type Mesh, type ResourceId, resourceId } from '#mesh/mesh.ts'
import type { Split } from '#plan/plan.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'
import type { MemorySnapshot } from '#store/memory-store.ts'
import type { FakeFleet, Shares } from './fake-fleet.ts'
import { canaryCluster, routeId, stableCluster } from './simulated-mesh.ts'

// Whether what the controller says of itself is what the fleet holds, what the store has, and what Git asks for. Looked
// at after each turn, when nothing is on its way inside the daemon.

export type Consistency = {
	/** A snapshot was published with these shares; `stored` is what a crash would leave. */
	published(after: Shares, stored: MemorySnapshot | null): void
	settled(view: ControllerView): void
	/** Another daemon: it has published nothing yet. */
	restarted(): void
	/** A person's `promote` may cut any duration short. */
	promoted(): void
}

export type ConsistencyOptions = {
	readonly fleet: FakeFleet
	readonly nowMs: () => number
	readonly violate: (invariant: string, text: string) => void
}

/** A turn, and a little. */
const reactionMs = 1_500
const stableNode = resourceId.virtualNode('apps', 'B')
const nodes: readonly ResourceId[] = [stableNode, resourceId.virtualNode('apps', 'Bv2')]

export function createConsistency({ fleet, nowMs, violate }: ConsistencyOptions): Consistency {
	const utf8 = new TextDecoder()
	/** Rollout → its nodes as they were applied when it began to be judged. */
	const judged = new Map<string, string>()
	const ended = new Set<string>()
	/** Proxy → since when it refuses what is published. */
	const refusing = new Map<string, number>()
	let share: number | null = null
	let lastShare: number | null = null
	let shareSinceMs = 0
	let mayBeShort = false
	/** Null: a daemon has just started, and what it found is not its doing. */
	/** The mesh that was looked at last. */
	let linked: Mesh | null = null
	let wasDropped: boolean | null = false

	/** The canary's shares that may be served: the one that the store has, and those that ways back lead to. */
	function allowedShares(stored: MemorySnapshot | null): Set<number> | null {
		if (stored === null || stored.state === null) return null
		const { state, content } = parseStored(stored.state)
		const bytes = state.applied === null ? undefined : stored.blobs.get(content[state.applied] ?? '')
		if (bytes === undefined) return null
		const { mesh } = JSON.parse(utf8.decode(bytes)) as { mesh: Mesh }
		const inForce = canaryShareOf(effectiveMesh(mesh, state.rollouts).splits[routeId])
		const good = state.rollouts.filter(isRunning).map((rollout) => canaryShareOf(rollout.good))
		return new Set([inForce, ...good])
	}

	function checkEnd(rollout: Rollout): void {
		const good = canaryShareOf(rollout.phase.kind === 'succeeded' ? rollout.target : rollout.good)
		for (const target of fleet.proxies) {
			const held = target.connected ? fleet.sharesOf(target)?.get(canaryCluster) : undefined
			if (target.connected && held !== undefined && held !== good)
				violate('what is said to be done is done', `${rollout.phase.kind}, and ${target.proxy.key} holds ${held} ppm`)
		}
		const sinceMs = nowMs() - shareSinceMs
		if (rollout.phase.kind === 'succeeded' && !mayBeShort && sinceMs < rollout.policy.bakeMs)
			violate('8: the last step bakes', `succeeded after ${sinceMs} ms of ${rollout.policy.bakeMs}`)
	}

	function checkJudged(rollout: Rollout, applied: Mesh, asked: Mesh | undefined): void {
		const hashes = nodes.map((id) => applied.resources[id]?.hash).join()
		if ((judged.get(rollout.id) ?? hashes) !== hashes)
			violate('9: what is judged does not change meanwhile', `${rollout.id} in phase ${rollout.phase.kind}`)
		judged.set(rollout.id, hashes)
		const canaries = rollout.canaries.map(({ virtualNode }) => virtualNode)
		if (asked !== undefined && canaries.some((id) => asked.resources[id]?.hash !== applied.resources[id]?.hash))
			violate('4: another version is another canary', `${rollout.id} goes on in phase ${rollout.phase.kind}`)
	}

	/** They are few: one of them is more than a fifth. */
	function checkRefused(running: readonly Rollout[]): void {
		const steps = running.some(({ step, phase }) => step >= 0 && phase.kind !== 'rollingBack')
		for (const { proxy, connected, refused } of fleet.proxies) {
			if (!connected || refused.size === 0 || !steps) refusing.delete(proxy.key)
			else if (!refusing.has(proxy.key)) refusing.set(proxy.key, nowMs())
			else if (nowMs() - (refusing.get(proxy.key) ?? 0) > reactionMs)
				violate('5: a refusal takes it back', `${proxy.key} refuses since ${refusing.get(proxy.key)}`)
		}
	}

	function checkDropped(applied: Mesh, running: readonly Rollout[]): void {
		const isDropped = applied.resources[stableNode] === undefined
		if (!isDropped || wasDropped !== false) {
			wasDropped = isDropped
			return
		}
		wasDropped = true
		const invariant = '7: nothing is removed that somebody needs'
		for (const { id, good, target } of running) {
			if ([...good, ...target].some(({ virtualNode }) => virtualNode === stableNode)) violate(invariant, `${id} runs`)
		}
		for (const target of fleet.proxies) {
			if (!target.connected) violate(invariant, `${target.proxy.key} is expected back`)
			else if (fleet.sharesOf(target)?.has(stableCluster)) violate(invariant, `${target.proxy.key} still routes to it`)
		}
	}

	function checkLinks(applied: Mesh): void {
		const [broken] = findBrokenLinks(applied.resources)
		if (broken !== undefined) violate('8: the mix in force links', broken.message)
	}

	return {
		promoted() {
			mayBeShort = true
		},
		restarted() {
			share = null
			wasDropped = null
		},
		published(after, stored) {
			const next = after.get(canaryCluster) ?? 0
			if (next !== lastShare) shareSinceMs = nowMs()
			lastShare = next
			share = next
			const allowed = allowedShares(stored)
			if (allowed !== null && !allowed.has(next))
				violate('6: written down before it takes effect', `${next} ppm, and the store allows ${[...allowed].join()}`)
		},
		settled({ state, meshes }) {
			const applied = meshes.get(state.applied ?? '')
			const asked = meshes.get(state.accepted?.mesh ?? '')
			if (applied === undefined) return
			if (applied !== linked) checkLinks(applied)
			linked = applied
			if (state.accepted?.info.id === 'broken') violate('8: only what is valid is taken in', 'broken')
			const running = state.rollouts.filter(isRunning)
			checkDropped(applied, running)
			checkRefused(running)
			for (const rollout of state.rollouts.filter(({ wave }) => wave === null)) {
				if (!isRunning(rollout)) {
					if (!ended.has(rollout.id)) checkEnd(rollout)
					ended.add(rollout.id)
				} else if (rollout.phase.kind === 'rollingBack') {
					const good = canaryShareOf(rollout.good)
					if (share !== null && share !== good)
						violate('10: a way back is published at once', `${share} ppm, and good is ${good}`)
				} else checkJudged(rollout, applied, asked)
			}
		},
	}
}

export function canaryShareOf(split: Split | undefined): number {
	return split?.find(({ virtualNode }) => virtualNode === nodes[1])?.sharePpm ?? 0
}
