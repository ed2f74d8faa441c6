import type { ServiceDiscovery } from '#mesh/proxy-spec.ts'

// The contract of discovery/: what is served but never in Git. It goes straight to compile/, beside the mesh in force,
// and never waits for a plan.

export type Discovered = {
	/** By `cloudMapKey`. What was never answered is absent: absent is not empty. */
	readonly endpoints: ReadonlyMap<string, readonly Endpoint[]>
	/** By name. What was never read is absent. */
	readonly secrets: ReadonlyMap<string, SecretMaterial>
}

/** An instance that is registered, at the addresses it has: which of them is used is for the mesh to say. */
export type Endpoint = {
	readonly ipv4: string | null
	readonly ipv6: string | null
	/** Availability zone, or ''. */
	readonly zone: string
}

/** PEM texts. Never to be logged, stored or shown; `hash` may be. */
export type SecretMaterial = {
	/** SHA-256 of all of it. */
	readonly hash: string
	readonly certificate: { readonly chain: string; readonly privateKey: string } | null
	/** Certificates of authorities, for `trust`. */
	readonly authorities: string | null
}

/** What the mesh in force names, and is to be looked for. */
export type Wanted = {
	readonly queries: readonly CloudMapQuery[]
	/** Names of secrets that the daemon is to serve. */
	readonly secrets: readonly string[]
}

/**
 * Something that keeps discovery from finding what is wanted. What was found last stays in force; where nothing was
 * found, what names it waits.
 */
export type Trouble = {
	/** From the table in `diagnostic-codes.ts`. */
	readonly code: string
	/** `Cloud Map shop.local/web`, `the secret web-cert`. */
	readonly subject: string
	/** Half a sentence that goes on after the subject. Never holds a key or a credential. */
	readonly message: string
	readonly sinceWallMs: number
}

export const nothingDiscovered: Discovered = { endpoints: new Map(), secrets: new Map() }

export type CloudMapQuery = Extract<ServiceDiscovery, { kind: 'awsCloudMap' }>

/** Names a query: equal ones are asked once, whatever nodes they are written on. */
export function cloudMapKey({ namespaceName, serviceName, attributes }: CloudMapQuery): string {
	return JSON.stringify([namespaceName, serviceName, ...attributes.map(({ key, value }) => [key, value])])
}
