import type { Clusters } from '../telemetry/played-flush.ts'
import type { Credentials } from './credentials.ts'
import type { Identity } from './identity.ts'
import type { Held, Variant } from './load-stream.ts'

// What the bench and its load client say to each other.

export type LoadCommand =
	| {
			readonly kind: 'open'
			readonly port: number
			readonly variant: Variant
			readonly count: number
			readonly held: Readonly<Record<Identity, Held>>
			/** Of what each proxy pushes counters when it is told to; null: it pushes none. */
			readonly reported: Clusters | null
			/** Null: nothing is encrypted. */
			readonly credentials: Credentials | null
	  }
	/** From now on the first route configuration that a proxy is sent is its arrival. */
	| { readonly kind: 'arm' }
	/** All connections are closed, and opened again at once, by proxies that hold all that they were served at first. */
	| { readonly kind: 'reconnect' }
	| { readonly kind: 'count' }
	/** Each proxy pushes what it has counted. */
	| { readonly kind: 'flush' }

export type LoadReply =
	| { readonly kind: 'opened'; readonly bytes: number }
	| { readonly kind: 'armed' }
	| { readonly kind: 'arrived'; readonly arrivals: Arrivals }
	/** How much all proxies were sent since they came, or came again. */
	| { readonly kind: 'counted'; readonly bytes: number }
	| ({ readonly kind: 'flushed' } & Reported)
	| { readonly kind: 'failed'; readonly why: string }

/** What all proxies together have told of what they counted. */
export type Reported = {
	/** Of the stable cluster, since their first flushes. */
	readonly requests: number
	/** Messages on the streams for it: each proxy's first says who it is. */
	readonly messages: number
}

/** Times are wall time in ms, as all processes of this machine have it. */
export type Arrivals = { readonly firstMs: number; readonly lastMs: number; readonly bytes: number }
