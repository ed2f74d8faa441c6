import { limits } from '#base/limits.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { Refusals } from './acks.ts'
import { type Channel, isSettled } from './channel.ts'
import type { Rejection } from './fleet-view.ts'
import { mayHave, referencesOf } from './holding.ts'
import { sendOrder } from './order.ts'
import type { Subscription } from './subscription.ts'

// Where a stream stands with its group's snapshot: what the fleet's view is counted from.

export type TypeState = 'current' | 'pending' | 'rejected'

/** `rejected`: the proxy refused some of the present snapshot, or has not answered for it in time. */
export function typeState(channel: Channel, snapshot: Snapshot, refusals: Refusals): TypeState {
	if (channel.underway?.overdue || refusedNow(channel, snapshot, refusals).length > 0) return 'rejected'
	return isCurrent(channel, snapshot) ? 'current' : 'pending'
}

/** Everything refused or overdue; which proxy it is, is for the caller to add. */
export function rejectionsOf(
	channels: Readonly<Record<TypeUrl, Channel>>,
	snapshot: Snapshot,
	refusals: Refusals,
): Omit<Rejection, 'proxy'>[] {
	const found: Omit<Rejection, 'proxy'>[] = []
	for (const typeUrl of sendOrder) {
		found.push(...refusedNow(channels[typeUrl], snapshot, refusals))
		const { underway } = channels[typeUrl]
		if (!underway?.overdue) continue
		const text = `no answer in ${limits.xdsAnswerMs / 1000} s`
		for (const { name, version } of underway.upserts) found.push({ typeUrl, name, version, text })
		for (const name of underway.removals) found.push({ typeUrl, name, version: '', text })
	}
	return found
}

/** A refusal counts while the snapshot holds the refused version; it is remembered for longer. */
function refusedNow(channel: Channel, snapshot: Snapshot, refusals: Refusals): Omit<Rejection, 'proxy'>[] {
	if (refusals.size === 0) return []
	const { resources } = snapshot.types[channel.typeUrl]
	return [...refusals.list()].filter(({ typeUrl, name, version }) => {
		if (typeUrl !== channel.typeUrl) return false
		const wanted = resources.get(name)
		return version === '' ? wanted === undefined && mayHave(channel.held, name) : wanted?.version === version
	})
}

function isCurrent(channel: Channel, snapshot: Snapshot): boolean {
	const { subscription, typeUrl } = channel
	const required = requiredNames(typeUrl, snapshot)
	if (subscription === null) return required.size === 0
	if (!covers(subscription, required)) return false
	return isSettled(channel, snapshot.types[typeUrl])
}

type Names = ReadonlySet<string> | ReadonlyMap<string, unknown>

const covered = new WeakMap<Subscription, WeakMap<Names, boolean>>()

/** Whether all of these are asked for. Worked out once for all streams that ask for the same. */
function covers(subscription: Subscription, required: Names): boolean {
	if (subscription.wildcard !== 'none') return true
	let byNames = covered.get(subscription)
	if (byNames === undefined) {
		byNames = new WeakMap()
		covered.set(subscription, byNames)
	}
	let isCovered = byNames.get(required)
	if (isCovered === undefined) {
		isCovered = [...required.keys()].every((name) => subscription.names.has(name))
		byNames.set(required, isCovered)
	}
	return isCovered
}

/** Names that a proxy must have asked for before it can have all of a snapshot. */
function requiredNames(typeUrl: TypeUrl, { types }: Snapshot): Names {
	switch (typeUrl) {
		case typeUrls.route:
			return referencesOf(types[typeUrls.listener].resources).routes
		case typeUrls.endpoint:
			return referencesOf(types[typeUrls.cluster].resources).endpoints
		case typeUrls.secret:
			return none
		default:
			return types[typeUrl].resources
	}
}

const none: ReadonlySet<string> = new Set()
