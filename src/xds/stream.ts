import type { Clock, Timer } from '#base/clock.ts'
import type { CallStatus } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { type Ack, asksTheSame, keptNames, readAck } from './ack.ts'
import { createRefusals, forgetKept } from './acks.ts'
import { beginChannel, forgetUnasked } from './begin-channel.ts'
import {
	acceptResponse,
	awaitedAtStart,
	type Channel,
	changeSubscription,
	createChannel,
	refuseResponse,
	rememberChannel,
	resendNames,
	settleClaim,
	versionHeld,
} from './channel.ts'
import { reportedBy } from './claim.ts'
import { createDeadlines } from './deadlines.ts'
import { emptyHolding } from './holding.ts'
import { isAnythingDue, mayBeDue, nextResponse } from './next-response.ts'
import { goesNothingThrough, perType, sendOrder } from './order.ts'
import { putUnderway } from './put-underway.ts'
import { type DiscoveryRequest, readRequest, type Variant } from './request.ts'
import { besideOthers } from './separate-streams.ts'
import { servedTo } from './served-to.ts'
import type { Serves } from './services.ts'
import { rejectionsOf, stateOfAsked, typeState } from './standing.ts'
import type { Admission, StreamPort } from './stream-port.ts'
import { changeDelta, changeStateOfTheWorld, type SubscriptionPool } from './subscription.ts'
import type { XdsStream } from './xds-stream.ts'

// One ADS stream without its transport: request bytes in, response bytes out. It sends what the proxy lacks of its
// group's snapshot, in an order that never breaks traffic, and keeps what the proxy has answered.

export type StreamOptions = {
	readonly variant: Variant
	readonly clock: Clock
	readonly port: StreamPort
	readonly subscriptions: SubscriptionPool
	/** Not given: `all`. */
	readonly serves?: Serves
}

const servedTypes: ReadonlySet<string> = new Set(sendOrder)

export function createXdsStream(options: StreamOptions): XdsStream {
	const { variant, clock, port, subscriptions, serves = 'all' } = options
	let phase: 'unknown' | 'admitted' | 'ended' = 'unknown'
	let admittedAs = ''
	let retains: Admission['retains'] = () => false
	let snapshot: Snapshot | null = null
	let refusals = createRefusals()
	let channels = perType((typeUrl) => createChannel(typeUrl, null))
	/** The proxy said that it holds something: it is no newly started one. */
	let hasHistory = false
	let endpointsWait: Timer | null = null
	let settleWait: Timer | null = null
	let isPumping = false
	let hasIgnored = false
	const deadlines = createDeadlines({
		clock,
		channels: () => channels,
		onUnread: () => end({ code: 'DEADLINE_EXCEEDED', message: `nothing was read for ${limits.xdsSendMs} ms` }),
		onOverdue: () => port.changed(),
	})

	function receive(message: Uint8Array): void {
		if (phase === 'ended') return
		const ack = readAck(variant, message)
		const isTaken = (ack !== null && takeAck(ack)) || receiveWhole(message, ack)
		if (!isTaken) return
		pump()
		if (!isEnded()) port.changed()
	}

	/** False when there is nothing more to do: the request was no good, or is nobody's. */
	function receiveWhole(message: Uint8Array, ack: Ack | null): boolean {
		const request = readRequest(variant, message)
		if (!request.ok) return endWith('INVALID_ARGUMENT', request.error)
		if (!admit(request.value) || isEnded()) return false
		// A service of one type need not be told which.
		const typeUrl = request.value.typeUrl === '' && serves !== 'all' ? serves : request.value.typeUrl
		if (typeUrl === '') return endWith('INVALID_ARGUMENT', 'a request on this stream must name a type')
		if (serves !== 'all' && typeUrl !== serves) return endWith('INVALID_ARGUMENT', `this service has only ${serves}`)
		if (!isServed(typeUrl)) return ignore(typeUrl)
		take(channels[typeUrl], request.value, ack?.names ?? null)
		return true
	}

	function endWith(code: CallStatus['code'], message: string): false {
		end({ code, message })
		return false
	}

	/** False when it is more than an ACK. */
	function takeAck(ack: Ack): boolean {
		const { typeUrl, nonce } = ack
		if (phase !== 'admitted') return false
		const channel = channels[typeUrl]
		if (!asksTheSame(channel, ack, variant)) return false
		if (channel.underway?.response.nonce === nonce) acceptResponse(channel, refusals)
		return true
	}

	function isEnded(): boolean {
		return phase === 'ended'
	}

	function admit(request: DiscoveryRequest): boolean {
		if (request.node === null) {
			if (phase === 'unknown') end({ code: 'INVALID_ARGUMENT', message: 'the first request must carry the node' })
			return phase === 'admitted'
		}
		const admitted = port.admit(request.node)
		if (!admitted.ok) return endWith(admitted.error.code, admitted.error.message)
		const { key, memory } = admitted.value
		if (phase === 'admitted' && key !== admittedAs) {
			return endWith('PERMISSION_DENIED', 'the node of a stream must not change')
		}
		if (phase === 'unknown') {
			phase = 'admitted'
			admittedAs = key
			snapshot = admitted.value.snapshot
			retains = admitted.value.retains
			if (memory !== null) {
				refusals = memory.refusals
				channels = perType((typeUrl) => createChannel(typeUrl, memory.channels[typeUrl]))
			}
			settleWait = clock.setTimer(limits.xdsSettleMs, settle)
		}
		return true
	}

	/** Most likely another control plane's type, named in a bootstrap of the user's own: no reason to serve nothing. */
	function ignore(typeUrl: string): false {
		if (!hasIgnored) port.ignored(typeUrl)
		hasIgnored = true
		return false
	}

	/** @param names as they are written, where that is known */
	function take(channel: Channel, request: DiscoveryRequest, names: Uint8Array | null): void {
		const { subscription, typeUrl } = channel
		const changed =
			request.variant === 'delta'
				? changeDelta(subscription, typeUrl, request)
				: changeStateOfTheWorld(subscription, typeUrl, request)
		if (!changed.ok) return end({ code: 'INVALID_ARGUMENT', message: changed.error })
		if (subscription === null) begin(channel, request)
		else if (request.variant === 'stateOfTheWorld') {
			// Written before the last response arrived: the proxy repeats all of it with its answer to that, but for a name
			// that it let go of and asks for again by then.
			if (request.nonce !== channel.lastNonce) return resendNames(channel, changed.value.forgotten)
			const isNewName = changed.value.added.length > 0
			if (isNewName && awaitedAtStart.has(typeUrl)) channel.answerDue = true
		}
		if (channel.underway !== null && channel.underway.response.nonce === request.nonce) {
			if (request.refusal === null) acceptResponse(channel, refusals)
			else refuseResponse(channel, refusals, request.refusal)
		}
		const isSame = changed.value.subscription === subscription
		const next = isSame ? changed.value.subscription : subscriptions.shared(changed.value.subscription)
		changeSubscription(channel, changed.value, next)
		if (variant === 'stateOfTheWorld') channel.writtenNames = names === null ? null : keptNames(next, names)
	}

	function begin(channel: Channel, request: DiscoveryRequest): void {
		const { typeUrl } = channel
		hasHistory = beginChannel(channel, request, { channels, refusals, hasHistory })
		if (typeUrl === typeUrls.cluster) stopEndpointsWait()
		const clustersCameFirst = channels[typeUrls.cluster].subscription !== null
		if (typeUrl === typeUrls.endpoint && serves === 'all' && channel.claim !== null && !clustersCameFirst) {
			endpointsWait = clock.setTimer(limits.xdsSettleMs, resendEndpoints)
		}
	}

	/** No request for clusters came: the proxy is warming some and waits for their endpoints, whatever it claims. */
	function resendEndpoints(): void {
		const channel = channels[typeUrls.endpoint]
		channel.claim = null
		channel.held = emptyHolding
		endpointsWait = null
		pump()
	}

	function stopEndpointsWait(): void {
		endpointsWait?.cancel()
		endpointsWait = null
	}

	/** What the proxy has not asked for by now it does not use; only its clusters may be late, while some are warming. */
	function settle(): void {
		settleWait = null
		for (const typeUrl of sendOrder) {
			if (typeUrl === typeUrls.cluster && mayHaveClusters()) continue
			channels[typeUrl].declared = true
			forgetUnasked(channels[typeUrl])
		}
		pump()
	}

	/** None are served, none are remembered, and it has spoken of nothing: it has come for something else. */
	function mayHaveClusters(): boolean {
		const { held } = channels[typeUrls.cluster]
		return hasHistory || held.size > 0 || snapshot?.types[typeUrls.cluster].resources.size !== 0
	}

	function serve(next: Snapshot | null): void {
		snapshot = next
		if (next !== null && refusals.size > 0) forgetKept(refusals, next)
		pump()
	}

	function pump(): void {
		if (phase !== 'admitted' || snapshot === null || isPumping || !isAnythingDue(channels, snapshot)) return
		isPumping = true
		for (const typeUrl of sendOrder) {
			if (typeUrl !== typeUrls.endpoint || endpointsWait === null) settleClaim(channels[typeUrl], snapshot)
		}
		// In state of the world a name may be dropped without a word, after what waits for that was looked at.
		while (sendDue(snapshot)) {}
		isPumping = false
		if (!isEnded()) deadlines.arm()
	}

	/** Looks at each type once. Whether what the proxy is taken to hold has changed by that. */
	function sendDue(snapshot: Snapshot): boolean {
		const before = sendOrder.map((typeUrl) => channels[typeUrl].held)
		for (const typeUrl of sendOrder) {
			if (deadlines.unflushed >= limits.xdsUnflushed || phase !== 'admitted') return false
			if (typeUrl === typeUrls.endpoint && endpointsWait !== null) continue
			const channel = channels[typeUrl]
			const served = servedTo(channel, channels, snapshot)
			if (!mayBeDue(channel, served.types[typeUrl])) continue
			const isIdle = serves === 'all' ? goesNothingThrough(channels) : channel.held.size === 0
			const proxy = hasHistory || !isIdle ? 'inUse' : 'new'
			const possessions = serves === 'all' ? channels : besideOthers(serves, channels, served)
			const context = { variant, snapshot: served, possessions, proxy, refusals, retains } as const
			const response = nextResponse(channel, context)
			if (response === null) continue
			const sentMs = clock.monotonicMs()
			putUnderway(response, { channel, channels, snapshot, sentMs })
			deadlines.sent(sentMs)
			port.send(response.bytes, flushed)
		}
		return sendOrder.some((typeUrl, index) => channels[typeUrl].held !== before[index])
	}

	function flushed(): void {
		// Nothing else has waited for it.
		const wasFull = deadlines.unflushed >= limits.xdsUnflushed
		deadlines.flushed()
		if (wasFull) pump()
	}

	function close(): void {
		phase = 'ended'
		endpointsWait?.cancel()
		settleWait?.cancel()
		deadlines.cancel()
	}

	function end(status: CallStatus): void {
		if (phase === 'ended') return
		close()
		port.end(status)
	}

	return {
		serves,
		receive,
		serve,
		close,
		end,
		state(typeUrl) {
			if (snapshot === null) return 'pending'
			const endpointsWaits = typeUrl === typeUrls.endpoint && endpointsWait !== null
			const state = typeState(typeUrl, { channels, snapshot, refusals })
			return endpointsWaits && state === 'current' ? 'pending' : state
		},
		stateOfAsked: (typeUrl) =>
			snapshot === null ? 'pending' : stateOfAsked(typeUrl, { channels, snapshot, refusals }),
		asked: (typeUrl) => channels[typeUrl].subscription,
		rejections: () => (snapshot === null ? [] : rejectionsOf({ channels, snapshot, refusals })),
		holds: (typeUrl, name) => versionHeld(channels[typeUrl], name),
		reported: () => sendOrder.flatMap((typeUrl) => reportedBy(typeUrl, channels[typeUrl].claim)),
		holding: (typeUrl) => ({ count: channels[typeUrl].held.size, version: channels[typeUrl].version }),
		memory: () => ({ refusals, channels: perType((typeUrl) => rememberChannel(channels[typeUrl])) }),
	}
}

function isServed(typeUrl: string): typeUrl is TypeUrl {
	return servedTypes.has(typeUrl)
}
