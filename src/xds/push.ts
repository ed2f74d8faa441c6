import { limits } from '#base/limits.ts'
import type { Group, Member } from './group.ts'
import type { XdsStream } from './xds-stream.ts'

// A large group is pushed to in batches, so that nobody else waits for all of it.

export type Pushes = {
	/** Serves the group's present snapshot to all of its streams; a push that is under way begins anew. */
	push(group: Group): void
	/** No further batch. */
	stop(groupKey: string): void
	stopAll(): void
}

export type PushOptions = {
	/** It has left, or speaks for its proxy in another group by now. */
	readonly hasGone: (member: Member, stream: XdsStream) => boolean
	readonly progress: (groupKey: string) => void
}

export function createPushes({ hasGone, progress }: PushOptions): Pushes {
	/** Group key → streams that have not been pushed the newest snapshot yet. */
	const underway = new Map<string, Iterator<[Member, XdsStream]>>()

	function pushSome(group: Group): void {
		const streams = underway.get(group.key)
		if (streams === undefined) return
		for (let pushed = 0; pushed < limits.xdsPushBatch; pushed += 1) {
			const next = streams.next()
			if (next.done) {
				underway.delete(group.key)
				return progress(group.key)
			}
			const [member, stream] = next.value
			if (hasGone(member, stream)) continue
			stream.serve(group.snapshot)
			group.recount(member)
		}
		setImmediate(() => {
			if (underway.get(group.key) === streams) pushSome(group)
		})
	}

	return {
		push(group) {
			if (group.members.size === 0) return
			underway.set(group.key, streamsOf(group))
			pushSome(group)
			progress(group.key)
		},
		stop: (groupKey) => void underway.delete(groupKey),
		stopAll: () => underway.clear(),
	}
}

export function* streamsOf(group: Group): Generator<[Member, XdsStream]> {
	for (const member of [...group.members.values()]) {
		for (const stream of [...member.streams]) yield [member, stream]
	}
}
