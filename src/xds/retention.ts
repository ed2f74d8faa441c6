import type { TypeUrl } from '#compile/compiled.ts'

// What proxies of one group are to keep although something else is published (rules: motion 7 and 14).

export type Retention = {
	/** These proxies keep what they hold of a resource; an empty set ends that. False when nothing changed. */
	pin(typeUrl: TypeUrl, name: string, proxyKeys: ReadonlySet<string>): boolean
	/** Proxies that hold this version of a resource keep it; null ends that. False when nothing changed. */
	keep(typeUrl: TypeUrl, name: string, version: string | null): boolean
	/** Whether this proxy, which holds `version` of the resource, keeps it. */
	retains(proxyKey: string, typeUrl: TypeUrl, name: string, version: string): boolean
	isEmpty(): boolean
}

export function createRetention(): Retention {
	const pins = new Map<string, ReadonlySet<string>>()
	const keeps = new Map<string, string>()
	return {
		pin(typeUrl, name, proxyKeys) {
			const key = keyOf(typeUrl, name)
			if (proxyKeys.size === 0) return pins.delete(key)
			const before = pins.get(key)
			pins.set(key, new Set(proxyKeys))
			return (
				before === undefined || before.size !== proxyKeys.size || ![...proxyKeys].every((proxy) => before.has(proxy))
			)
		},
		keep(typeUrl, name, version) {
			const key = keyOf(typeUrl, name)
			if (version === null) return keeps.delete(key)
			const before = keeps.get(key)
			keeps.set(key, version)
			return before !== version
		},
		retains(proxyKey, typeUrl, name, version) {
			const key = keyOf(typeUrl, name)
			return keeps.get(key) === version || pins.get(key)?.has(proxyKey) === true
		},
		isEmpty: () => pins.size === 0 && keeps.size === 0,
	}
}

function keyOf(typeUrl: TypeUrl, name: string): string {
	return `${typeUrl}\n${name}`
}
