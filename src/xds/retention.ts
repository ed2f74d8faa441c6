import type { TypeUrl } from '#compile/compiled.ts'
import type { Seat } from './group.ts'
import type { Retained } from './stream-port.ts'

// What proxies of one group are to keep although something else is published (rules: motion 7 and 14).

export type Retention = {
	/** These proxies keep what they hold of a resource; an empty set ends that. False when nothing changed. */
	pin(typeUrl: TypeUrl, name: string, proxyKeys: ReadonlySet<string>): boolean
	/** Proxies that hold one of these versions of a resource keep it; an empty set ends that. False when nothing changed. */
	keep(typeUrl: TypeUrl, name: string, versions: ReadonlySet<string>): boolean
	/** Whether this proxy, which holds `version` of the resource, keeps it. */
	retains(proxyKey: string, typeUrl: TypeUrl, name: string, version: string): boolean
	isEmpty(): boolean
}

export function createRetention(): Retention {
	const pins = new Map<string, ReadonlySet<string>>()
	const keeps = new Map<string, ReadonlySet<string>>()
	return {
		pin(typeUrl, name, proxyKeys) {
			return replaceSet(pins, keyOf(typeUrl, name), proxyKeys)
		},
		keep(typeUrl, name, versions) {
			return replaceSet(keeps, keyOf(typeUrl, name), versions)
		},
		retains(proxyKey, typeUrl, name, version) {
			// As nearly always, and asked for each resource of each push.
			if (pins.size === 0 && keeps.size === 0) return false
			const key = keyOf(typeUrl, name)
			return keeps.get(key)?.has(version) === true || pins.get(key)?.has(proxyKey) === true
		},
		isEmpty: () => pins.size === 0 && keeps.size === 0,
	}
}

/** What the proxy of this seat is to keep: of the group that it is in at the time. */
export function retainedAt(seat: Seat): Retained {
	const retention = () => seat.member?.group?.retention
	return {
		isNothing: () => retention()?.isEmpty() ?? true,
		has: (typeUrl, name, version) =>
			seat.member !== null && (retention()?.retains(seat.member.proxy.key, typeUrl, name, version) ?? false),
	}
}

export const nothingRetained: Retained = { isNothing: () => true, has: () => false }

/** False when nothing changed. */
function replaceSet(sets: Map<string, ReadonlySet<string>>, key: string, next: ReadonlySet<string>): boolean {
	if (next.size === 0) return sets.delete(key)
	const before = sets.get(key)
	sets.set(key, new Set(next))
	return before === undefined || before.size !== next.size || ![...next].every((member) => before.has(member))
}

function keyOf(typeUrl: TypeUrl, name: string): string {
	return `${typeUrl}\n${name}`
}
