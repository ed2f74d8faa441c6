import type { TypeUrl } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { ProxyStanding } from './fleet-view.ts'
import { emptyHolding, type Held } from './holding.ts'
import { type Possessions, perType } from './order.ts'
import { coversTogether, type TypeState } from './standing.ts'
import type { ProxyMemory } from './stream-port.ts'
import type { XdsStream } from './xds-stream.ts'

// A proxy may have a stream for each type, or for each resource, in the place of the aggregated one or beside it. Each is
// told its own type, and nothing here puts what one is told after what another has accepted.

/** What is taken to be there by a stream of one type: of the others, all that is served. */
export function besideOthers(own: TypeUrl, channels: Possessions, { types }: Snapshot): Possessions {
	return perType((typeUrl) => {
		if (typeUrl === own) return channels[own]
		return { subscription: null, held: types[typeUrl].resources, underway: null, declared: true }
	})
}

/** The streams that speak for a proxy: its newest aggregated one and the separate ones. The newest is first. */
export function speakingStreams(streams: readonly XdsStream[]): readonly XdsStream[] {
	const aggregated = streams.findLast(({ serves }) => serves === 'all')
	return streams.filter((stream) => stream.serves !== 'all' || stream === aggregated).reverse()
}

/** Those of them that have a part in this type. */
export function speakersOf(speaking: readonly XdsStream[], typeUrl: TypeUrl): readonly XdsStream[] {
	return speaking.filter(({ serves }) => serves === 'all' || serves === typeUrl)
}

/** Where a proxy stands: as its worst stream does, and what has to be asked for may be asked for on any of them. */
export function stateTogether(streams: readonly XdsStream[], typeUrl: TypeUrl, snapshot: Snapshot | null): TypeState {
	if (streams.every(({ serves }) => serves === 'all')) return worst(streams.map((stream) => stream.state(typeUrl)))
	if (snapshot === null) return 'pending'
	const asking = streams.filter((stream) => stream.asked(typeUrl) !== null)
	const subscriptions = asking.flatMap((stream) => stream.asked(typeUrl) ?? [])
	const isAllAskedFor = coversTogether(subscriptions, typeUrl, snapshot)
	return worst([...asking.map((stream) => stream.stateOfAsked(typeUrl)), isAllAskedFor ? 'current' : 'pending'])
}

/** No stream, no proof. */
function worst(states: readonly TypeState[]): TypeState {
	if (states.includes('rejected')) return 'rejected'
	return states.length === 0 || states.includes('pending') ? 'pending' : 'current'
}

/** Number of resources held over all streams of a proxy, and the version of a type's newest response that was accepted. */
export function heldTogether(streams: readonly XdsStream[]): ProxyStanding['held'] {
	const speaking = speakingStreams(streams)
	return perType((typeUrl) => {
		const all = speakersOf(speaking, typeUrl).map((stream) => stream.holding(typeUrl))
		const count = all.reduce((sum, holding) => sum + holding.count, 0)
		return { count, version: all.find(({ version }) => version !== '')?.version ?? '' }
	})
}

/** What a proxy has accepted on the streams that speak for it. */
export function channelsTogether(speaking: readonly XdsStream[]): ProxyMemory['channels'] {
	return perType((typeUrl) => {
		const [only, ...more] = speakersOf(speaking, typeUrl).map((stream) => stream.memory().channels[typeUrl])
		if (only === undefined) return { held: emptyHolding, version: '', offered: null }
		if (more.length === 0) return only
		const held = new Map<string, Held>([...more.reverse(), only].flatMap((one) => [...one.held]))
		return { ...only, held }
	})
}
