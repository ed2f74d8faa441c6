import type { Diagnostic } from '#base/diagnostic.ts'
import type { Rollout } from '#rollout/rollout.ts'
import type { RevisionInfo } from '#source/revision.ts'
import type { ContentIndex } from './content.ts'
import type { Freeze } from './freeze.ts'

/** Since 6 a mesh lies in the store in parts. */
const schema = 6
/** What is written otherwise since then is read as it was written. */
const oldestSchema = 5

/**
 * Everything the controller decides from, and all that a restart needs: ids, shares, phases and guard sums. Meshes lie
 * in the store by their hash; proxies are not in it.
 */
export type ControllerState = {
	readonly schema: typeof schema
	/** Wall clock of the last transaction: what tells, on boot, how long the daemon was away. */
	readonly savedWallMs: number
	/** The newest revision that was valid and taken in; null before the first. */
	readonly accepted: AcceptedRevision | null
	/** The newest revision that was refused, while it is the newest one seen. */
	readonly refused: RefusedRevision | null
	/** Hash of the mesh that is applied: what is in force, apart from the shares of running rollouts. */
	readonly applied: string | null
	/** Running ones, and the newest ended ones; oldest first. */
	readonly rollouts: readonly Rollout[]
	/** Rollouts ever started: the number in their ids. */
	readonly rolloutCount: number
	readonly quarantine: readonly Quarantine[]
	/** What people have frozen; one for each scope. */
	readonly freezes: readonly Freeze[]
	/** Proxies that held something when the store knew nothing: they keep it until a person answers `sluice adopt`. */
	readonly adoption: { readonly proxies: readonly string[]; readonly wallMs: number } | null
	/**
	 * Meshes to which Git may go back whatever that deletes or changes at both ends: those that the accepted one, and the
	 * last one that a person accepted, took the place of; and what was in force then. Hashes; absent in states of earlier
	 * versions.
	 */
	readonly waysBack?: WaysBack
	/**
	 * Meshes that were applied before, and that an expected proxy may still hold, since not all have confirmed what came
	 * after; oldest first. Hashes; absent in states of earlier versions.
	 */
	readonly mayStillHold?: readonly string[]
	/**
	 * Hash of the mesh that was last served whole: what stands in, after a restart, for what waits for endpoints or secrets
	 * that nobody has found. Absent in states of earlier versions.
	 */
	readonly servedWhole?: string | null
	/** Proxies that a person took out of what is expected, oldest first; absent in states of earlier versions. */
	readonly excluded?: readonly Exclusion[]
	/** A revision that a person accepted though it deletes much, or rewrites history. */
	readonly acceptedByHand: { readonly revision: string; readonly actor: string; readonly reason: string } | null
}

export type WaysBack = { readonly replaced: WayBack | null; readonly replacedByHand: WayBack | null }

/** `inForce`: what was applied when another mesh was accepted in its place. */
export type WayBack = { readonly mesh: string; readonly inForce: string | null }

export const noWaysBack: WaysBack = { replaced: null, replacedByHand: null }

export type AcceptedRevision = {
	readonly info: RevisionInfo
	/** Hashes of blobs. */
	readonly mesh: string
	readonly origins: string
	readonly warnings: readonly Diagnostic[]
	readonly wallMs: number
	/**
	 * Git is back at the mesh that was accepted before: hash of what was in force then. To that it is a way back, which waits
	 * for no wave, freeze or window; what had not come into force by then is none.
	 */
	readonly takesBackTo?: string | null
	/** Both ends must agree on a part of it, and a way through is known: it goes out in phases. */
	readonly inPhases?: boolean
}

export type RefusedRevision = {
	readonly info: RevisionInfo | null
	readonly diagnostics: readonly Diagnostic[]
	/** A person may take it in all the same: `sluice accept ID --reason …`. */
	readonly acceptable: boolean
	readonly wallMs: number
}

export type Exclusion = {
	readonly proxy: string
	readonly actor: string
	readonly reason: string
	readonly sinceWallMs: number
	/** What is left of its time, the daemon's absence counted; null: until a person includes it. */
	readonly leftMs: number | null
}

export type Quarantine = {
	readonly key: string
	readonly route: string
	readonly rollout: string
	readonly reason: string
	readonly wallMs: number
	/** Of waves: what each change was, so that a later commit with more in it does not bring them again. */
	readonly parts?: readonly string[]
}

export const initialState: ControllerState = {
	schema,
	savedWallMs: 0,
	accepted: null,
	refused: null,
	applied: null,
	rollouts: [],
	rolloutCount: 0,
	quarantine: [],
	freezes: [],
	adoption: null,
	acceptedByHand: null,
}

/** What the store keeps as one text: the state, and which blobs hold each mesh and table of origins that it names. */
export type StoredState = { readonly state: ControllerState; readonly content: ContentIndex }

/** Reads what `JSON.stringify` wrote of a StoredState. Throws when a Sluice with other meshes or rollouts wrote it. */
export function parseStored(text: string): StoredState {
	const { state, content } = JSON.parse(text) as StoredState
	const written: number = state.schema
	const told = `schema ${written}, this one reads ${oldestSchema} to ${schema}`
	if (written < oldestSchema)
		throw new Error(`the state was written by an older Sluice, whose meshes and rollouts had less in them: ${told}`)
	if (written > schema) throw new Error(`the state was written by a newer Sluice: ${told}`)
	return { state: { ...state, schema }, content }
}

/** What of a state must not get lost, apart from what the journal says: everything but the passing of time. */
export function signatureOf(state: ControllerState): string {
	const rollouts = state.rollouts.map(({ id, step, clones, phase, confirmed }) => [
		id,
		step,
		clones,
		phase.kind,
		confirmed,
	])
	return JSON.stringify([state.servedWhole ?? null, rollouts])
}

/** Something in it ends with time by itself. */
export function hasEnd({ freezes, excluded = [] }: ControllerState): boolean {
	return freezes.some(({ untilWallMs }) => untilWallMs !== null) || excluded.some(({ leftMs }) => leftMs !== null)
}
