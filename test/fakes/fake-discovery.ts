import type { DiscoveryPort } from '#controller/ports.ts'
import {
	type CloudMapQuery,
	cloudMapKey,
	type Discovered,
	type Endpoint,
	type SecretMaterial,
	type Wanted,
} from '#discovery/discovered.ts'

/** A discovery that finds what a test puts there, at once. It tells of a change as soon as that is wanted. */
export type FakeDiscovery = DiscoveryPort & {
	putEndpoints(query: CloudMapQuery, endpoints: readonly Endpoint[]): void
	putSecret(name: string, material: SecretMaterial): void
	readonly wanted: Wanted
}

export function createFakeDiscovery(changed: () => void): FakeDiscovery {
	const endpoints = new Map<string, readonly Endpoint[]>()
	const secrets = new Map<string, SecretMaterial>()
	let wanted: Wanted = { queries: [], secrets: [] }
	let known = selectWanted()

	function selectWanted(): Discovered {
		const keys = new Set(wanted.queries.map(cloudMapKey))
		const names = new Set(wanted.secrets)
		return {
			endpoints: new Map([...endpoints].filter(([key]) => keys.has(key))),
			secrets: new Map([...secrets].filter(([name]) => names.has(name))),
		}
	}

	function look(): void {
		const found = selectWanted()
		const contentOf = (of: Discovered) => JSON.stringify([[...of.endpoints], [...of.secrets]])
		if (contentOf(found) === contentOf(known)) return
		known = found
		changed()
	}

	return {
		get wanted() {
			return wanted
		},
		current: () => known,
		follow(next) {
			wanted = next
			look()
		},
		troubles: () => [],
		putEndpoints(query, found) {
			endpoints.set(cloudMapKey(query), found)
			look()
		},
		putSecret(name, material) {
			secrets.set(name, material)
			look()
		},
	}
}
