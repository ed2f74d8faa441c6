import type { Clock } from '#base/clock.ts'
import { forgetOldest } from '#base/forget-oldest.ts'
import type { CallStatus } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { TypeUrl } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { ackedOf } from './acked-of.ts'
import { type Cohort, inCohort } from './cohort.ts'
import { createExpiry } from './expiry.ts'
import type { Acked, FleetView, GroupView, Proxy, ProxyStanding, Reported, XdsEvent } from './fleet-view.ts'
import { createGroup, type Group, type Member, type Seat } from './group.ts'
import { createKinds } from './kinds.ts'
import { createProgress } from './progress.ts'
import { createProxyMemories } from './proxy-memories.ts'
import { createPushes } from './push.ts'
import { type Retention, retainedAt } from './retention.ts'
import { channelsTogether, heldTogether, speakersOf, speakingStreams } from './separate-streams.ts'
import type { Admission, ProxyMemory } from './stream-port.ts'
import type { XdsStream } from './xds-stream.ts'

// All proxies: who is here, who is missed, what each group is served.

export type Fleet = {
	/** A stream's first node was accepted. Fails with NOT_FOUND for a proxy that is not in the mesh. */
	join(proxy: Proxy, stream: XdsStream): Result<Joined, CallStatus>
	changed(seat: Seat): void
	leave(seat: Seat, how: 'drained' | 'lost'): void
	publish(groupKey: string, snapshot: Snapshot): void
	refuse(groupKey: string, message: string): void
	/** Nothing is served or refused to this group any more. False: not yet, for somebody is in it, or was lately. */
	forget(groupKey: string): boolean
	view(groupKey: string): GroupView | null
	fleet(): FleetView
	proxies(groupKey: string): Iterable<ProxyStanding>
	holds(proxyKey: string, typeUrl: TypeUrl, name: string): string | null
	/** Null: it is not connected. */
	acked(proxyKey: string): Acked | null
	/** What a proxy said that it holds, while its group is not served. */
	reported(proxyKey: string): readonly Reported[]
	pin(groupKey: string, typeUrl: TypeUrl, name: string, proxyKeys: ReadonlySet<string>): void
	keep(groupKey: string, typeUrl: TypeUrl, name: string, versions: ReadonlySet<string>): void
	isCurrent(proxyKey: string): boolean
	/** These are served, and counted nowhere. */
	exclude(proxyKeys: ReadonlySet<string>): void
	/** From now on each proxy is in the cohort that this says, those among them that are connected. */
	assign(cohortOf: (proxy: Proxy) => Cohort): void
	/** Ends all streams, and tells nothing from then on. */
	close(status: CallStatus): void
}

export type Joined = Admission & { readonly seat: Seat }

export function createFleet(options: { readonly clock: Clock; readonly emit: (event: XdsEvent) => void }): Fleet {
	const { clock } = options
	const groups = new Map<string, Group>()
	const kinds = createKinds()
	/** Proxy key → connected proxy; the newest, should two groups have it for a moment. */
	const connected = new Map<string, Member>()
	const memories = createProxyMemories()
	const refused = new Map<string, string>()
	let excluded: ReadonlySet<string> = new Set()
	let isClosed = false
	let cohortOf: (proxy: Proxy) => Cohort = () => 'stable'

	const progress = createProgress({ clock, tell: (groupKey) => emit({ kind: 'progressed', groupKey }) })
	const expiry = createExpiry({ clock, groups, expired: (group) => progress.note(group.key), passed: dropIfEmpty })
	const pushes = createPushes({ progress: progress.note })

	function emit(event: XdsEvent): void {
		if (!isClosed) options.emit(event)
	}

	function groupOf(groupKey: string): Group {
		let group = groups.get(groupKey)
		if (group === undefined) {
			group = createGroup(groupKey, excluded)
			groups.set(groupKey, group)
		}
		return group
	}

	function dropIfEmpty(group: Group): void {
		if (group.isEmpty()) drop(group.key)
	}

	function drop(groupKey: string): void {
		groups.delete(groupKey)
		kinds.delete(groupKey)
	}

	function join(arriving: Proxy, stream: XdsStream): Result<Joined, CallStatus> {
		const proxy = inCohort(arriving, cohortOf(arriving))
		const message = refused.get(proxy.groupKey)
		if (message !== undefined) return fail({ code: 'NOT_FOUND', message })
		const problem = whatIsTooMuch(proxy)
		if (problem !== null) return fail({ code: 'RESOURCE_EXHAUSTED', message: problem })
		const group = groupOf(proxy.groupKey)
		kinds.add(proxy)
		const memory = recall(proxy)
		const present = group.memberOf(proxy.key)
		const member = present ?? newMember(proxy)
		const seat: Seat = { stream, member }
		member.seats.push(seat)
		if (present === null) {
			group.add(member)
			connected.set(proxy.key, member)
			emit({ kind: 'arrived', proxy })
		}
		progress.note(proxy.groupKey)
		return succeed({ key: proxy.key, memory, snapshot: group.snapshot, retained: retainedAt(seat), seat })
	}

	function whatIsTooMuch(proxy: Proxy): string | null {
		const streams = connected.get(proxy.key)?.seats.length ?? 0
		if (streams >= limits.xdsStreamsPerProxy) return `this proxy has ${limits.xdsStreamsPerProxy} streams already`
		return kinds.whatIsTooMuch(proxy)
	}

	function recall(proxy: Proxy): ProxyMemory | null {
		const here = connected.get(proxy.key)?.seats.at(-1)?.stream
		if (here !== undefined) return here.memory()
		const memory = memories.take(proxy.key)
		if (memory === null) return null
		groups.get(memory.groupKey)?.forgetGone(proxy.key)
		return memory
	}

	function changed({ member }: Seat): void {
		const group = member?.group ?? null
		if (group === null || member === null) return
		group.recount(member)
		progress.note(group.key)
	}

	function leave(seat: Seat, how: 'drained' | 'lost'): void {
		const { member, stream } = seat
		const group = member?.group ?? null
		if (group === null || member === null) return
		seat.member = null
		member.seats.splice(member.seats.indexOf(seat), 1)
		const { proxy } = member
		progress.note(proxy.groupKey)
		if (member.seats.length > 0) return group.recount(member)
		group.remove(member, how === 'lost' ? 'expected' : 'forgotten', clock.monotonicMs())
		if (connected.get(proxy.key) === member) {
			connected.delete(proxy.key)
			if (proxy.instance !== null) memories.keep(proxy.key, { ...stream.memory(), groupKey: group.key })
		}
		dropIfEmpty(group)
		if (!isClosed) expiry.begin()
		emit({ kind: 'left', proxy })
	}

	function publish(groupKey: string, snapshot: Snapshot): void {
		refused.delete(groupKey)
		const group = groupOf(groupKey)
		group.publish(snapshot)
		pushes.push(group)
	}

	function retain(groupKey: string, change: (retention: Retention) => boolean): void {
		const group = groupOf(groupKey)
		if (change(group.retention)) {
			pushes.push(group)
			progress.note(groupKey)
		}
		dropIfEmpty(group)
	}

	/** To the proxy it is one more publication: it is sent what differs, in the order that never breaks traffic. */
	function move(member: Member, proxy: Proxy): void {
		const [before, after] = [groupOf(member.proxy.groupKey), groupOf(proxy.groupKey)]
		const moved: Member = { ...member, proxy }
		before.remove(member, 'forgotten', clock.monotonicMs())
		after.add(moved)
		kinds.add(proxy)
		for (const seat of moved.seats) seat.member = moved
		if (connected.get(proxy.key) === member) connected.set(proxy.key, moved)
		emit({ kind: 'arrived', proxy })
		emit({ kind: 'left', proxy: member.proxy })
		for (const { stream } of [...moved.seats]) stream.serve(after.snapshot)
		after.recount(moved)
		progress.note(before.key)
		progress.note(after.key)
		dropIfEmpty(before)
		expiry.begin()
	}

	function assign(rule: (proxy: Proxy) => Cohort): void {
		cohortOf = rule
		for (const member of [...groups.values()].flatMap(({ members }) => members)) {
			const proxy = inCohort(member.proxy, rule(member.proxy))
			if (proxy !== member.proxy) move(member, proxy)
		}
	}

	function refuse(groupKey: string, message: string): void {
		refused.delete(groupKey)
		refused.set(groupKey, message)
		forgetOldest(refused, limits.xdsGroupsRefused)
		pushes.stop(groupKey)
		const group = groups.get(groupKey)
		if (group === undefined) return
		group.publish(null)
		endStreams(group, { code: 'NOT_FOUND', message })
		dropIfEmpty(group)
	}

	function forget(groupKey: string): boolean {
		const group = groups.get(groupKey)
		if (group?.isDeserted(clock.monotonicMs()) === false) return false
		refused.delete(groupKey)
		drop(groupKey)
		if (group !== undefined) progress.note(groupKey)
		return true
	}

	function endStreams(group: Group, status: CallStatus): void {
		for (const seat of group.members.flatMap(({ seats }) => seats)) {
			leave(seat, 'drained')
			seat.stream.end(status)
		}
	}

	function speaking(proxyKey: string): readonly XdsStream[] {
		return speakingStreams(connected.get(proxyKey)?.seats.map(({ stream }) => stream) ?? [])
	}

	function* proxies(groupKey: string): Iterable<ProxyStanding> {
		const group = groups.get(groupKey)
		for (const member of group?.members ?? []) {
			const { proxy, seats } = member
			const held = heldTogether(seats.map(({ stream }) => stream))
			yield { proxy, held, state: group?.statesOf(member).whole ?? 'pending' }
		}
	}

	return {
		join,
		changed,
		leave,
		publish,
		refuse,
		forget,
		view: (groupKey) => groups.get(groupKey)?.view() ?? null,
		fleet() {
			const views = new Map<string, GroupView>()
			for (const group of groups.values()) {
				const view = group.view()
				if (view !== null) views.set(group.key, view)
			}
			return views
		},
		proxies,
		holds(proxyKey, typeUrl, name) {
			for (const stream of speakersOf(speaking(proxyKey), typeUrl)) {
				const version = stream.holds(typeUrl, name)
				if (version !== null) return version
			}
			return null
		},
		acked(proxyKey) {
			const streams = speaking(proxyKey)
			return streams.length === 0 ? null : ackedOf(channelsTogether(streams))
		},
		reported: (proxyKey) => speaking(proxyKey).flatMap((stream) => stream.reported()),
		pin: (groupKey, typeUrl, name, proxyKeys) =>
			retain(groupKey, (retention) => retention.pin(typeUrl, name, proxyKeys)),
		keep: (groupKey, typeUrl, name, versions) =>
			retain(groupKey, (retention) => retention.keep(typeUrl, name, versions)),
		isCurrent(proxyKey) {
			const member = connected.get(proxyKey)
			return member?.group?.statesOf(member).whole === 'current'
		},
		exclude(proxyKeys) {
			excluded = new Set(proxyKeys)
			for (const group of groups.values()) if (group.exclude(excluded)) progress.note(group.key)
		},
		assign,
		close(status) {
			isClosed = true
			pushes.stopAll()
			progress.stop()
			for (const group of [...groups.values()]) endStreams(group, status)
			expiry.stop()
		},
	}
}

function newMember(proxy: Proxy): Member {
	return { proxy, seats: [], group: null, place: 0, version: '' }
}
