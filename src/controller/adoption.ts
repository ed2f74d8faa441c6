import type { Clock } from '#base/clock.ts'
import { forgetOldest } from '#base/forget-oldest.ts'
import { limits } from '#base/limits.ts'
import type { Proxy, Reported } from '#xds/fleet-view.ts'
import type { FleetPort } from './ports.ts'

// An empty store beside a fleet that holds something already: nobody knows which step that was. Such proxies keep what
// they have until a person says that Git is what they should get (rules, motion 14). Once the store is not empty there
// is nothing to adopt, and everyone is greeted at once.

export type Adoption = {
	/** Greets the proxy's group, now or when it is known what its proxies hold. */
	arrived(proxy: Proxy): void
	/** Something is in force for the first time. */
	applied(): void
	/** A person has said so: everyone is greeted. */
	release(): void
}

export type AdoptionOptions = {
	readonly clock: Clock
	readonly fleet: FleetPort
	/** `unproven`: the store was empty, or a person was asked and has not answered yet. */
	readonly store: 'proven' | 'unproven'
	/** True when a reported resource is what would be served, or was served before. Null: nothing is in force yet. */
	readonly isOurs: (proxy: Proxy, reported: Reported) => boolean | null
	readonly greet: (proxy: Proxy) => void
	/** Proxies that hold something else. */
	readonly ask: (proxyKeys: readonly string[]) => void
}

export function createAdoption(options: AdoptionOptions): Adoption {
	const { clock, fleet, isOurs, ask } = options
	const decideMs = clock.monotonicMs() + limits.adoptionWindowMs
	/** Group key → one of its proxies, for groups that are not served yet. */
	const undecided = new Map<string, Proxy>()
	const held = new Map<string, Proxy>()
	/** Group keys, the newest: whoever comes again is not asked what they hold. */
	const greeted = new Set<string>()
	let proven = options.store === 'proven'

	function greet(proxy: Proxy): void {
		undecided.delete(proxy.groupKey)
		note(proxy.groupKey)
		options.greet(proxy)
	}

	function note(groupKey: string): void {
		greeted.delete(groupKey)
		greeted.add(groupKey)
		forgetOldest(greeted, limits.xdsGroups)
	}

	function decide(): void {
		if (proven) return
		const earlyMs = decideMs - clock.monotonicMs()
		// A system's timer may fire a moment before its time; nobody else would come back to it.
		if (earlyMs > 0) return void clock.setTimer(Math.ceil(earlyMs), decide)
		for (const [groupKey, proxy] of undecided) {
			const strangers = strangersOf(groupKey)
			if (strangers === null) continue
			if (strangers.length === 0) greet(proxy)
			else {
				undecided.delete(groupKey)
				held.set(groupKey, proxy)
				ask(strangers)
			}
		}
	}

	/** Proxies of a group that hold what was never served from here; null while nothing is in force to compare with. */
	function strangersOf(groupKey: string): string[] | null {
		const strangers: string[] = []
		for (const proxy of fleet.connected(groupKey)) {
			const ours = fleet.reported(proxy.key).map((reported) => isOurs(proxy, reported))
			if (ours.includes(null)) return null
			if (ours.includes(false)) strangers.push(proxy.key)
		}
		return strangers
	}

	return {
		arrived(proxy) {
			if (proven || greeted.has(proxy.groupKey)) return greet(proxy)
			if (held.has(proxy.groupKey)) return
			undecided.set(proxy.groupKey, proxy)
			// Its first requests, which say what it holds, come in the same breath as its arrival.
			clock.setTimer(Math.max(limits.adoptionGraceMs, decideMs - clock.monotonicMs()), decide)
		},
		applied: decide,
		release() {
			proven = true
			for (const proxy of [...undecided.values(), ...held.values()]) greet(proxy)
			held.clear()
		},
	}
}
