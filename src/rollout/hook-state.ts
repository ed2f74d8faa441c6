/** What a hook says. Only `rollBack`, said in so many words, takes a rollout back. */
export type HookAnswer =
	| { readonly kind: 'allow' }
	/** `failed`: no answer that could be used. */
	| { readonly kind: 'hold' | 'rollBack' | 'failed'; readonly reason: string }

/**
 * What a hook has said of the step in force, or of the end. Absent: it has not been asked.
 * `asked`: for so long, and there is no answer yet · `closed`: it does not allow it, or nobody has heard it.
 */
export type HookState =
	| { readonly kind: 'asked'; readonly forMs: number }
	| { readonly kind: 'allowed' }
	| { readonly kind: 'closed'; readonly text: string }
