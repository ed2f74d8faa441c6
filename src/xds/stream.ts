import type { Timer } from '#base/clock.ts'
import type { CallStatus } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { type Ack, asksTheSame, keptNames, readAck } from './ack.ts'
import { ownRefusals } from './acks.ts'
import { beginChannel, forgetUnasked } from './begin-channel.ts'
import {
	acceptResponse,
	awaitedAtStart,
	type Channel,
	type Channels,
	changeSubscription,
	refuseResponse,
	resendNames,
} from './channel.ts'
import { emptyHolding } from './holding.ts'
import { sendOrder } from './order.ts'
import { type DiscoveryRequest, readRequest } from './request.ts'
import { Sender, type SenderOptions } from './sender.ts'
import { changeDelta, changeStateOfTheWorld, type SubscriptionPool } from './subscription.ts'
import type { XdsStream } from './xds-stream.ts'

// One ADS stream without its transport: request bytes in, response bytes out. Here what the proxy says is read, and what it
// does not say in time; what that makes it hold, and what it is told next, is in `sender.ts`.

export type StreamOptions = SenderOptions & { readonly subscriptions: SubscriptionPool }

export function createXdsStream(options: StreamOptions): XdsStream {
	return new Stream(options)
}

class Stream extends Sender implements XdsStream {
	readonly #options: StreamOptions
	#phase: 'unknown' | 'admitted' | 'ended' = 'unknown'
	#admittedAs = ''
	#endpointsWait: Timer | null = null
	#settleWait: Timer | null = null
	#hasIgnored = false

	constructor(options: StreamOptions) {
		super(options)
		this.#options = options
	}

	receive(message: Uint8Array): void {
		if (this.#phase === 'ended') return
		const ack = readAck(this.variant, message)
		const isAdmitted = this.#phase === 'admitted'
		if (ack !== null && isAdmitted && asksTheSame(this.channels[ack.typeUrl], ack, this.variant)) {
			this.accept(ack.typeUrl, ack.nonce)
		} else if (!this.#receiveWhole(message, ack)) return
		if (!this.#isEnded()) this.port.changed()
	}

	/** False when there is nothing more to do: the request was no good, or is nobody's. */
	#receiveWhole(message: Uint8Array, ack: Ack | null): boolean {
		const request = readRequest(this.variant, message)
		if (!request.ok) return this.#endWith('INVALID_ARGUMENT', request.error)
		if (!this.#admit(request.value) || this.#isEnded()) return false
		// A service of one type need not be told which.
		const { serves } = this
		const typeUrl = request.value.typeUrl === '' && serves !== 'all' ? serves : request.value.typeUrl
		if (typeUrl === '') return this.#endWith('INVALID_ARGUMENT', 'a request on this stream must name a type')
		if (serves !== 'all' && typeUrl !== serves)
			return this.#endWith('INVALID_ARGUMENT', `this service has only ${serves}`)
		if (!isServed(typeUrl)) return this.#ignore(typeUrl)
		this.change((own) => this.#take(request.value, { own, channel: own[typeUrl], names: ack?.names ?? null }))
		return true
	}

	#endWith(code: CallStatus['code'], message: string): false {
		this.end({ code, message })
		return false
	}

	#isEnded(): boolean {
		return this.#phase === 'ended'
	}

	#admit(request: DiscoveryRequest): boolean {
		if (request.node === null) {
			if (this.#phase === 'unknown')
				this.end({ code: 'INVALID_ARGUMENT', message: 'the first request must carry the node' })
			return this.#phase === 'admitted'
		}
		const admitted = this.port.admit(request.node)
		if (!admitted.ok) return this.#endWith(admitted.error.code, admitted.error.message)
		const { key } = admitted.value
		if (this.#phase === 'admitted' && key !== this.#admittedAs) {
			return this.#endWith('PERMISSION_DENIED', 'the node of a stream must not change')
		}
		if (this.#phase === 'unknown') {
			this.#phase = 'admitted'
			this.#admittedAs = key
			this.openFor(admitted.value)
			this.#settleWait = this.#options.clock.setTimer(limits.xdsSettleMs, () => this.#settle())
		}
		return true
	}

	/** Most likely another control plane's type, named in a bootstrap of the user's own: no reason to serve nothing. */
	#ignore(typeUrl: string): false {
		if (!this.#hasIgnored) this.port.ignored(typeUrl)
		this.#hasIgnored = true
		return false
	}

	#take(request: DiscoveryRequest, { own, channel, names }: Asking): void {
		const { subscription, typeUrl } = channel
		const changed =
			request.variant === 'delta'
				? changeDelta(subscription, typeUrl, request)
				: changeStateOfTheWorld(subscription, typeUrl, request)
		if (!changed.ok) return this.end({ code: 'INVALID_ARGUMENT', message: changed.error })
		if (subscription === null) this.#begin(channel, request, own)
		else if (request.variant === 'stateOfTheWorld') {
			// Written before the last response arrived: the proxy repeats all of it with its answer to that, but for a name
			// that it let go of and asks for again by then.
			if (request.nonce !== channel.lastNonce) return resendNames(channel, changed.value.forgotten)
			const isNewName = changed.value.added.length > 0
			if (isNewName && awaitedAtStart.has(typeUrl)) channel.answerDue = true
		}
		if (channel.underway !== null && channel.underway.response.nonce === request.nonce) {
			if (request.refusal === null) acceptResponse(channel, this.refusals)
			else this.#refuse(channel, request.refusal)
		}
		const isSame = changed.value.subscription === subscription
		const next = isSame ? changed.value.subscription : this.#options.subscriptions.shared(changed.value.subscription)
		changeSubscription(channel, changed.value, next)
		if (this.variant === 'stateOfTheWorld') channel.writtenNames = names === null ? null : keptNames(next, names)
	}

	#refuse(channel: Channel, text: string): void {
		this.refusals = ownRefusals(this.refusals)
		refuseResponse(channel, this.refusals, text)
	}

	#begin(channel: Channel, request: DiscoveryRequest, channels: Channels): void {
		const { typeUrl } = channel
		const { refusals, hasHistory } = this
		this.hasHistory = beginChannel(channel, request, { channels, refusals, hasHistory })
		if (typeUrl === typeUrls.cluster) this.#stopEndpointsWait()
		const clustersCameFirst = channels[typeUrls.cluster].subscription !== null
		if (typeUrl === typeUrls.endpoint && this.serves === 'all' && channel.claim !== null && !clustersCameFirst) {
			this.holdsEndpointsBack = true
			this.#endpointsWait = this.#options.clock.setTimer(limits.xdsSettleMs, () => this.#resendEndpoints())
		}
	}

	/** No request for clusters came: the proxy is warming some and waits for their endpoints, whatever it claims. */
	#resendEndpoints(): void {
		this.#stopEndpointsWait()
		this.change(({ [typeUrls.endpoint]: channel }) => {
			channel.claim = null
			channel.held = emptyHolding
		})
	}

	#stopEndpointsWait(): void {
		this.holdsEndpointsBack = false
		this.#endpointsWait?.cancel()
		this.#endpointsWait = null
	}

	/** What the proxy has not asked for by now it does not use; only its clusters may be late, while some are warming. */
	#settle(): void {
		this.#settleWait = null
		this.change((own) => {
			for (const typeUrl of sendOrder) {
				if (typeUrl === typeUrls.cluster && this.mayHaveClusters()) continue
				own[typeUrl].declared = true
				forgetUnasked(own[typeUrl])
			}
		})
	}

	/** The transport is gone. */
	close(): void {
		this.#phase = 'ended'
		this.#endpointsWait?.cancel()
		this.#settleWait?.cancel()
		this.stopSending()
	}

	end(status: CallStatus): void {
		if (this.#phase === 'ended') return
		this.close()
		this.port.end(status)
	}
}

type Asking = {
	/** All channels of the stream, of which `channel` is one. */
	readonly own: Channels
	readonly channel: Channel
	/** As they are written, where that is known. */
	readonly names: Uint8Array | null
}

const servedTypes: ReadonlySet<string> = new Set(sendOrder)

function isServed(typeUrl: string): typeUrl is TypeUrl {
	return servedTypes.has(typeUrl)
}
