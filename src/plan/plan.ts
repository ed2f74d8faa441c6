import type { ResourceId, RolloutPolicySpec } from '#mesh/mesh.ts'

// The contract of stage 3: what has to change between what is applied and what is desired, in the order in which it
// may happen. A plan is plain data; the controller carries it out, `sluice plan` prints it.

/** One whole in shares: the shares of a split sum to this. */
export const wholePpm = 1_000_000

/** A target of a route: a virtual node's listener. */
export type Target = { readonly virtualNode: ResourceId; readonly port: number }

/** Who gets which part of a route's traffic, in parts per million. Sorted by virtual node and port; sums to wholePpm. */
export type Split = readonly SplitTarget[]
export type SplitTarget = Target & { readonly sharePpm: number }

export type Plan = {
	/** Hashes of the two meshes. */
	readonly applied: string
	readonly desired: string
	/** In the order in which they may happen: prepare, replace, shift, remove. */
	readonly changes: readonly Change[]
}

export type Change = Prepare | Replace | Shift | Remove

/** Nothing live can reach it yet, or it changes nothing that a proxy does: at once. */
export type Prepare = {
	readonly kind: 'prepare'
	readonly resource: ResourceId
	readonly action: 'add' | 'change' | 'remove'
	/** Why no proxy does anything else, where one might think it did; else null. */
	readonly reason: string | null
}

/** Changes how live traffic is treated, other than by shares. */
export type Replace = {
	readonly kind: 'replace'
	readonly resource: ResourceId
	readonly action: 'add' | 'change' | 'remove'
	/**
	 * `confirmed`: it changes what both ends of a connection must agree on, so it follows an earlier change only when no
	 * expected proxy may still hold what was before that and would not get along with it · `atOnce`: it waits for nobody.
	 */
	readonly when: 'atOnce' | 'confirmed'
	/** What changes for traffic, in words. */
	readonly reason: string
}

/** The shares of a live route change. */
export type Shift = {
	readonly kind: 'shift'
	readonly route: ResourceId
	readonly before: Split
	readonly after: Split
	/** Targets whose share rises, each judged alone. */
	readonly rising: readonly Target[]
	/** Targets whose share falls: together the baseline. */
	readonly falling: readonly Target[]
	/** What its weights share out: those of a TCP route hold for new connections alone. */
	readonly unit: 'requests' | 'connections'
	/** Progress, in shares of the rising targets, that the rollout will take. */
	readonly policy: RolloutPolicySpec
	/** Same key, same content: what was rolled back is not tried again until it changes. */
	readonly quarantineKey: string
}

/** Shifts that are one rollout: of routes of one virtual router, towards the same rising targets (rules, motion 3). */
export type ShiftGroup = {
	/** One or several, by route. */
	readonly shifts: readonly [Shift, ...Shift[]]
	/** Of each of them. */
	readonly rising: readonly Target[]
	/** Of any of them. None of these rises in another. */
	readonly falling: readonly Target[]
	readonly policy: RolloutPolicySpec
	/** Routes that would belong to it, and for want of room are rollouts besides. */
	readonly overflow: number
}

/** Nothing can reach it any more: last, after the bake, when every expected proxy has let go of it. */
export type Remove = { readonly kind: 'remove'; readonly resource: ResourceId }
