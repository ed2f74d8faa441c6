import { typeUrls } from '#compile/compiled.ts'
import type { EncodedResource, Snapshot, TypeSnapshot } from '#snapshot/snapshot.ts'
import type { Refusals } from './acks.ts'
import { answerIsFull, assembleResponse, type Response } from './assemble.ts'
import { type Channel, type Channels, noneIsolated } from './channel.ts'
import { afterTaking, type Difference, differenceOf, heldVersion, isEmpty, mayHave } from './holding.ts'
import { mayAdd, mayRemove, type Possessions, type Situation, sendOrder } from './order.ts'
import type { Variant } from './request.ts'
import type { Retained } from './stream-port.ts'
import { targetOf } from './subscription.ts'

// What is to be said of one type, now.

export type SendContext = {
	readonly variant: Variant
	readonly snapshot: Snapshot
	readonly possessions: Possessions
	readonly proxy: Situation['proxy']
	readonly refusals: Refusals
	readonly retained: Retained
}

/** False when there is surely nothing to say. Asked of every stream that goes alone at every push and ACK, and mostly so. */
export function isAnythingDue(channels: Channels, snapshot: Snapshot): boolean {
	const { underway } = channels[typeUrls.cluster]
	// What these were sent for is served beside the snapshot.
	if (underway !== null && underway.snapshot !== snapshot) return true
	return sendOrder.some((typeUrl) => mayBeDue(channels[typeUrl], snapshot.types[typeUrl]))
}

/** False when there is surely nothing to say of this type. */
export function mayBeDue({ subscription, underway, claim, held, answerDue }: Channel, type: TypeSnapshot): boolean {
	if (subscription === null) return false
	if (claim !== null) return true
	return underway === null && (answerDue || held !== targetOf(type, subscription))
}

/** What the next response is to say; null when nothing is due or may go out yet. */
export function nextDue(channel: Channel, context: SendContext): Due | null {
	const { subscription } = channel
	if (subscription === null || channel.underway !== null) return null
	const target = targetOf(context.snapshot.types[channel.typeUrl], subscription)
	if (channel.held === target && !channel.answerDue) return null
	const difference = dropUnsayable(channel, differenceOf(channel.held, target), context)
	if (isEmpty(difference)) {
		channel.held = target
		channel.isolated = noneIsolated
		return channel.answerDue ? { channel, context, difference, part: nothing } : null
	}
	const part = sendablePart(channel, difference, context)
	if (part === 'waits') return null
	if (part.upserts.length === 0 && part.removals.length === 0 && !channel.answerDue) return null
	return { channel, context, difference, part }
}

/** Of a difference, the part that is to go. */
export type Due = {
	readonly channel: Channel
	readonly context: SendContext
	readonly difference: Difference
	readonly part: Part
}
type Part = { readonly upserts: readonly EncodedResource[]; readonly removals: readonly string[] }
const nothing: Part = { upserts: [], removals: [] }

/**
 * State of the world has no words for 'there is no such thing'. A full answer says it by leaving something out; of routes
 * and endpoints the proxy lets go by itself.
 */
function dropUnsayable(channel: Channel, difference: Difference, context: SendContext): Difference {
	const { variant, possessions } = context
	const { typeUrl, held } = channel
	if (variant === 'delta') return difference
	const isFull = answerIsFull(typeUrl)
	const dropped = difference.removals.filter((name) =>
		isFull ? !mayHave(held, name) : mayRemove(typeUrl, name, possessions),
	)
	if (dropped.length === 0) return difference
	if (isFull) channel.answerDue = true
	channel.held = afterTaking(channel.held, difference, [], dropped)
	return differenceOf(channel.held, difference.target)
}

/** Of a difference, what was not refused and may go now. `waits`: there is more, but all of it has to wait. */
function sendablePart(channel: Channel, difference: Difference, context: SendContext): Part | 'waits' {
	const { typeUrl, isolated } = channel
	const { possessions } = context
	const acceptable = acceptablePart(channel, difference, context)
	const upserts = acceptable.upserts.filter((resource) => mayAdd(resource, context))
	// A port that goes for another waits for it: where the new one is refused, the old one is better than none.
	const isReplaced = typeUrl === typeUrls.listener && difference.upserts.length > 0
	const removals = isReplaced ? [] : acceptable.removals.filter((name) => mayRemove(typeUrl, name, possessions))
	if (channel.hasUnknown && upserts.length < acceptable.upserts.length) return 'waits'
	const isWaiting = acceptable.upserts.length + acceptable.removals.length > 0
	if (upserts.length + removals.length === 0) return isWaiting ? 'waits' : nothing
	if (isolated.size === 0) return { upserts, removals }
	const together = upserts.filter(({ name, version }) => isolated.get(name) !== version)
	return together.length + removals.length > 0
		? { upserts: together, removals }
		: { upserts: upserts.slice(0, 1), removals }
}

function acceptablePart(channel: Channel, difference: Difference, context: SendContext): Part {
	const { typeUrl, held } = channel
	const { refusals } = context
	const isRetained = (name: string) => {
		const version = heldVersion(held, name)
		return version !== null && context.retained.has(typeUrl, name, version)
	}
	return {
		upserts: difference.upserts.filter(
			({ name, version }) => !refusals.has(typeUrl, name, version) && !isRetained(name),
		),
		removals: difference.removals.filter((name) => !refusals.has(typeUrl, name, '') && !isRetained(name)),
	}
}

export function responseTo({ channel, context, difference, part }: Due): Response {
	const { held, typeUrl, lastNonce } = channel
	const { variant, snapshot } = context
	return assembleResponse({
		variant,
		typeUrl,
		typeVersion: snapshot.types[typeUrl].version,
		held,
		difference,
		...part,
		lastNonce,
	})
}
