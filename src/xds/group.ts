import { compareText } from '#base/diagnostic.ts'
import { forgetOldest } from '#base/forget-oldest.ts'
import { limits } from '#base/limits.ts'
import type { ProxyGroup, TypeUrl } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { keepEqualTypes } from './equal-types.ts'
import type { ExcludedProxy, GroupView, Proxy, Rejection } from './fleet-view.ts'
import { sendOrder } from './order.ts'
import { compareRejections, rejectionsOf } from './rejections.ts'
import { createRetention, type Retention } from './retention.ts'
import { stateTogether } from './separate-streams.ts'
import { createTally } from './tally.ts'
import { allPending, type TypeStates, typeStates, typeStatesCount, typeStatesOf } from './type-states.ts'
import type { XdsStream } from './xds-stream.ts'

// The proxies of one group, counted as they change: to read the view costs no more than a look at a byte of each.

/** A connected proxy. */
export type Member = {
	readonly proxy: Proxy
	/** More than one while an old connection is not yet known to be dead. The newest is last and speaks for it. */
	readonly seats: Seat[]
	/** The one that it is in; null: in none. */
	group: Group | null
	/** Where in its group. */
	place: number
	/** The last snapshot that it held all of, or ''. */
	version: string
}

/** One stream of a proxy. Its member is another one from the time when the proxy is in another cohort. */
export type Seat = {
	readonly stream: XdsStream
	/** Null: the stream has ended. */
	member: Member | null
}

export type Group = {
	readonly key: string
	readonly snapshot: Snapshot | null
	/** In no order. */
	readonly members: readonly Member[]
	readonly retention: Retention
	memberOf(proxyKey: string): Member | null
	/** It is behind in all types. */
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
	statesOf(member: Member): TypeStates
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
	const members: Member[] = []
	/** Where each of these stands, by its place: of thousands that change at once little memory is touched. */
	let codes = new Uint8Array(16)
	const byKey = new Map<string, Member>()
	const gone = new Map<string, { readonly version: string; readonly sinceMs: number }>()
	const retention = createRetention()
	/** Of those that count. */
	const tally = createTally()
	const rejections = new Map<string, readonly Rejection[]>()
	let proxyGroup: ProxyGroup | null = null
	let snapshot: Snapshot | null = null
	const excluded = new Set(excludedAtFirst)
	/** Connected ones that count, and of those the ones with an instance. */
	let connected = 0
	let joined = 0
	/** When the last one left; null while somebody is here, and before anybody was. */
	let leftMs: number | null = null

	function doesCount({ proxy }: Member): boolean {
		return excluded.size === 0 || !excluded.has(proxy.key)
	}

	function statesOf({ place }: Member): TypeStates {
		return typeStatesOf(codes[place] ?? allPending.code)
	}

	function noteRejections(member: Member): void {
		const { key: proxyKey } = member.proxy
		if (doesCount(member) && statesOf(member).hasRejected) rejections.set(proxyKey, rejectionsOf(member))
		else rejections.delete(proxyKey)
	}

	function count(member: Member, by: 1 | -1): void {
		if (!doesCount(member)) return
		connected += by
		if (member.proxy.instance !== null) joined += by
		tally.add(statesOf(member), by)
	}

	/** For each member at every ACK. */
	function change(member: Member, states: TypeStates): void {
		const before = statesOf(member)
		codes[member.place] = states.code
		if (doesCount(member)) {
			tally.add(before, -1)
			tally.add(states, 1)
		}
		if (before.hasRejected || states.hasRejected) noteRejections(member)
	}

	/** The first few of those that count. */
	function pendingOnes(): string[] {
		const few: string[] = []
		if (!tally.hasPending()) return few
		for (let place = 0; place < members.length && few.length < limits.namedProxies; place += 1) {
			if (pendingCodes[codes[place] ?? 0] !== 1) continue
			const member = members[place]
			if (member !== undefined && doesCount(member)) few.push(member.proxy.key)
		}
		return few
	}

	function standingOf(proxyKey: string): ExcludedProxy[] {
		const member = byKey.get(proxyKey)
		if (member !== undefined) return [{ proxy: proxyKey, standing: 'connected', version: member.version }]
		const missing = gone.get(proxyKey)
		return missing === undefined ? [] : [{ proxy: proxyKey, standing: 'gone', version: missing.version }]
	}

	const group: Group = {
		key,
		members,
		retention,
		get snapshot() {
			return snapshot
		},
		memberOf: (proxyKey) => byKey.get(proxyKey) ?? null,
		statesOf,
		add(member) {
			const { proxy } = member
			// The same object for as long as it may be: what is worked out for it is found by it.
			proxyGroup ??= proxy.group
			leftMs = null
			gone.delete(proxy.key)
			member.group = group
			member.place = members.length
			members.push(member)
			byKey.set(proxy.key, member)
			if (members.length > codes.length) codes = enlarged(codes)
			codes[member.place] = allPending.code
			count(member, 1)
		},
		remove(member, then, nowMs) {
			const { key: proxyKey, instance } = member.proxy
			count(member, -1)
			rejections.delete(proxyKey)
			byKey.delete(proxyKey)
			const last = members.pop()
			if (last !== undefined && last !== member) {
				codes[member.place] = codes[last.place] ?? allPending.code
				members[member.place] = last
				last.place = member.place
			}
			member.group = null
			if (members.length === 0) leftMs = nowMs
			if (instance === null || then === 'forgotten') return
			gone.set(proxyKey, { version: member.version, sinceMs: nowMs })
			// Somebody who comes under ever new names.
			forgetOldest(gone, limits.xdsProxiesRemembered)
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
			tally.moveAll((states) => withPending(states, changed))
			/** By the code before; worked out for those that there are. */
			const after: (number | undefined)[] = []
			for (let place = 0; place < members.length; place += 1) {
				const code = codes[place] ?? 0
				codes[place] = after[code] ??= withPending(typeStatesOf(code), changed).code
			}
			for (const proxyKey of [...rejections.keys()]) {
				const member = byKey.get(proxyKey)
				if (member !== undefined) noteRejections(member)
			}
		},
		recount(member) {
			// It left meanwhile, or its turn is yet to come: what it stands well with is what was served before.
			if (member.group !== group || member.seats.some(({ stream }) => stream.snapshot !== snapshot)) return
			const states = statesTogether(member, snapshot)
			// What was refused may be other although the states are not.
			if (states !== statesOf(member) || states.hasRejected) change(member, states)
			if (snapshot !== null && states.whole === 'current') member.version = snapshot.version
		},
		exclude(proxyKeys) {
			let changed = false
			for (const proxyKey of new Set([...excluded, ...proxyKeys])) {
				if (excluded.has(proxyKey) === proxyKeys.has(proxyKey)) continue
				const member = byKey.get(proxyKey)
				if (member !== undefined) count(member, -1)
				if (proxyKeys.has(proxyKey)) excluded.add(proxyKey)
				else excluded.delete(proxyKey)
				if (member !== undefined) {
					count(member, 1)
					noteRejections(member)
				}
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
				types: tally.views(),
				pending: pendingOnes().sort(compareText),
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
		isEmpty: () => members.length === 0 && gone.size === 0 && snapshot === null && retention.isEmpty(),
		isDeserted(nowMs) {
			const isLeft = leftMs === null || leftMs + limits.xdsGoneMs <= nowMs
			return members.length === 0 && gone.size === 0 && retention.isEmpty() && isLeft
		},
	}
	return group
}

const pendingCodes = Uint8Array.from({ length: typeStatesCount }, (_, code) => (typeStatesOf(code).hasPending ? 1 : 0))

function withPending({ of }: TypeStates, changed: readonly TypeUrl[]): TypeStates {
	return typeStates((typeUrl) => (changed.includes(typeUrl) ? 'pending' : of[typeUrl]))
}

function statesTogether({ seats }: Member, snapshot: Snapshot | null): TypeStates {
	const [only] = seats
	if (only !== undefined && seats.length === 1 && only.stream.serves === 'all') return only.stream.states()
	const streams = seats.map(({ stream }) => stream)
	return typeStates((typeUrl) => stateTogether(streams, typeUrl, snapshot))
}

function enlarged(codes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
	const larger = new Uint8Array(2 * codes.length)
	larger.set(codes)
	return larger
}

function firstFew<Item>(items: Iterable<Item>): Item[] {
	const few: Item[] = []
	for (const item of items) {
		if (few.length >= limits.namedProxies) break
		few.push(item)
	}
	return few
}
