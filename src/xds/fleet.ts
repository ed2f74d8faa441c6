import type { Clock, Timer } from '#base/clock.ts'
import type { CallStatus } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { TypeUrl } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { ackedOf } from './acked-of.ts'
import { type Cohort, inCohort } from './cohort.ts'
import type { Acked, FleetView, GroupView, Proxy, ProxyStanding, Reported, XdsEvent } from './fleet-view.ts'
import { createGroup, type Group, type Member } from './group.ts'
import { createProxyMemories } from './proxy-memories.ts'
import { createPushes, streamsOf } from './push.ts'
import type { Retention } from './retention.ts'
import { channelsTogether, heldTogether, speakersOf, speakingStreams } from './separate-streams.ts'
import type { Admission, ProxyMemory } from './stream-port.ts'
import { allPending, stateOfAll } from './type-states.ts'
import type { XdsStream } from './xds-stream.ts'

// All proxies: who is here, who is missed, what each group is served.

export type Fleet = {
	/** A stream's first node was accepted. Fails with NOT_FOUND for a proxy that is not in the mesh. */
	join(proxy: Proxy, stream: XdsStream): Result<Admission, CallStatus>
	changed(stream: XdsStream): void
	leave(stream: XdsStream, how: 'drained' | 'lost'): void
	publish(groupKey: string, snapshot: Snapshot): void
	refuse(groupKey: string, message: string): void
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

export function createFleet(options: { readonly clock: Clock; readonly emit: (event: XdsEvent) => void }): Fleet {
	const { clock } = options
	const groups = new Map<string, Group>()
	/** Proxy key → connected proxy; the newest, should two groups have it for a moment. */
	const connected = new Map<string, Member>()
	/** Whom a stream speaks for: in the cohort that it is in now. */
	const membersByStream = new Map<XdsStream, Member>()
	const memories = createProxyMemories()
	const refused = new Map<string, string>()
	const progressed = new Set<string>()
	let excluded: ReadonlySet<string> = new Set()
	let progressTimer: Timer | null = null
	let goneTimer: Timer | null = null
	let isClosed = false
	let cohortOf: (proxy: Proxy) => Cohort = () => 'stable'

	const pushes = createPushes({
		hasGone: (member, stream) => membersByStream.get(stream) !== member,
		progress,
	})

	function emit(event: XdsEvent): void {
		if (!isClosed) options.emit(event)
	}

	function progress(groupKey: string): void {
		progressed.add(groupKey)
		progressTimer ??= clock.setTimer(0, () => {
			progressTimer = null
			const keys = [...progressed]
			progressed.clear()
			for (const key of keys) emit({ kind: 'progressed', groupKey: key })
		})
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
		if (group.isEmpty()) groups.delete(group.key)
	}

	function join(arriving: Proxy, stream: XdsStream): Result<Admission, CallStatus> {
		const proxy = inCohort(arriving, cohortOf(arriving))
		const message = refused.get(proxy.groupKey)
		if (message !== undefined) return fail({ code: 'NOT_FOUND', message })
		const problem = whatIsTooMuch(proxy)
		if (problem !== null) return fail({ code: 'RESOURCE_EXHAUSTED', message: problem })
		const group = groupOf(proxy.groupKey)
		const memory = recall(proxy)
		const present = group.members.get(proxy.key)
		if (present === undefined) {
			const member: Member = { proxy, streams: [stream], states: allPending, version: '' }
			membersByStream.set(stream, member)
			group.add(member)
			connected.set(proxy.key, member)
			emit({ kind: 'arrived', proxy })
		} else {
			membersByStream.set(stream, present)
			present.streams.push(stream)
		}
		progress(proxy.groupKey)
		const retains: Admission['retains'] = (typeUrl, name, version) => {
			const present = groups.get(membersByStream.get(stream)?.proxy.groupKey ?? '')
			return present?.retention.retains(proxy.key, typeUrl, name, version) ?? false
		}
		return succeed({ key: proxy.key, memory, snapshot: group.snapshot, retains })
	}

	function whatIsTooMuch({ key, groupKey }: Proxy): string | null {
		const streams = connected.get(key)?.streams.length ?? 0
		if (streams >= limits.xdsStreamsPerProxy) return `this proxy has ${limits.xdsStreamsPerProxy} streams already`
		if (groups.has(groupKey) || groups.size < limits.xdsGroups) return null
		return `there are ${limits.xdsGroups} kinds of proxies already, and none is like this one`
	}

	function recall(proxy: Proxy): ProxyMemory | null {
		const here = connected.get(proxy.key)?.streams.at(-1)
		if (here !== undefined) return here.memory()
		const memory = memories.take(proxy.key)
		if (memory === null) return null
		groups.get(memory.groupKey)?.forgetGone(proxy.key)
		return memory
	}

	function changed(stream: XdsStream): void {
		const member = membersByStream.get(stream)
		const group = groups.get(member?.proxy.groupKey ?? '')
		if (group === undefined || member === undefined) return
		group.recount(member)
		progress(group.key)
	}

	function leave(stream: XdsStream, how: 'drained' | 'lost'): void {
		const member = membersByStream.get(stream)
		const group = groups.get(member?.proxy.groupKey ?? '')
		if (group === undefined || member === undefined) return
		membersByStream.delete(stream)
		member.streams.splice(member.streams.indexOf(stream), 1)
		const { proxy } = member
		progress(proxy.groupKey)
		if (member.streams.length > 0) return group.recount(member)
		group.remove(member, how === 'lost' ? 'expected' : 'forgotten', clock.monotonicMs())
		if (connected.get(proxy.key) === member) {
			connected.delete(proxy.key)
			if (proxy.instance !== null) memories.keep(proxy.key, { ...stream.memory(), groupKey: group.key })
		}
		dropIfEmpty(group)
		if (!isClosed) goneTimer ??= clock.setTimer(limits.xdsGoneMs, expireGone)
		emit({ kind: 'left', proxy })
	}

	function expireGone(): void {
		goneTimer = null
		const nowMs = clock.monotonicMs()
		let dueMs = Number.POSITIVE_INFINITY
		for (const group of [...groups.values()]) {
			const { expired, nextMs } = group.expireGone(nowMs)
			if (expired > 0) progress(group.key)
			dueMs = Math.min(dueMs, nextMs ?? Number.POSITIVE_INFINITY)
			dropIfEmpty(group)
		}
		if (Number.isFinite(dueMs)) goneTimer = clock.setTimer(dueMs - nowMs, expireGone)
	}

	function publish(groupKey: string, snapshot: Snapshot): void {
		refused.delete(groupKey)
		const group = groupOf(groupKey)
		group.publish(snapshot)
		pushes.push(group)
	}

	function retain(groupKey: string, change: (retention: Retention) => boolean): void {
		const group = groupOf(groupKey)
		if (change(group.retention)) pushes.push(group)
		dropIfEmpty(group)
	}

	/** To the proxy it is one more publication: it is sent what differs, in the order that never breaks traffic. */
	function move(member: Member, proxy: Proxy): void {
		const [before, after] = [groupOf(member.proxy.groupKey), groupOf(proxy.groupKey)]
		const moved: Member = { ...member, proxy, states: allPending }
		before.remove(member, 'forgotten', clock.monotonicMs())
		after.add(moved)
		for (const stream of moved.streams) membersByStream.set(stream, moved)
		if (connected.get(proxy.key) === member) connected.set(proxy.key, moved)
		emit({ kind: 'arrived', proxy })
		emit({ kind: 'left', proxy: member.proxy })
		for (const stream of [...moved.streams]) stream.serve(after.snapshot)
		after.recount(moved)
		progress(before.key)
		progress(after.key)
		dropIfEmpty(before)
	}

	function assign(rule: (proxy: Proxy) => Cohort): void {
		cohortOf = rule
		for (const member of new Set(membersByStream.values())) {
			const proxy = inCohort(member.proxy, rule(member.proxy))
			if (proxy !== member.proxy) move(member, proxy)
		}
	}

	function refuse(groupKey: string, message: string): void {
		refused.delete(groupKey)
		refused.set(groupKey, message)
		for (const oldest of refused.keys()) {
			if (refused.size <= limits.xdsGroupsRefused) break
			refused.delete(oldest)
		}
		pushes.stop(groupKey)
		const group = groups.get(groupKey)
		if (group === undefined) return
		group.publish(null)
		endStreams(group, { code: 'NOT_FOUND', message })
		dropIfEmpty(group)
	}

	function endStreams(group: Group, status: CallStatus): void {
		for (const [, stream] of [...streamsOf(group)]) {
			leave(stream, 'drained')
			stream.end(status)
		}
	}

	function speaking(proxyKey: string): readonly XdsStream[] {
		return speakingStreams(connected.get(proxyKey)?.streams ?? [])
	}

	function* proxies(groupKey: string): Iterable<ProxyStanding> {
		for (const { proxy, streams, states } of groups.get(groupKey)?.members.values() ?? []) {
			if (streams.length === 0) continue
			yield { proxy, held: heldTogether(streams), state: stateOfAll(states) }
		}
	}

	return {
		join,
		changed,
		leave,
		publish,
		refuse,
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
			return member !== undefined && stateOfAll(member.states) === 'current'
		},
		exclude(proxyKeys) {
			excluded = new Set(proxyKeys)
			for (const group of groups.values()) if (group.exclude(excluded)) progress(group.key)
		},
		assign,
		close(status) {
			isClosed = true
			pushes.stopAll()
			progressTimer?.cancel()
			for (const group of [...groups.values()]) endStreams(group, status)
			goneTimer?.cancel()
		},
	}
}
