import type { Acked } from './fleet-view.ts'
import { certainResources, unseenNames } from './holding.ts'
import { sendOrder } from './order.ts'
import type { ProxyMemory } from './stream-port.ts'

/** All that a proxy has ACKed, by what its channels remember. */
export function ackedOf(channels: ProxyMemory['channels']): Acked {
	const names = sendOrder.map((typeUrl) => ({ typeUrl, names: unseenNames(channels[typeUrl].held) }))
	return {
		resources: sendOrder.flatMap((typeUrl) => certainResources(channels[typeUrl].held)),
		unseen: names.flatMap((unseen) => unseen.names.map((name) => ({ typeUrl: unseen.typeUrl, name }))),
	}
}
