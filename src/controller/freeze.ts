import type { ResourceId } from '#mesh/mesh.ts'
import type { Command, Hold } from '#rollout/rollout.ts'

// What people have frozen: nothing there starts, takes a step or is removed, until somebody lifts it or its time is over.
// Never held up by it: ways back, what mends a refusal, endpoints and certificates, a new proxy (rules, motion 12).

export type Freeze = Command & {
	/** A mesh, a virtual router or a route, with what lies below it; null: everything. */
	readonly scope: ResourceId | null
	readonly sinceWallMs: number
	/** Null: until somebody lifts it. */
	readonly untilWallMs: number | null
}

/**
 * Why a resource may not go forward now, or null: asked before anything starts, steps or is removed, and before the next
 * proxies get what changes.
 */
export function findFreeze(freezes: readonly Freeze[], resource: ResourceId): Hold | null {
	const freeze = freezes.find(({ scope }) => scope === null || scope === resource || resource.startsWith(`${scope}/`))
	return freeze === undefined ? null : { code: 'FROZEN', text: describeFreeze(freeze) }
}

export function describeFreeze({ scope, actor, reason, untilWallMs }: Freeze): string {
	const what = scope === null ? 'everything' : scope
	const until = untilWallMs === null ? '' : ` until ${new Date(untilWallMs).toISOString()}`
	return `${actor} has frozen ${what}${until}: ${reason}`
}
