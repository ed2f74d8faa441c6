import type { Clock, Timer } from '#base/clock.ts'
import type { CallStatus } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { TypeUrl } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { ackedOf } from './acked-of.ts'
import type { Acked, FleetView, GroupView, Proxy, Reported, XdsEvent } from './fleet-view.ts'
import { createGroup, type Group, type Member } from './group.ts'
import { perType, sendOrder } from './order.ts'
import type { Retention } from './retention.ts'
import type { TypeState } from './standing.ts'
import type { XdsStream } from './stream.ts'
import type { Admission, ProxyMemory } from './stream-port.ts'

// All proxies: who is here, who is missed, what each group is served.

export type ProxyStanding = {
	readonly proxy: Proxy
	/** How many resources it holds of each type, and the version of the last response that it accepted. */
	readonly held: Readonly<Record<TypeUrl, { readonly count: number; readonly version: string }>>
	readonly state: TypeState
}

export type Fleet = {
	/** A stream's first node was accepted. Fails with NOT_FOUND for a proxy that is not in the mesh. */
	join(proxy: Proxy, stream: XdsStream): Result<Admission, CallStatus>
	changed(proxy: Proxy, stream: XdsStream): void
	leave(proxy: Proxy, stream: XdsStream, how: 'drained' | 'lost'): void
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
	keep(groupKey: string, typeUrl: TypeUrl, name: string, version: string | null): void
	isCurrent(proxyKey: string): boolean
	/** These are served, and counted nowhere. */
	exclude(proxyKeys: ReadonlySet<string>): void
	/** Ends all streams, and tells nothing from then on. */
	close(status: CallStatus): void
}

type Remembered = ProxyMemory & { readonly groupKey: string }

export function createFleet(options: { readonly clock: Clock; readonly emit: (event: XdsEvent) => void }): Fleet {
	const { clock } = options
	const groups = new Map<string, Group>()
	/** Proxy key → connected proxy; the newest, should two groups have it for a moment. */
	const connected = new Map<string, Member>()
	const remembered = new Map<string, Remembered>()
	const refused = new Map<string, string>()
	const progressed = new Set<string>()
	/** Group key → streams that have not been pushed the newest snapshot yet. */
	const pushing = new Map<string, Iterator<[Member, XdsStream]>>()
	let excluded: ReadonlySet<string> = new Set()
	let progressTimer: Timer | null = null
	let goneTimer: Timer | null = null
	let isClosed = false

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

	function join(proxy: Proxy, stream: XdsStream): Result<Admission, CallStatus> {
		const message = refused.get(proxy.groupKey)
		if (message !== undefined) return fail({ code: 'NOT_FOUND', message })
		const group = groupOf(proxy.groupKey)
		const memory = recall(proxy)
		const present = group.members.get(proxy.key)
		if (present === undefined) {
			const member: Member = { proxy, streams: [stream], states: perType(() => 'pending'), version: '' }
			group.add(member)
			connected.set(proxy.key, member)
			emit({ kind: 'arrived', proxy })
		} else present.streams.push(stream)
		progress(proxy.groupKey)
		const retains: Admission['retains'] = (typeUrl, name, version) =>
			group.retention.retains(proxy.key, typeUrl, name, version)
		return succeed({ key: proxy.key, memory, snapshot: group.snapshot, retains })
	}

	function recall(proxy: Proxy): ProxyMemory | null {
		const here = newestStream(proxy.key)
		if (here !== null) return here.memory()
		const memory = remembered.get(proxy.key)
		if (memory === undefined) return null
		remembered.delete(proxy.key)
		groups.get(memory.groupKey)?.forgetGone(proxy.key)
		return memory
	}

	function remember(proxy: Proxy, stream: XdsStream): void {
		if (proxy.instance === null) return
		remembered.set(proxy.key, { ...stream.memory(), groupKey: proxy.groupKey })
		for (const oldest of remembered.keys()) {
			if (remembered.size <= limits.xdsProxiesRemembered) break
			remembered.delete(oldest)
		}
	}

	function changed(proxy: Proxy, stream: XdsStream): void {
		const group = groups.get(proxy.groupKey)
		const member = group?.members.get(proxy.key)
		if (group === undefined || member === undefined || !member.streams.includes(stream)) return
		group.recount(member)
		progress(proxy.groupKey)
	}

	function leave(proxy: Proxy, stream: XdsStream, how: 'drained' | 'lost'): void {
		const group = groups.get(proxy.groupKey)
		const member = group?.members.get(proxy.key)
		if (group === undefined || member === undefined) return
		const at = member.streams.indexOf(stream)
		if (at < 0) return
		member.streams.splice(at, 1)
		progress(proxy.groupKey)
		if (member.streams.length > 0) return group.recount(member)
		group.remove(member, how === 'lost' ? 'expected' : 'forgotten', clock.monotonicMs())
		if (connected.get(proxy.key) === member) {
			connected.delete(proxy.key)
			remember(proxy, stream)
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
		push(group)
	}

	function push(group: Group): void {
		if (group.members.size === 0) return
		pushing.set(group.key, streamsOf(group))
		pushSome(group)
		progress(group.key)
	}

	function retain(groupKey: string, change: (retention: Retention) => boolean): void {
		const group = groupOf(groupKey)
		if (change(group.retention)) push(group)
		dropIfEmpty(group)
	}

	/** A large group is pushed to in batches, so that nobody else waits for all of it. */
	function pushSome(group: Group): void {
		const streams = pushing.get(group.key)
		if (streams === undefined || isClosed) return
		for (let pushed = 0; pushed < limits.xdsPushBatch; pushed += 1) {
			const next = streams.next()
			if (next.done) {
				pushing.delete(group.key)
				return progress(group.key)
			}
			const [member, stream] = next.value
			if (!member.streams.includes(stream)) continue
			stream.serve(group.snapshot)
			group.recount(member)
		}
		setImmediate(() => {
			if (pushing.get(group.key) === streams) pushSome(group)
		})
	}

	function refuse(groupKey: string, message: string): void {
		refused.delete(groupKey)
		refused.set(groupKey, message)
		for (const oldest of refused.keys()) {
			if (refused.size <= limits.xdsGroupsRefused) break
			refused.delete(oldest)
		}
		pushing.delete(groupKey)
		const group = groups.get(groupKey)
		if (group === undefined) return
		group.publish(null)
		endStreams(group, { code: 'NOT_FOUND', message })
		dropIfEmpty(group)
	}

	function endStreams(group: Group, status: CallStatus): void {
		for (const [member, stream] of [...streamsOf(group)]) {
			leave(member.proxy, stream, 'drained')
			stream.end(status)
		}
	}

	function newestStream(proxyKey: string): XdsStream | null {
		return connected.get(proxyKey)?.streams.at(-1) ?? null
	}

	function* proxies(groupKey: string): Iterable<ProxyStanding> {
		for (const { proxy, streams, states } of groups.get(groupKey)?.members.values() ?? []) {
			const stream = streams.at(-1)
			if (stream === undefined) continue
			yield { proxy, held: perType((typeUrl) => stream.holding(typeUrl)), state: overall(states) }
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
		holds: (proxyKey, typeUrl, name) => newestStream(proxyKey)?.holds(typeUrl, name) ?? null,
		acked(proxyKey) {
			const channels = newestStream(proxyKey)?.memory().channels
			return channels === undefined ? null : ackedOf(channels)
		},
		reported: (proxyKey) => newestStream(proxyKey)?.reported() ?? [],
		pin: (groupKey, typeUrl, name, proxyKeys) =>
			retain(groupKey, (retention) => retention.pin(typeUrl, name, proxyKeys)),
		keep: (groupKey, typeUrl, name, version) => retain(groupKey, (retention) => retention.keep(typeUrl, name, version)),
		isCurrent(proxyKey) {
			const member = connected.get(proxyKey)
			return member !== undefined && overall(member.states) === 'current'
		},
		exclude(proxyKeys) {
			excluded = new Set(proxyKeys)
			for (const group of groups.values()) if (group.exclude(excluded)) progress(group.key)
		},
		close(status) {
			isClosed = true
			progressTimer?.cancel()
			for (const group of [...groups.values()]) endStreams(group, status)
			goneTimer?.cancel()
		},
	}
}

function* streamsOf(group: Group): Generator<[Member, XdsStream]> {
	for (const member of [...group.members.values()]) {
		for (const stream of [...member.streams]) yield [member, stream]
	}
}

function overall(states: Readonly<Record<TypeUrl, TypeState>>): TypeState {
	const all = sendOrder.map((typeUrl) => states[typeUrl])
	if (all.includes('rejected')) return 'rejected'
	return all.includes('pending') ? 'pending' : 'current'
}
