import type { Identity } from './identity.ts'
import type { Names, Variant } from './load-stream.ts'

// What the bench and its load client say to each other.

export type LoadCommand =
	| {
			readonly kind: 'open'
			readonly port: number
			readonly variant: Variant
			readonly count: number
			readonly names: Readonly<Record<Identity, Names>>
	  }
	/** From now on the first route configuration that a proxy is sent is its arrival. */
	| { readonly kind: 'arm' }

export type LoadReply =
	| { readonly kind: 'opened'; readonly bytes: number }
	| { readonly kind: 'armed' }
	| { readonly kind: 'arrived'; readonly arrivals: Arrivals }
	| { readonly kind: 'failed'; readonly why: string }

/** Times are wall time in ms, as all processes of this machine have it. */
export type Arrivals = { readonly firstMs: number; readonly lastMs: number; readonly bytes: number }
