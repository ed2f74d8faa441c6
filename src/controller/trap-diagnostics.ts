import type { Diagnostic } from '#base/diagnostic.ts'
import type { Mesh, Origin, Origins } from '#mesh/mesh.ts'
import { findTraps } from '#plan/find-traps.ts'
import { type TargetsOf, writtenTargets } from '#plan/live-paths.ts'
import type { Trap } from '#plan/trap.ts'
import { isRunning, laneOf, type Rollout } from '#rollout/rollout.ts'

/**
 * What of a revision would break traffic between proxies, since both ends would have to change at once (rules §4.4).
 * @param accepted what was taken in before, and may still wait: its traps were a person's to decide, and are no news
 */
export function trapsOfRevision(
	meshes: { readonly applied: Mesh; readonly accepted: Mesh | null; readonly desired: Mesh },
	rollouts: readonly Rollout[],
): readonly Trap[] {
	const { applied, accepted, desired } = meshes
	const targetsOf = targetsUnder(rollouts)
	const traps = findTraps(applied, desired, targetsOf)
	if (traps.length === 0 || accepted === null) return traps
	const known = new Set(findTraps(applied, accepted, targetsOf).map(nameOfTrap))
	return traps.filter((trap) => !known.has(nameOfTrap(trap)))
}

/** Where a rollout is under way, both its ends get traffic, or soon will. */
export function targetsUnder(rollouts: readonly Rollout[]): TargetsOf {
	const running = rollouts.filter(isRunning)
	return (route) => [
		...writtenTargets(route),
		...running
			.flatMap((rollout) => laneOf(rollout, route.id) ?? [])
			.flatMap(({ good, target }) => [...good, ...target].filter(({ sharePpm }) => sharePpm > 0)),
	]
}

export function nameOfTrap({ code, resource, what }: Trap): string {
	return JSON.stringify([code, resource, what])
}

export function diagnosticsOfTraps(traps: readonly Trap[], origins: Origins): Diagnostic[] {
	return traps.map((trap) => {
		const { code, what, callers, why, way } = trap
		return {
			code,
			severity: 'error',
			message: `${what}, while ${nameFew(callers)} ${callers.length === 1 ? 'sends' : 'send'} traffic to it: ${why}`,
			...(placeOfTrap(trap, origins) ?? { file: '', line: 0, column: 0 }),
			hint: way,
			frame: [],
		}
	})
}

function placeOfTrap({ resource, pointers }: Trap, origins: Origins): Origin | undefined {
	const places = origins[resource] ?? {}
	return [...pointers, ''].map((pointer) => places[pointer]).find((place) => place !== undefined)
}

const mostNamed = 3

function nameFew(names: readonly string[]): string {
	const more = names.length - mostNamed
	return names.slice(0, mostNamed).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
