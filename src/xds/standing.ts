import { limits } from '#base/limits.ts'
import { madeOfBoth } from '#base/made-of-both.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { Snapshot, TypeSnapshot } from '#snapshot/snapshot.ts'
import type { Refusals } from './acks.ts'
import { type Channel, type Channels, isSettled } from './channel.ts'
import type { Rejection } from './fleet-view.ts'
import { differenceOf, mayHave, referencesOf } from './holding.ts'
import { missingReferences } from './missing-references.ts'
import { mayAdd, mayRemove, perType, sendOrder } from './order.ts'
import { type Subscription, targetOf } from './subscription.ts'

// Where a stream stands with its group's snapshot: what the fleet's view is counted from.

export type TypeState = 'current' | 'pending' | 'rejected'

export type Standing = {
	readonly channels: Channels
	readonly snapshot: Snapshot
	readonly refusals: Refusals
}

/**
 * `rejected`: the proxy refused some of the present snapshot, or has not answered for it in time, or all that is still
 * missing waits for what it refused. Nothing more will come then, and nobody is to wait for it.
 */
export function typeState(typeUrl: TypeUrl, standing: Standing): TypeState {
	const channel = standing.channels[typeUrl]
	if (channel.underway?.overdue || refusedOf(typeUrl, standing).length > 0) return 'rejected'
	if (isCurrent(channel, standing.snapshot)) return 'current'
	return standing.refusals.size > 0 && waitsForRefused(channel, standing) ? 'rejected' : 'pending'
}

/** As `typeState`, of what the proxy has asked for on this stream. */
export function stateOfAsked(typeUrl: TypeUrl, standing: Standing): TypeState {
	const channel = standing.channels[typeUrl]
	if (channel.underway?.overdue || refusedOf(typeUrl, standing).length > 0) return 'rejected'
	return isSettled(channel, standing.snapshot.types[typeUrl]) ? 'current' : 'pending'
}

/** Everything refused or overdue; which proxy it is, is for the caller to add. */
export function rejectionsOf(standing: Standing): Omit<Rejection, 'proxy'>[] {
	const found: Omit<Rejection, 'proxy'>[] = []
	for (const typeUrl of sendOrder) {
		found.push(...refusedOf(typeUrl, standing))
		const { underway } = standing.channels[typeUrl]
		if (!underway?.overdue) continue
		const text = `no answer in ${limits.xdsAnswerMs / 1000} s`
		for (const { name, version } of underway.upserts) found.push({ typeUrl, name, version, text })
		for (const name of underway.removals) found.push({ typeUrl, name, version: '', text })
	}
	return found
}

const nothing: Omit<Rejection, 'proxy'>[] = []

/** A refusal counts while the snapshot holds the refused version; it is remembered for longer. */
function refusedOf(of: TypeUrl, { channels, snapshot, refusals }: Standing): Omit<Rejection, 'proxy'>[] {
	if (refusals.size === 0) return nothing
	const { resources } = snapshot.types[of]
	return [...refusals.list()].filter(({ typeUrl, name, version }) => {
		if (typeUrl !== of) return false
		const wanted = resources.get(name)
		return version === '' ? wanted === undefined && mayHave(channels[of].held, name) : wanted?.version === version
	})
}

/**
 * A listener that stays as it was asks for none of the new one's routes, and keeps the old ones, which keep their
 * clusters: such a difference lasts until the refused change is another.
 */
function waitsForRefused(channel: Channel, standing: Standing): boolean {
	const { channels, snapshot } = standing
	const { subscription, underway, claim, held, typeUrl } = channel
	if (subscription === null || underway !== null || claim !== null) return false
	const refused = sendOrder.flatMap((other) => refusedOf(other, standing))
	if (refused.length === 0 || !coversAll(subscription, requiredNames(typeUrl, withoutRefused(snapshot, refused))))
		return false
	const { upserts, removals } = differenceOf(held, targetOf(snapshot.types[typeUrl], subscription))
	const situation = { possessions: channels, snapshot, proxy: 'inUse' } as const
	// What waits for endpoints or a secret will come with them.
	return (
		upserts.every((resource) => !mayAdd(resource, situation) && missingReferences(resource, snapshot).length === 0) &&
		removals.every((name) => !mayRemove(typeUrl, name, channels))
	)
}

type Resources = { readonly types: Readonly<Record<TypeUrl, Pick<TypeSnapshot, 'resources'>>> }

function withoutRefused({ types }: Snapshot, refused: readonly Pick<Rejection, 'typeUrl' | 'name'>[]): Resources {
	const kept = (typeUrl: TypeUrl) => {
		const names = new Set(refused.filter((one) => one.typeUrl === typeUrl).map(({ name }) => name))
		return new Map([...types[typeUrl].resources].filter(([name]) => !names.has(name)))
	}
	return { types: perType((typeUrl) => ({ resources: kept(typeUrl) })) }
}

function isCurrent(channel: Channel, snapshot: Snapshot): boolean {
	const { subscription, typeUrl, underway } = channel
	if (underway !== null) return false
	const required = requiredOf(snapshot)[typeUrl]
	if (subscription === null) return required.every((names) => names.size === 0)
	if (!coversAll(subscription, required)) return false
	return isSettled(channel, snapshot.types[typeUrl])
}

/** Whether these ask together for all that a proxy must ask for before it can have all of the snapshot. */
export function coversTogether(asked: readonly Subscription[], typeUrl: TypeUrl, snapshot: Snapshot): boolean {
	if (asked.some(({ wildcard }) => wildcard !== 'none')) return true
	const names = requiredOf(snapshot)[typeUrl].flatMap((required) => [...required.keys()])
	return names.every((name) => asked.some((subscription) => subscription.names.has(name)))
}

type Names = ReadonlySet<string> | ReadonlyMap<string, unknown>

function coversAll(subscription: Subscription, required: readonly Names[]): boolean {
	return required.every((names) => covers(subscription, names))
}

/** Whether all of these are asked for. Worked out once for all streams that ask for the same. */
const covers = madeOfBoth(
	({ wildcard, names }: Subscription, required: Names): boolean =>
		wildcard !== 'none' || [...required.keys()].every((name) => names.has(name)),
)

const requiredBySnapshot = new WeakMap<Snapshot, Record<TypeUrl, readonly Names[]>>()

/** Asked for each stream that goes alone at every push and ACK. */
function requiredOf(snapshot: Snapshot): Record<TypeUrl, readonly Names[]> {
	let required = requiredBySnapshot.get(snapshot)
	if (required === undefined) {
		required = perType((typeUrl) => requiredNames(typeUrl, snapshot))
		requiredBySnapshot.set(snapshot, required)
	}
	return required
}

/** Names that a proxy must have asked for before it can have all of a snapshot. */
function requiredNames(typeUrl: TypeUrl, { types }: Resources): readonly Names[] {
	const clusters = types[typeUrls.cluster].resources
	const listeners = types[typeUrls.listener].resources
	switch (typeUrl) {
		case typeUrls.route:
			return [referencesOf(listeners).routes]
		case typeUrls.endpoint:
			return [referencesOf(clusters).endpoints]
		case typeUrls.secret:
			return [referencesOf(clusters).secrets, referencesOf(listeners).secrets]
		default:
			return [types[typeUrl].resources]
	}
}
