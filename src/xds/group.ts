import { compareText } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import type { ProxyGroup, TypeUrl } from '#compile/compiled.ts'
import type { Snapshot, TypeSnapshot } from '#snapshot/snapshot.ts'
import type { ExcludedProxy, GroupView, Proxy, Rejection, TypeView } from './fleet-view.ts'
import { perType, sendOrder } from './order.ts'
import { createRetention, type Retention } from './retention.ts'
import { stateTogether } from './separate-streams.ts'
import type { TypeState } from './standing.ts'
import { type TypeStates, typeStates } from './type-states.ts'
import type { XdsStream } from './xds-stream.ts'

// The proxies of one group, counted as they change: to read the view costs nothing per proxy.

/** A connected proxy. */
export type Member = {
	readonly proxy: Proxy
	/** More than one while an old connection is not yet known to be dead. The newest is last and speaks for it. */
	readonly streams: XdsStream[]
	states: TypeStates
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
	/** How many were given up, and when the next one will be, or the group is deserted; null where neither is to come. */
	expireGone(nowMs: number): { readonly expired: number; readonly nextMs: number | null }
	/** All members are behind in the types that changed. */
	publish(snapshot: Snapshot | null): void
	/** Reads where the member's streams stand. */
	recount(member: Member): void
	/** From now on these are served like others and counted nowhere. False when that changes nothing here. */
	exclude(proxyKeys: ReadonlySet<string>): boolean
	/** Null until a proxy of the group has been seen. */
	view(): GroupView | null
	/** Nobody is here, missed, or served. */
	isEmpty(): boolean
	/** Nobody has been here for `xdsGoneMs`, whichever way the last one left, and nobody is to keep anything. */
	isDeserted(nowMs: number): boolean
}

/** @param excludedAtFirst proxies, by key, that are served and not counted */
export function createGroup(key: string, excludedAtFirst: ReadonlySet<string>): Group {
	const members = new Map<string, Member>()
	const gone = new Map<string, { readonly version: string; readonly sinceMs: number }>()
	const retention = createRetention()
	const counts = perType(() => ({ current: 0, pending: 0, rejected: 0 }))
	const pending = new Set<string>()
	const rejections = new Map<string, readonly Rejection[]>()
	let proxyGroup: ProxyGroup | null = null
	let snapshot: Snapshot | null = null
	const excluded = new Set(excludedAtFirst)
	/** Connected ones that count, and of those the ones with an instance. */
	let connected = 0
	let joined = 0
	/** When the last one left; null while somebody is here, and before anybody was. */
	let leftMs: number | null = null

	function count(member: Member, by: 1 | -1): void {
		connected += by
		if (member.proxy.instance !== null) joined += by
		for (const typeUrl of sendOrder) counts[typeUrl][member.states[typeUrl]] += by
	}

	/** Takes the member out of all counts, lets it change, and counts it again if it still counts. */
	function recounted(member: Member, change: () => void): void {
		const { key: proxyKey } = member.proxy
		if (members.has(proxyKey) && !excluded.has(proxyKey)) count(member, -1)
		pending.delete(proxyKey)
		rejections.delete(proxyKey)
		change()
		if (!members.has(proxyKey) || excluded.has(proxyKey)) return
		count(member, 1)
		if (hasState(member.states, 'pending')) pending.add(proxyKey)
		if (hasState(member.states, 'rejected')) rejections.set(proxyKey, rejectionsOf(member))
	}

	/** As `recounted`, where nothing but where it stands changes: for each member at every push, and at every ACK. */
	function change(member: Member, states: TypeStates): void {
		const { states: before } = member
		const { key: proxyKey } = member.proxy
		member.states = states
		if (!members.has(proxyKey) || (excluded.size > 0 && excluded.has(proxyKey))) return
		for (const typeUrl of sendOrder) {
			if (before[typeUrl] === states[typeUrl]) continue
			counts[typeUrl][before[typeUrl]] -= 1
			counts[typeUrl][states[typeUrl]] += 1
		}
		const isPending = hasState(states, 'pending')
		if (isPending !== hasState(before, 'pending')) isPending ? pending.add(proxyKey) : pending.delete(proxyKey)
		if (hasState(states, 'rejected')) rejections.set(proxyKey, rejectionsOf(member))
		else if (hasState(before, 'rejected')) rejections.delete(proxyKey)
	}

	function standingOf(proxyKey: string): ExcludedProxy[] {
		const member = members.get(proxyKey)
		if (member !== undefined) return [{ proxy: proxyKey, standing: 'connected', version: member.version }]
		const missing = gone.get(proxyKey)
		return missing === undefined ? [] : [{ proxy: proxyKey, standing: 'gone', version: missing.version }]
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
			leftMs = null
			gone.delete(member.proxy.key)
			recounted(member, () => members.set(member.proxy.key, member))
		},
		remove(member, then, nowMs) {
			const { key: proxyKey, instance } = member.proxy
			recounted(member, () => members.delete(proxyKey))
			if (members.size === 0) leftMs = nowMs
			if (instance === null || then === 'forgotten') return
			gone.set(proxyKey, { version: member.version, sinceMs: nowMs })
			// Somebody who comes under ever new names.
			const [oldest] = gone.keys()
			if (gone.size > limits.xdsProxiesRemembered && oldest !== undefined) gone.delete(oldest)
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
			const desertedMs = leftMs === null ? null : leftMs + limits.xdsGoneMs
			return { expired, nextMs: desertedMs !== null && desertedMs > nowMs ? desertedMs : null }
		},
		publish(next) {
			const before = snapshot
			snapshot = next === null || before === null ? next : keepEqualTypes(before, next)
			const changed = sendOrder.filter(
				(typeUrl) => before === null || before.types[typeUrl] !== snapshot?.types[typeUrl],
			)
			for (const member of members.values()) change(member, withPending(member.states, changed))
		},
		recount(member) {
			const states = typeStates((typeUrl) => stateOf(member, typeUrl, snapshot))
			// What was refused may be other although the states are not.
			if (states !== member.states || hasState(states, 'rejected')) change(member, states)
			if (snapshot !== null && !hasState(states, 'pending') && !hasState(states, 'rejected')) {
				member.version = snapshot.version
			}
		},
		exclude(proxyKeys) {
			let changed = false
			for (const proxyKey of new Set([...excluded, ...proxyKeys])) {
				if (excluded.has(proxyKey) === proxyKeys.has(proxyKey)) continue
				const toggle = () => (proxyKeys.has(proxyKey) ? excluded.add(proxyKey) : excluded.delete(proxyKey))
				const member = members.get(proxyKey)
				if (member === undefined) toggle()
				else recounted(member, toggle)
				changed ||= member !== undefined || gone.has(proxyKey)
			}
			return changed
		},
		view() {
			if (proxyGroup === null) return null
			const missing = new Map([...gone].filter(([proxyKey]) => !excluded.has(proxyKey)))
			return {
				group: proxyGroup,
				connected,
				expected: joined + missing.size,
				version: snapshot?.version ?? '',
				types: perType((typeUrl): TypeView => ({ ...counts[typeUrl] })),
				pending: firstFew(pending).sort(compareText),
				gone: firstFew(missing)
					.map(([proxy, { version }]) => ({ proxy, version }))
					.sort((left, right) => compareText(left.proxy, right.proxy)),
				rejections: firstFew(rejections)
					.flatMap(([, found]) => found)
					.sort(compareRejections)
					.slice(0, limits.namedProxies),
				excluded: [...excluded].flatMap(standingOf).sort((left, right) => compareText(left.proxy, right.proxy)),
			}
		},
		isEmpty: () => members.size === 0 && gone.size === 0 && snapshot === null && retention.isEmpty(),
		isDeserted(nowMs) {
			const isLeft = leftMs === null || leftMs + limits.xdsGoneMs <= nowMs
			return members.size === 0 && gone.size === 0 && retention.isEmpty() && isLeft
		},
	}
}

/** A type that did not change keeps its object, so that what was worked out for it holds on. */
function keepEqualTypes(before: Snapshot, next: Snapshot): Snapshot {
	const types = perType((typeUrl) => {
		const [old, present] = [before.types[typeUrl], next.types[typeUrl]]
		return old === present || (old.version === present.version && namesTheSame(old, present)) ? old : present
	})
	return { version: next.version, types }
}

/** The same bytes may be said to need other resources than before. */
function namesTheSame(old: TypeSnapshot, present: TypeSnapshot): boolean {
	if (old.resources.size !== present.resources.size) return false
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

function withPending(states: TypeStates, changed: readonly TypeUrl[]): TypeStates {
	return typeStates((typeUrl) => (changed.includes(typeUrl) ? 'pending' : states[typeUrl]))
}

function stateOf({ streams }: Member, typeUrl: TypeUrl, snapshot: Snapshot | null): TypeState {
	const [only] = streams
	const isAlone = only !== undefined && streams.length === 1 && only.serves === 'all'
	return isAlone ? only.state(typeUrl) : stateTogether(streams, typeUrl, snapshot)
}

function hasState(states: TypeStates, state: TypeState): boolean {
	return sendOrder.some((typeUrl) => states[typeUrl] === state)
}

function rejectionsOf(member: Member): Rejection[] {
	const found = new Map<string, Omit<Rejection, 'proxy'>>()
	for (const rejection of member.streams.flatMap((stream) => stream.rejections())) {
		found.set(`${rejection.typeUrl}\n${rejection.name}`, rejection)
	}
	return [...found.values()]
		.slice(0, limits.namedProxies)
		.map((rejection) => ({ ...rejection, proxy: member.proxy.key }))
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
