import { hashValue } from '#base/hash.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { findBrokenLinks } from '#mesh/link.ts'
import type { Mesh, Resource, ResourceId } from '#mesh/mesh.ts'
import { differingIds } from '#plan/differing-resources.ts'
import { findTraps } from '#plan/find-traps.ts'
import { type TargetsOf, writtenTargets } from '#plan/live-paths.ts'
import type { Trap } from '#plan/trap.ts'
import { takesAsMuch, widen } from '#plan/widen.ts'
import { isRunning, type Rollout, routesOf } from '#rollout/rollout.ts'
import { hashApartFromShares } from './apply-at-once.ts'
import { targetsUnder } from './trap-diagnostics.ts'

// What both ends of a connection must agree on changes in phases (rules §4.4): servers first take the old and the new,
// then their callers change, then servers take the new alone. Each phase is a mesh of its own, so everything that holds
// for a change of the mesh holds for each of them: waves, windows, proxies that lag, the way back.

/** `widen`: servers take both · `switch`: all else is as it is to be · `whole`: what is asked for itself. */
export type Aim = { readonly phase: 'widen' | 'switch' | 'whole'; readonly mesh: Mesh }

export type AimOnceOptions = Pick<AimOptions, 'mayStillHold'> & {
	readonly rollouts: readonly Rollout[]
	/** What candidates of waves are served; null when nothing goes out by waves. */
	readonly candidate: Mesh | null
}

let last: { readonly key: string; readonly aim: Aim } | null = null

/** The same, worked out once: traps cost the size of the mesh, and most turns ask what the turn before asked. */
export function aimOnce(applied: Mesh, desired: Mesh, options: AimOnceOptions): Aim {
	const { rollouts, candidate, mayStillHold } = options
	const running = rollouts.filter(isRunning)
	const ends = running.map(({ lanes }) => lanes)
	const held = mayStillHold.map(({ hash }) => hash)
	const key = hashValue([applied.hash, desired.hash, candidate?.hash ?? null, ends, held])
	if (last?.key === key) return last.aim
	const underRollout = [...running.flatMap(routesOf), ...askedByWaves(applied, desired, candidate)]
	const aim = aimOf(applied, desired, { targetsOf: targetsUnder(rollouts), underRollout, mayStillHold })
	last = { key, aim }
	return aim
}

/** What goes out by waves and is wanted just so. */
function askedByWaves(applied: Mesh, desired: Mesh, candidate: Mesh | null): ResourceId[] {
	if (candidate === null) return []
	const isWanted = (id: ResourceId) =>
		hashApartFromShares(candidate.resources[id]) === hashApartFromShares(desired.resources[id])
	return differingIds(applied.resources, candidate.resources).filter(isWanted)
}

export type AimOptions = {
	readonly targetsOf: TargetsOf
	/** Routes under a rollout, and what goes out by waves: what is asked for there stays asked for. */
	readonly underRollout: readonly ResourceId[]
	/** Meshes applied before that an expected proxy may still hold: callers follow only servers that all take both. */
	readonly mayStillHold: readonly Mesh[]
}

/** What to bring the applied mesh nearer to now. Where no phases help, it is the desired one. */
export function aimOf(applied: Mesh, desired: Mesh, options: AimOptions): Aim {
	const way = wayTo(applied, desired, options.targetsOf)
	if (way === null || way.length === 1) return { phase: 'whole', mesh: desired }
	return nextPhase(applied, desired, { ...options, traps: findTraps(applied, desired, options.targetsOf) })
}

/**
 * The phases from one mesh to another, the last of which is the other one; null where they would break traffic as well.
 * One alone: nothing stands in the way.
 */
export function wayTo(applied: Mesh, desired: Mesh, targetsOf: TargetsOf = writtenTargets): readonly Aim[] | null {
	const way: Aim[] = []
	let now = applied
	while (way.length < mostPhases) {
		const traps = findTraps(now, desired, targetsOf)
		if (traps.length === 0) return [...way, { phase: 'whole', mesh: desired }]
		if (!havePhases(traps)) return null
		const next = nextPhase(now, desired, { traps, underRollout: [], mayStillHold: [] })
		if (next.mesh.hash === now.hash || findTraps(now, next.mesh, targetsOf).length > 0) return null
		way.push(next)
		now = next.mesh
	}
	return null
}

const mostPhases = 3

/** What the others are about is not known to Sluice: what a certificate holds, and which port an application dials. */
const codesWithPhases: readonly Trap['code'][] = ['SL0410', 'SL0413', 'SL0415', 'SL0419']

function havePhases(traps: readonly Trap[]): boolean {
	return traps.every(({ code }) => codesWithPhases.includes(code))
}

type PhaseOptions = Pick<AimOptions, 'underRollout' | 'mayStillHold'> & { readonly traps: readonly Trap[] }

function nextPhase(applied: Mesh, desired: Mesh, { traps, underRollout, mayStillHold }: PhaseOptions): Aim {
	const widened = [...widen(applied, desired, traps)]
	const isWide = widened.every(([id, { before }]) => applied.resources[id]?.hash === before.hash)
	const lags = ({ resources }: Mesh) => widened.some(([id, { before }]) => !takesAsMuch(resources[id], before))
	if (isWide && !mayStillHold.some(lags)) {
		const meanwhile = widened.map(([id, { meanwhile: server }]) => [id, server] as const)
		return { phase: 'switch', mesh: composeMesh({ ...desired.resources, ...Object.fromEntries(meanwhile) }) }
	}
	const servers = Object.fromEntries(widened.map(([id, { before }]) => [id, before] as const))
	const isServer = (id: ResourceId) => Object.hasOwn(servers, id)
	const asked = underRollout.filter((id) => !isServer(id)).flatMap((id) => desired.resources[id] ?? [])
	const goesOn = Object.fromEntries(asked.map((resource) => [resource.id, resource] as const))
	return { phase: 'widen', mesh: linked({ ...applied.resources, ...servers }, goesOn) }
}

/** What leads to something that is not there yet waits for it. */
function linked(resources: Mesh['resources'], goesOn: Readonly<Record<ResourceId, Resource>>): Mesh {
	const all = { ...resources, ...goesOn }
	return composeMesh(findBrokenLinks(all).length === 0 ? all : resources)
}
