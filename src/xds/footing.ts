import { sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import { madeOfBoth } from '#base/made-of-both.ts'
import type { TypeUrl } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { noRefusals } from './acks.ts'
import type { Response } from './assemble.ts'
import type { Channel, Channels } from './channel.ts'
import { perType, sendOrder } from './order.ts'
import type { Variant } from './request.ts'
import { typeState } from './standing.ts'
import { type TypeStates, typeStates } from './type-states.ts'

// Streams that stand alike share one footing: all that decides what such a stream is told next. What the first of them is
// told of a new snapshot, or once it has accepted a response, the others are told too, without working it out again.

export type Footing = {
	/** Shared: never to be changed. Who goes on alone changes a copy. */
	readonly channels: Channels
	/** The proxy has said that it holds something: it is no newly started one. */
	readonly hasHistory: boolean
	readonly variant: Variant
}

/** What moves a stream on: it is to be served another snapshot, or has accepted the last response of a type. */
export type Cause = 'served' | TypeUrl

/** Where that leads. */
export type Step = { readonly responses: readonly Response[]; readonly after: Footing }

export type FootingPool = {
	/** The one footing of all streams that stand so; null where a stream has something that is its own. */
	shared(footing: Footing): Footing | null
}

export function createFootingPool(): FootingPool {
	// What nobody stands on any more is not held on to.
	const pool = new Map<string, WeakRef<Footing>>()
	return {
		shared(footing) {
			const { channels, hasHistory, variant } = footing
			if (!sendOrder.every((typeUrl) => isSharable(channels[typeUrl]))) return null
			const parts = sendOrder.map((typeUrl) => describe(channels[typeUrl]))
			// Hashed, since a proxy chooses what it says that its version is, and how long that is.
			const key = sha256Hex([variant, hasHistory, ...parts].join('\n'))
			const known = pool.get(key)?.deref()
			if (known !== undefined) return known
			if (pool.size >= limits.xdsFootingsShared) pool.clear()
			pool.set(key, new WeakRef(footing))
			return footing
		},
	}
}

/** Nothing in it came about by what one proxy alone has said or refused. */
function isSharable({ claim, offered, answerDue, hasUnknown, isolated, underway }: Channel): boolean {
	if (claim !== null || offered !== null || answerDue || hasUnknown || isolated.size > 0) return false
	return underway === null || (underway.touched.size === 0 && !underway.overdue)
}

/** The same text for channels of one type that are alike, of those that are sharable. */
function describe({ subscription, held, underway, declared, lastNonce, version, writtenNames }: Channel): string {
	const objects = [subscription, held, underway?.response ?? null, underway?.snapshot ?? null, writtenNames]
	return [...objects.map(numberOf), declared, lastNonce, `${version.length} ${version}`].join('\n')
}

const numbers = new WeakMap<object, number>()
let objectsSeen = 0

function numberOf(object: object | null): number {
	if (object === null) return 0
	let number = numbers.get(object)
	if (number === undefined) {
		objectsSeen += 1
		number = objectsSeen
		numbers.set(object, number)
	}
	return number
}

/** For a stream that goes on alone. */
export function copyChannels(channels: Channels): Channels {
	return perType((typeUrl) => ({ ...channels[typeUrl] }))
}

type Known = { readonly steps: Map<Cause, Step>; states: TypeStates | null }

/** What is known of a footing while this snapshot is served. It is let go of with either. */
const knownAt = madeOfBoth((_snapshot: Snapshot, _footing: Footing): Known => ({ steps: new Map(), states: null }))

/** Where the cause leads from there; undefined while nobody has gone that way. */
export function knownStep(footing: Footing, snapshot: Snapshot, cause: Cause): Step | undefined {
	return knownAt(snapshot, footing).steps.get(cause)
}

/** The first has gone that way. */
export function noteStep(
	footing: Footing,
	snapshot: Snapshot,
	way: { readonly cause: Cause; readonly step: Step },
): void {
	knownAt(snapshot, footing).steps.set(way.cause, way.step)
}

export function statesOn(footing: Footing, snapshot: Snapshot): TypeStates {
	const known = knownAt(snapshot, footing)
	known.states ??= typeStates((typeUrl) =>
		typeState(typeUrl, { channels: footing.channels, snapshot, refusals: noRefusals }),
	)
	return known.states
}
