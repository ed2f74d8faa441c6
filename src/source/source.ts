import type { Diagnostic } from '#base/diagnostic.ts'
import type { Revision, RevisionInfo } from './revision.ts'

// What a source tells the controller, and what the controller may ask of it. Every look ends in exactly one event,
// which says all of where the source stands: a refusal is told again by each look for as long as it holds.

export type SourceEvent =
	/** New content, whole, within the limits. What comes after is compared with it. */
	| { readonly kind: 'revision'; readonly revision: Revision }
	/** The source was reached and stands at `id`, the last revision handed on (or accepted before this start). */
	| { readonly kind: 'unchanged'; readonly id: string }
	/**
	 * The source was reached, and what it holds is not taken; the last revision stays. `revision` is null where there
	 * is none to name. With `acceptable` a person may take it all the same, by `Source.accept(revision.id)`.
	 */
	| {
			readonly kind: 'refused'
			readonly revision: RevisionInfo | null
			readonly diagnostics: readonly Diagnostic[]
			readonly acceptable: boolean
	  }
	/** The source could not be read; it is tried again by itself. `message` holds no secret. */
	| { readonly kind: 'unreachable'; readonly code: 'SL0001'; readonly message: string; readonly retryInMs: number }

export type Source = {
	/** Looks once now, then by itself for as long as it is open. */
	start(): void
	/** Looks now. Settles when a look that began after the call has told its event. */
	poll(): Promise<void>
	/** A person takes the refused revision `id`: looks again, and lets that id pass what is `acceptable`. */
	accept(id: string): Promise<void>
	/** Stops what is under way. No event comes after it has settled. */
	close(): Promise<void>
}
