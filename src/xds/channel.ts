import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { EncodedResource, Snapshot, TypeSnapshot } from '#snapshot/snapshot.ts'
import { namesInRefusal, type Refusals } from './acks.ts'
import { answerIsFull, type Response } from './assemble.ts'
import { type Claim, holdingOfClaim, wantedPart } from './claim.ts'
import {
	afterDoubt,
	afterRefusal,
	differenceOf,
	emptyHolding,
	type Holding,
	heldVersion,
	isEmpty,
	withoutNames,
} from './holding.ts'
import { isGoing, type Possession } from './order.ts'
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
	isolated: ReadonlyMap<string, string>
}

export type Channels = Readonly<Record<TypeUrl, Channel>>

export type Underway = {
	readonly response: Response
	readonly upserts: readonly EncodedResource[]
	readonly removals: readonly string[]
	/** What it was taken from. */
	readonly snapshot: Snapshot
	/** Names whose subscription changed meanwhile: the answer says nothing about them. */
	readonly touched: ReadonlySet<string>
	/** It was not answered in time. */
	readonly overdue: boolean
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
		isolated: noneIsolated,
	}
}

export const noneIsolated: ReadonlyMap<string, string> = new Map()

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
	touch(channel, forgotten)
	touch(channel, added)
	join(channel, forgotten)
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
	touch(channel, again)
}

/** Of other names the answer says nothing anyway, and of these a proxy may bring any number before it answers. */
function touch(channel: Channel, names: readonly string[]): void {
	const { underway } = channel
	if (underway === null) return
	const { response, touched } = underway
	const concerned = names.filter((name) => response.after.has(name) || isGoing(name, underway))
	if (concerned.length > 0) channel.underway = { ...underway, touched: new Set([...touched, ...concerned]) }
}

/** These are no longer to be sent alone. */
function join(channel: Channel, names: readonly string[]): void {
	if (!names.some((name) => channel.isolated.has(name))) return
	const left = new Map(channel.isolated)
	for (const name of names) left.delete(name)
	channel.isolated = left
}

export function acceptResponse(channel: Channel, refusals: Refusals): void {
	const { underway } = channel
	if (underway === null) return
	channel.underway = null
	channel.hasUnknown = false
	// Whether it took an earlier one does not matter any more.
	channel.offered = null
	channel.version = underway.response.version
	channel.held = withoutTouched(underway.response.after, underway.touched, channel)
	for (const { name, version } of underway.upserts) refusals.forget(channel.typeUrl, name, version)
	for (const name of underway.removals) refusals.forget(channel.typeUrl, name, '')
	const taken = underway.upserts.filter(({ name, version }) => channel.isolated.get(name) === version)
	join(
		channel,
		taken.map(({ name }) => name),
	)
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
	const versions = new Map(badUpserts.map(({ name, version }) => [name, version]))
	// A removal that was refused may have happened all the same.
	channel.held = afterDoubt(afterRefusal(channel.held, badUpserts), rest, removals)
	for (const name of bad) refusals.add({ typeUrl, name, version: versions.get(name) ?? '', text })
	join(channel, bad)
	if (bad.length > 0) return
	channel.isolated = new Map([...channel.isolated, ...rest.map(({ name, version }) => [name, version] as const)])
}

function blamed(text: string, names: readonly string[], removals: readonly string[]): readonly string[] {
	const named = namesInRefusal(text, [...names, ...removals])
	if (named.length > 0) return named
	if (names.length === 1) return names
	return names.length === 0 ? removals : []
}

export function markOverdue(channel: Channel): void {
	if (channel.underway !== null) channel.underway = { ...channel.underway, overdue: true }
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

/** What was touched meanwhile is as the subscription change left it. */
function withoutTouched(after: Holding, touched: ReadonlySet<string>, channel: Channel): Holding {
	const { subscription } = channel
	const left = touched.size === 0 ? after : withoutNames(after, touched)
	if (touched.size === 0 || subscription === null) return left
	return wantedPart(left, subscription)
}

/** Types of which the proxy needs an answer before it goes on starting. */
export const awaitedAtStart: ReadonlySet<TypeUrl> = new Set([typeUrls.cluster, typeUrls.listener])
