import { compareText } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import type { ProxyGroup, TypeUrl } from '#compile/compiled.ts'
import type { Snapshot, TypeSnapshot } from '#snapshot/snapshot.ts'
import type { GroupView, Proxy, Rejection, TypeView } from './fleet-view.ts'
import { perType, sendOrder } from './order.ts'
import { createRetention, type Retention } from './retention.ts'
import type { TypeState } from './standing.ts'
import type { XdsStream } from './stream.ts'

// The proxies of one group, counted as they change: to read the view costs nothing per proxy.

/** A connected proxy. */
export type Member = {
	readonly proxy: Proxy
	/** More than one while an old connection is not yet known to be dead. The newest is last and speaks for it. */
	readonly streams: XdsStream[]
	states: Readonly<Record<TypeUrl, TypeState>>
	/** The last snapshot that it held all of, or ''. */
	version: string
}

export type Group = {
	readonly key: string
	readonly snapshot: Snapshot | null
	/** Proxy key → proxy. */
	readonly members: ReadonlyMap<string, Member>
	readonly retention: Retention
	add(member: Member): void
	/** `expected`: it is to come back, and counts as expected until `xdsGoneMs` have passed. */
	remove(member: Member, then: 'expected' | 'forgotten', nowMs: number): void
	/** It came back, perhaps in another group. */
	forgetGone(proxyKey: string): void
	/** How many were given up, and when the next one will be; null when nobody is missing. */
	expireGone(nowMs: number): { readonly expired: number; readonly nextMs: number | null }
	/** All members are behind in the types that changed. */
	publish(snapshot: Snapshot | null): void
	/** Reads where the member's streams stand. */
	recount(member: Member): void
	/** Null until a proxy of the group has been seen. */
	view(): GroupView | null
	/** Nobody is here, missed, or served. */
	isEmpty(): boolean
}

export function createGroup(key: string): Group {
	const members = new Map<string, Member>()
	const gone = new Map<string, { readonly version: string; readonly sinceMs: number }>()
	const retention = createRetention()
	const counts = perType(() => ({ current: 0, pending: 0, rejected: 0 }))
	const pending = new Set<string>()
	const rejections = new Map<string, readonly Rejection[]>()
	let proxyGroup: ProxyGroup | null = null
	let snapshot: Snapshot | null = null
	let joined = 0

	function count(member: Member, by: 1 | -1): void {
		for (const typeUrl of sendOrder) counts[typeUrl][member.states[typeUrl]] += by
	}

	function change(member: Member, states: Record<TypeUrl, TypeState>): void {
		count(member, -1)
		member.states = states
		count(member, 1)
		const { key: proxyKey } = member.proxy
		if (hasState(states, 'pending')) pending.add(proxyKey)
		else pending.delete(proxyKey)
		if (hasState(states, 'rejected')) rejections.set(proxyKey, rejectionsOf(member))
		else rejections.delete(proxyKey)
	}

	return {
		key,
		members,
		retention,
		get snapshot() {
			return snapshot
		},
		add(member) {
			proxyGroup = member.proxy.group
			members.set(member.proxy.key, member)
			gone.delete(member.proxy.key)
			if (member.proxy.instance !== null) joined += 1
			count(member, 1)
			change(member, member.states)
		},
		remove(member, then, nowMs) {
			const { key: proxyKey, instance } = member.proxy
			members.delete(proxyKey)
			count(member, -1)
			pending.delete(proxyKey)
			rejections.delete(proxyKey)
			if (instance === null) return
			joined -= 1
			if (then === 'expected') gone.set(proxyKey, { version: member.version, sinceMs: nowMs })
		},
		forgetGone: (proxyKey) => gone.delete(proxyKey),
		expireGone(nowMs) {
			// In the order in which they left: that is the order of a Map.
			let expired = 0
			for (const [proxyKey, { sinceMs }] of gone) {
				if (sinceMs + limits.xdsGoneMs > nowMs) return { expired, nextMs: sinceMs + limits.xdsGoneMs }
				gone.delete(proxyKey)
				expired += 1
			}
			return { expired, nextMs: null }
		},
		publish(next) {
			const before = snapshot
			snapshot = next === null || before === null ? next : keepEqualTypes(before, next)
			for (const member of members.values()) change(member, afterPublish(member.states, before, snapshot))
		},
		recount(member) {
			const states = perType((typeUrl) => worst(member.streams.map((stream) => stream.state(typeUrl))))
			change(member, states)
			if (snapshot !== null && !hasState(states, 'pending') && !hasState(states, 'rejected')) {
				member.version = snapshot.version
			}
		},
		view() {
			if (proxyGroup === null) return null
			return {
				group: proxyGroup,
				connected: members.size,
				expected: joined + gone.size,
				version: snapshot?.version ?? '',
				types: perType((typeUrl): TypeView => ({ ...counts[typeUrl] })),
				pending: firstFew(pending).sort(compareText),
				gone: firstFew(gone)
					.map(([proxy, { version }]) => ({ proxy, version }))
					.sort((left, right) => compareText(left.proxy, right.proxy)),
				rejections: firstFew(rejections)
					.flatMap(([, found]) => found)
					.sort(compareRejections)
					.slice(0, limits.namedProxies),
			}
		},
		isEmpty: () => members.size === 0 && gone.size === 0 && snapshot === null && retention.isEmpty(),
	}
}

/** A type that did not change keeps its object, so that what was worked out for it holds on. */
function keepEqualTypes(before: Snapshot, next: Snapshot): Snapshot {
	const types = perType((typeUrl) => {
		const [old, present] = [before.types[typeUrl], next.types[typeUrl]]
		return old.version === present.version && namesTheSame(old, present) ? old : present
	})
	return { version: next.version, types }
}

/** The same bytes may be said to need other resources than before. */
function namesTheSame(old: TypeSnapshot, present: TypeSnapshot): boolean {
	return [...present.resources].every(([name, { references }]) => {
		const before = old.resources.get(name)?.references
		if (before === undefined || before === references) return before === references
		return referredTypes.every((type) => isSameList(before[type], references[type]))
	})
}

const referredTypes = ['clusters', 'routes', 'endpoints', 'secrets'] as const

function isSameList(left: readonly string[], right: readonly string[]): boolean {
	return left.length === right.length && left.every((name, index) => name === right[index])
}

function afterPublish(
	states: Readonly<Record<TypeUrl, TypeState>>,
	before: Snapshot | null,
	next: Snapshot | null,
): Record<TypeUrl, TypeState> {
	return perType((typeUrl) => {
		const isSame = before !== null && before.types[typeUrl] === next?.types[typeUrl]
		return isSame ? states[typeUrl] : 'pending'
	})
}

/** No stream, no proof. */
function worst(states: readonly TypeState[]): TypeState {
	if (states.includes('rejected')) return 'rejected'
	return states.length === 0 || states.includes('pending') ? 'pending' : 'current'
}

function hasState(states: Readonly<Record<TypeUrl, TypeState>>, state: TypeState): boolean {
	return sendOrder.some((typeUrl) => states[typeUrl] === state)
}

function rejectionsOf(member: Member): Rejection[] {
	const found = member.streams.flatMap((stream) => stream.rejections())
	return found.slice(0, limits.namedProxies).map((rejection) => ({ ...rejection, proxy: member.proxy.key }))
}

function compareRejections(left: Rejection, right: Rejection): number {
	return (
		compareText(left.proxy, right.proxy) ||
		compareText(left.typeUrl, right.typeUrl) ||
		compareText(left.name, right.name)
	)
}

function firstFew<Item>(items: Iterable<Item>): Item[] {
	const few: Item[] = []
	for (const item of items) {
		if (few.length >= limits.namedProxies) break
		few.push(item)
	}
	return few
}
