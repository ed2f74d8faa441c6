import { limits } from '#base/limits.ts'
import type { Group, Member } from './group.ts'

// A large group is pushed to in batches, so that nobody else waits for all of it.

export type Pushes = {
	/** Serves the group's present snapshot to all of its streams; a push that is under way begins anew. */
	push(group: Group): void
	/** No further batch. */
	stop(groupKey: string): void
	stopAll(): void
}

export type PushOptions = {
	readonly progress: (groupKey: string) => void
}

/** Members that have not been pushed the newest snapshot yet are those from `next` on. */
type Push = { readonly members: readonly Member[]; next: number }

export function createPushes({ progress }: PushOptions): Pushes {
	/** By group key. */
	const underway = new Map<string, Push>()

	function pushSome(group: Group, push: Push): void {
		const { members } = push
		for (let pushed = 0; pushed < limits.xdsPushBatch && push.next < members.length; push.next += 1) {
			const member = members[push.next]
			// It has left, or is in another group by now.
			if (member === undefined || member.group !== group) continue
			for (const { stream } of [...member.seats]) stream.serve(group.snapshot)
			group.recount(member)
			pushed += member.seats.length
		}
		if (push.next < members.length) setImmediate(() => goOn(group, push))
		else {
			underway.delete(group.key)
			progress(group.key)
		}
	}

	function goOn(group: Group, push: Push): void {
		if (underway.get(group.key) === push) pushSome(group, push)
	}

	return {
		push(group) {
			if (group.members.length === 0) return
			const push = { members: [...group.members], next: 0 }
			underway.set(group.key, push)
			pushSome(group, push)
			progress(group.key)
		},
		stop: (groupKey) => void underway.delete(groupKey),
		stopAll: () => underway.clear(),
	}
}
