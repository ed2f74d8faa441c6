// What a rollout is told of the fleet.

/** What the fleet holds, as far as it concerns one rollout. Taken after the last publication, so never older than it. */
export type FleetFacts = {
	/** Proxies that send to the route: connected, and expected (rules, serving 7). */
	readonly connected: number
	readonly expected: number
	/** Of the connected ones, those that have ACKed the shares in force and all clusters that they need. */
	readonly current: number
	/** At most 20, by name. */
	readonly pending: readonly string[]
	readonly rejected: readonly { readonly proxy: string; readonly text: string; readonly place: string }[]
	readonly rejectedProxies: number
	/** 0 … 1: of the proxy group that refused most of it. */
	readonly rejectedShare: number
	/**
	 * Canaries that are not ready at a proxy, and targets with a share that would not be when the route is led to other
	 * clusters: its own, or the shared ones again. At most 20.
	 */
	readonly notReady: readonly {
		readonly proxy: string
		readonly target: string
		readonly host: string
		/** `noHost`: the proxy counts, and tells of no host · `silent`: it says nothing any more · `unwatched`: it never did. */
		readonly why: 'noHost' | 'silent' | 'unwatched'
	}[]
	/**
	 * Routes and virtual services whose requests are counted with the rollout's; before the first step also those that are
	 * to come. None where it has clusters of its own. At most 20, by name.
	 */
	readonly sharedWith: readonly string[]
	/** Why it cannot have clusters of its own; null: it can. */
	readonly cloneProblem: string | null
	/** Proxies where nothing of `good` has a healthy host, on the way back or in a shared incident: they are not moved. */
	readonly stranded: readonly string[]
	/** Proxies that are expected but gone, with the version they last held. */
	readonly gone: readonly { readonly proxy: string; readonly version: string }[]
	/** Proxies that a person has excluded: in none of the numbers above, with the version they last held. */
	readonly excluded: readonly { readonly proxy: string; readonly version: string }[]
	/** Of waves: the proxy that is to be the first, where none is or the one that was has gone for good. */
	readonly firstCandidate?: string | null
	/**
	 * Of a TCP route that goes back: the connections that canaries have still, and the proxies that do not tell. A way back
	 * rules new connections; open ones end by themselves, or when the proxy has drained. Else null.
	 */
	readonly openToCanaries: OpenConnections | null
	/** A connected proxy was found at the last good shares though the step in force had been confirmed. */
	readonly foundBack: boolean
	/** The daemon has just started, and proxies may still come back: that nobody is missing says nothing yet. */
	readonly returning: boolean
}

export type OpenConnections = { readonly open: number; readonly untold: number }
