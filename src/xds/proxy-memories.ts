import { limits } from '#base/limits.ts'
import { charsOfNames } from './holding.ts'
import { sendOrder } from './order.ts'
import type { ProxyMemory } from './stream-port.ts'

/** What proxies that left held and refused, the newest ones. Each is given out once: to the stream that goes on. */
export type ProxyMemories = {
	keep(proxyKey: string, memory: RememberedProxy): void
	take(proxyKey: string): RememberedProxy | null
}

export type RememberedProxy = ProxyMemory & { readonly groupKey: string }

export function createProxyMemories(): ProxyMemories {
	const memories = new Map<string, { readonly memory: RememberedProxy; readonly chars: number }>()
	let chars = 0

	function forget(proxyKey: string): void {
		chars -= memories.get(proxyKey)?.chars ?? 0
		memories.delete(proxyKey)
	}

	return {
		keep(proxyKey, memory) {
			forget(proxyKey)
			const own = charsOf(memory)
			memories.set(proxyKey, { memory, chars: own })
			chars += own
			for (const oldest of memories.keys()) {
				if (memories.size <= limits.xdsProxiesRemembered && chars <= limits.xdsRememberedChars) break
				forget(oldest)
			}
		},
		take(proxyKey) {
			const memory = memories.get(proxyKey)?.memory ?? null
			forget(proxyKey)
			return memory
		},
	}
}

/** Of what a proxy chose itself: it may be MB, and a peer may be any number of proxies, one after the other. */
function charsOf({ refusals, channels }: ProxyMemory): number {
	let chars = 0
	for (const { name, text } of refusals.list()) chars += name.length + text.length
	for (const typeUrl of sendOrder) {
		const { held, offered } = channels[typeUrl]
		chars += charsOfNames(held) + (offered === null ? 0 : charsOfNames(offered.held))
	}
	return chars
}
