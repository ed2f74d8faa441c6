import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { EncodedResource, Snapshot, TypeSnapshot } from '#snapshot/snapshot.ts'
import { namesInRefusal, type Refusals } from './acks.ts'
import { answerIsFull, assembleResponse, type Response } from './assemble.ts'
import { type Claim, holdingOfClaim, wantedPart } from './claim.ts'
import {
	afterDoubt,
	afterRefusal,
	afterTaking,
	type Difference,
	differenceOf,
	emptyHolding,
	type Holding,
	heldVersion,
	isEmpty,
	withoutNames,
} from './holding.ts'
import { mayAdd, mayRemove, type Possession, type Possessions, type Situation } from './order.ts'
import type { Variant } from './request.ts'
import { isWanted, type Subscription, type SubscriptionChange, targetOf } from './subscription.ts'

// One type on one stream: what the proxy asks for, what it holds, and the one response that it has not answered yet.

export type Channel = Possession & {
	readonly typeUrl: TypeUrl
	/** Null until the stream's first request of this type. */
	subscription: Subscription | null
	held: Holding
	underway: Underway | null
	declared: boolean
	/** What a reconnecting proxy says it holds, until there is a snapshot to compare it with. */
	claim: Claim | null
	/** Nonce of the last response. */
	lastNonce: string
	/** Version of the last response that was accepted; names `held` in state of the world. */
	version: string
	/** From an earlier stream, until the proxy has said what it holds. */
	offered: Remembered['offered']
	/** The proxy waits for an answer even if there is nothing to tell. */
	answerDue: boolean
	/** State of the world: it holds something that nobody here knows, and would let go of what an answer leaves out. */
	hasUnknown: boolean
	/** State of the world: the names as the proxy last wrote them; null where they are not kept. */
	writtenNames: Uint8Array | null
	/** Name → version of resources that were refused together: each is sent alone until the bad one has shown itself. */
	readonly isolated: Map<string, string>
}

export type Underway = {
	readonly response: Response
	readonly upserts: readonly EncodedResource[]
	readonly removals: readonly string[]
	readonly sentMs: number
	/** What it was taken from. */
	readonly snapshot: Snapshot
	/** Names whose subscription changed meanwhile: the answer says nothing about them. */
	readonly touched: Set<string>
	overdue: boolean
}

/** What is remembered of one type of a proxy that was here before. */
export type Remembered = {
	readonly held: Holding
	readonly version: string
	/** What it holds if it accepted the last response after all: its answer may have been lost. */
	readonly offered: { readonly held: Holding; readonly version: string } | null
}

export function createChannel(typeUrl: TypeUrl, remembered: Remembered | null): Channel {
	return {
		typeUrl,
		subscription: null,
		held: remembered?.held ?? emptyHolding,
		underway: null,
		declared: false,
		claim: null,
		lastNonce: '',
		version: remembered?.version ?? '',
		offered: remembered?.offered ?? null,
		answerDue: false,
		hasUnknown: false,
		writtenNames: null,
		isolated: new Map(),
	}
}

/** What to remember once the stream has ended. What was on its way then may or may not have arrived. */
export function rememberChannel(channel: Channel): Remembered {
	const { held, underway, version, offered } = channel
	if (underway === null) return { held, version, offered }
	const { response, upserts, removals } = underway
	const accepted = { held: response.after, version: response.version }
	return { held: afterDoubt(held, upserts, removals), version, offered: accepted }
}

/** Replaces the claim of a reconnected proxy by what it holds, as far as that is known. */
export function settleClaim(channel: Channel, snapshot: Snapshot): void {
	const { claim, subscription, held, version, offered, typeUrl } = channel
	if (claim === null || subscription === null) return
	channel.claim = null
	channel.offered = null
	const type = snapshot.types[typeUrl]
	const known = holdingOfClaim(claim, {
		subscription,
		memory: { accepted: { held, version }, offered },
		target: targetOf(type, subscription),
		typeVersion: type.version,
		snapshot,
	})
	channel.held = known ?? emptyHolding
	if (claim.kind === 'version') channel.version = claim.version
	if (known !== null || !answerIsFull(typeUrl)) return
	channel.answerDue = true
	channel.hasUnknown = true
}

export function changeSubscription(channel: Channel, change: SubscriptionChange, subscription: Subscription): void {
	const { forgotten, added } = change
	const shrinks = channel.subscription !== null && channel.subscription.wildcard !== 'none'
	channel.subscription = subscription
	channel.held = withoutNames(channel.held, forgotten)
	if (channel.claim?.kind === 'versions') channel.claim = withoutClaims(channel.claim.versions, forgotten)
	if (shrinks && subscription.wildcard === 'none') channel.held = wantedPart(channel.held, subscription)
	for (const name of [...forgotten, ...added]) channel.underway?.touched.add(name)
	for (const name of forgotten) channel.isolated.delete(name)
}

function withoutClaims(versions: ReadonlyMap<string, string>, names: readonly string[]): Claim {
	const left = new Map(versions)
	for (const name of names) left.delete(name)
	return { kind: 'versions', versions: left }
}

/** Of these names, those that the proxy asks for are to be sent again, whatever it holds. */
export function resendNames(channel: Channel, names: readonly (string | null)[]): void {
	const { subscription } = channel
	if (subscription === null) return
	const again = names.filter((name) => name !== null).filter((name) => isWanted(subscription, name))
	if (again.length === 0) return
	channel.held = withoutNames(channel.held, again)
	for (const name of again) channel.underway?.touched.add(name)
}

export function acceptResponse(channel: Channel, refusals: Refusals): void {
	const { underway } = channel
	if (underway === null) return
	channel.underway = null
	channel.hasUnknown = false
	channel.version = underway.response.version
	channel.held = withoutTouched(underway.response.after, underway.touched, channel)
	for (const { name, version } of underway.upserts) {
		refusals.forget(channel.typeUrl, name, version)
		if (channel.isolated.get(name) === version) channel.isolated.delete(name)
	}
	for (const name of underway.removals) refusals.forget(channel.typeUrl, name, '')
}

/**
 * The response was refused. Envoy may have applied any part of it but what it names; when its words name nothing and
 * there are several, each is tried alone.
 */
export function refuseResponse(channel: Channel, refusals: Refusals, text: string): void {
	const { underway, typeUrl } = channel
	if (underway === null) return
	channel.underway = null
	const upserts = underway.upserts.filter(({ name }) => !underway.touched.has(name))
	const removals = underway.removals.filter((name) => !underway.touched.has(name))
	const names = upserts.map(({ name }) => name)
	const bad = blamed(text, names, removals)
	const isBad = new Set(bad)
	const rest = upserts.filter(({ name }) => !isBad.has(name))
	const badUpserts = upserts.filter(({ name }) => isBad.has(name))
	// A removal that was refused may have happened all the same.
	channel.held = afterDoubt(afterRefusal(channel.held, badUpserts), rest, removals)
	for (const name of bad) {
		const version = upserts.find((resource) => resource.name === name)?.version ?? ''
		refusals.add({ typeUrl, name, version, text })
		channel.isolated.delete(name)
	}
	if (bad.length === 0) for (const { name, version } of rest) channel.isolated.set(name, version)
}

function blamed(text: string, names: readonly string[], removals: readonly string[]): readonly string[] {
	const named = namesInRefusal(text, [...names, ...removals])
	if (named.length > 0) return named
	if (names.length === 1) return names
	return names.length === 0 ? removals : []
}

export type SendContext = {
	readonly variant: Variant
	readonly snapshot: Snapshot
	readonly possessions: Possessions
	readonly proxy: Situation['proxy']
	readonly refusals: Refusals
	/** Whether the proxy is to keep the version that it holds, whatever the snapshot says. */
	readonly retains: (typeUrl: TypeUrl, name: string, version: string) => boolean
}

/** False when there is surely nothing to say of the type, whatever else the proxy holds. */
export function mayBeDue({ subscription, underway, claim, held, answerDue }: Channel, type: TypeSnapshot): boolean {
	if (subscription === null) return false
	if (claim !== null) return true
	return underway === null && (answerDue || held !== targetOf(type, subscription))
}

/** The next response, or null when nothing is due or may go out yet. */
export function nextResponse(channel: Channel, context: SendContext): Response | null {
	const { subscription } = channel
	if (subscription === null || channel.underway !== null) return null
	const target = targetOf(context.snapshot.types[channel.typeUrl], subscription)
	if (channel.held === target && !channel.answerDue) return null
	const difference = dropUnsayable(channel, differenceOf(channel.held, target), context)
	if (isEmpty(difference)) {
		channel.held = target
		channel.isolated.clear()
		return channel.answerDue ? assemble(channel, context, difference, nothing) : null
	}
	const part = sendablePart(channel, difference, context)
	if (part === 'waits') return null
	if (part.upserts.length === 0 && part.removals.length === 0 && !channel.answerDue) return null
	return assemble(channel, context, difference, part)
}

/** Version that the proxy holds, or says it holds; null while that is in doubt. */
export function versionHeld(channel: Channel, name: string): string | null {
	if (channel.claim?.kind === 'versions') return channel.claim.versions.get(name) ?? null
	return heldVersion(channel.held, name)
}

/** Whether the proxy holds exactly what it should of all that it asked for, and has said so. */
export function isSettled(channel: Channel, snapshot: TypeSnapshot): boolean {
	const { subscription } = channel
	if (subscription === null || channel.underway !== null || channel.claim !== null) return false
	const target = targetOf(snapshot, subscription)
	return channel.held === target || isEmpty(differenceOf(channel.held, target))
}

type Part = { readonly upserts: readonly EncodedResource[]; readonly removals: readonly string[] }
const nothing: Part = { upserts: [], removals: [] }

/** State of the world has no words for 'there is no such route or endpoint': the proxy lets go of them by itself. */
function dropUnsayable(channel: Channel, difference: Difference, context: SendContext): Difference {
	const { variant, possessions } = context
	if (variant === 'delta' || answerIsFull(channel.typeUrl)) return difference
	const dropped = difference.removals.filter((name) => mayRemove(channel.typeUrl, name, possessions))
	if (dropped.length === 0) return difference
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
		return version !== null && context.retains(typeUrl, name, version)
	}
	return {
		upserts: difference.upserts.filter(
			({ name, version }) => !refusals.has(typeUrl, name, version) && !isRetained(name),
		),
		removals: difference.removals.filter((name) => !refusals.has(typeUrl, name, '') && !isRetained(name)),
	}
}

function assemble(channel: Channel, context: SendContext, difference: Difference, part: Part): Response {
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

/** What was touched meanwhile is as the subscription change left it. */
function withoutTouched(after: Holding, touched: ReadonlySet<string>, channel: Channel): Holding {
	const { subscription } = channel
	const left = touched.size === 0 ? after : withoutNames(after, touched)
	if (touched.size === 0 || subscription === null) return left
	return wantedPart(left, subscription)
}

/** Types of which the proxy needs an answer before it goes on starting. */
export const awaitedAtStart: ReadonlySet<TypeUrl> = new Set([typeUrls.cluster, typeUrls.listener])
