import type { Result } from '#base/result.ts'

// The port of the store: the controller's state, the append-only journal, and content by hash (meshes, origins).
// One conformance suite holds for every store: test/conformance/store.ts.

/** A decision, as it is kept for ever. Written in the same transaction as the state that it led to. */
export type JournalRecord = {
	/** Counts from 1 without a gap. */
	readonly sequence: number
	readonly entry: JournalEntry
	/** SHA-256 over the previous record's hash and this entry's canonical JSON: a chain that shows tampering. */
	readonly hash: string
}

export type JournalEntry = {
	/** Wall clock, for people. */
	readonly wallMs: number
	/** In dotted lower case: `rollout.advanced`, `revision.refused`. */
	readonly event: string
	/** The rollout it is about, or null. */
	readonly rollout: string | null
	/** `sluice`, or the person who asked. */
	readonly actor: string
	/** Why, in a sentence for people. */
	readonly reason: string
	/** The numbers behind it: plain JSON. */
	readonly numbers: Readonly<Record<string, unknown>>
}

/** A judged look as JSON. No part of the journal's chain: it is evidence and no decision, and is not kept for ever. */
export type StoredLook = { readonly rollout: string; readonly body: string }

/** Sequences count from 1 within a rollout. */
export type LookRecord = { readonly sequence: number; readonly body: string }

export type StoreTransaction = {
	/** The writer's epoch: a store refuses a transaction of an older one. */
	readonly epoch: number
	/** The whole state, serialised. Replaces the last one. */
	readonly state: string
	readonly journal: readonly JournalEntry[]
	/** Looks that were judged: kept beside the journal, of each rollout the first `limits.looksKept`. */
	readonly looks: readonly StoredLook[]
	/** Rollouts of which no look is kept any more. */
	readonly dropLooks: readonly string[]
	/** Content that the state refers to by SHA-256. Writing one that is there already is no error. */
	readonly blobs: ReadonlyMap<string, Uint8Array>
	/** Hashes of content that nothing refers to any more. */
	readonly dropBlobs: readonly string[]
}

/**
 * `full`: no space; what is stored is unchanged and readable, trying again later is right. `io`: likewise.
 * `fenced`: a newer epoch writes; this process must not write again.
 */
export type StoreFailure = { readonly code: 'full' | 'io' | 'fenced'; readonly message: string }

/**
 * Why a store cannot be opened. All but `locked` and `full` are stalled until a person acts; `message` says how.
 * `locked`: another process has it open. `newer`: a newer Sluice wrote it. `corrupt`: damaged, or not Sluice's.
 */
export type StoreOpenFailure = {
	readonly code: 'locked' | 'newer' | 'corrupt' | 'full' | 'io'
	readonly message: string
}

export type Store = {
	/** The state of the last transaction that was taken in, or null in an empty store. */
	loadState(): Promise<string | null>
	/** All or nothing, and durable when it answers ok. */
	commit(transaction: StoreTransaction): Promise<Result<null, StoreFailure>>
	/** Bytes by their SHA-256, or null. Content that does not match its hash is an AssertionError. */
	readBlob(hash: string): Promise<Uint8Array | null>
	/** Records with a sequence above `after`, oldest first, at most `limit`. */
	readJournal(after: number, limit: number): Promise<readonly JournalRecord[]>
	/** Looks of a rollout with a sequence above `after`, oldest first, at most `limit`. */
	readLooks(rollout: string, after: number, limit: number): Promise<readonly LookRecord[]>
	/** A new writer's epoch: above every epoch given before. */
	nextEpoch(): Promise<Result<number, StoreFailure>>
	close(): Promise<void>
}
