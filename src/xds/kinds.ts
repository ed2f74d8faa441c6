import { limits } from '#base/limits.ts'
import { identityPath } from '#compile/compiled.ts'
import type { Proxy } from './fleet-view.ts'

// Each kind of proxy is compiled for, and served, by itself, and a proxy may say anything of its ports, its addresses and
// its version. So it is counted how many kinds there are, of all and of each identity.

export type Kinds = {
	/** There are too many kinds for one like this proxy's to come, in words; null: there is room, or it is there already. */
	whatIsTooMuch(proxy: Proxy): string | null
	/** Counts the proxy's kind, if it is not. */
	add(proxy: Proxy): void
	delete(groupKey: string): void
}

export function createKinds(): Kinds {
	/** Group key → what it is counted under. */
	const owners = new Map<string, string>()
	const counts = new Map<string, number>()

	function count(owner: string, by: 1 | -1): void {
		const next = (counts.get(owner) ?? 0) + by
		if (next === 0) counts.delete(owner)
		else counts.set(owner, next)
	}

	return {
		whatIsTooMuch(proxy) {
			const isFull = (number: number, most: number, whose: string) =>
				number < most ? null : `there are ${most} kinds of ${whose} already, and none is like this one`
			if (owners.has(proxy.groupKey)) return null
			return (
				isFull(owners.size, limits.xdsGroups, 'proxies') ??
				isFull(counts.get(ownerOf(proxy)) ?? 0, limits.xdsGroupsPerIdentity, 'proxies of this identity')
			)
		},
		add(proxy) {
			if (owners.has(proxy.groupKey)) return
			owners.set(proxy.groupKey, ownerOf(proxy))
			count(ownerOf(proxy), 1)
		},
		delete(groupKey) {
			const owner = owners.get(groupKey)
			if (owner === undefined) return
			owners.delete(groupKey)
			count(owner, -1)
		},
	}
}

/** Those of the two cohorts are counted apart: a wave takes nobody's place. */
function ownerOf({ group: { identity, cohort } }: Proxy): string {
	return `${cohort} ${identityPath(identity)}`
}
