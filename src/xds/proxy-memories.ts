import { limits } from '#base/limits.ts'
import type { ProxyMemory } from './stream-port.ts'

/** What proxies that left held and refused, the newest ones. Each is given out once: to the stream that goes on. */
export type ProxyMemories = {
	keep(proxyKey: string, memory: RememberedProxy): void
	take(proxyKey: string): RememberedProxy | null
}

export type RememberedProxy = ProxyMemory & { readonly groupKey: string }

export function createProxyMemories(): ProxyMemories {
	const memories = new Map<string, RememberedProxy>()
	return {
		keep(proxyKey, memory) {
			memories.set(proxyKey, memory)
			for (const oldest of memories.keys()) {
				if (memories.size <= limits.xdsProxiesRemembered) break
				memories.delete(oldest)
			}
		},
		take(proxyKey) {
			const memory = memories.get(proxyKey) ?? null
			memories.delete(proxyKey)
			return memory
		},
	}
}
