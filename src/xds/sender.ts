import type { Clock } from '#base/clock.ts'
import type { CallStatus } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { forgetKept, noRefusals, ownRefusals, type Refusals } from './acks.ts'
import type { Response } from './assemble.ts'
import {
	acceptResponse,
	type Channel,
	type Channels,
	createChannel,
	markOverdue,
	rememberChannel,
	settleClaim,
	versionHeld,
} from './channel.ts'
import { reportedBy } from './claim.ts'
import { Deadlines } from './deadlines.ts'
import type { Rejection, Reported } from './fleet-view.ts'
import { type Cause, copyChannels, type Footing, type FootingPool, knownStep, noteStep, statesOn } from './footing.ts'
import { isAnythingDue, mayBeDue, nextDue, responseTo, type SendContext } from './next-response.ts'
import { goesNothingThrough, perType, sendOrder } from './order.ts'
import { putUnderway } from './put-underway.ts'
import type { Variant } from './request.ts'
import { nothingRetained } from './retention.ts'
import { besideOthers } from './separate-streams.ts'
import { servedTo } from './served-to.ts'
import type { Serves } from './services.ts'
import { rejectionsOf, type Standing, stateOfAsked, type TypeState, typeState } from './standing.ts'
import type { Admission, ProxyMemory, Retained, StreamPort } from './stream-port.ts'
import type { Subscription } from './subscription.ts'
import { allPending, type TypeStates, typeStates } from './type-states.ts'

// One stream's half that sends: what its proxy asks for, holds and has not answered yet, and what of its group's snapshot
// it is told next. What the proxy says is read in `stream.ts`.

export type SenderOptions = {
	readonly variant: Variant
	readonly clock: Clock
	readonly port: StreamPort
	readonly footings: FootingPool
	/** Not given: `all`. */
	readonly serves?: Serves
}

/** A class, with the stream as its other half: of thousands that are pushed to, what one is made of lies together. */
export abstract class Sender {
	readonly serves: Serves
	/** What it was last given to serve. */
	snapshot: Snapshot | null = null
	protected readonly variant: Variant
	protected readonly port: StreamPort
	/** To be changed by `ownChannels` alone. */
	protected channels: Channels = perType((typeUrl) => createChannel(typeUrl, null))
	protected refusals: Refusals = noRefusals
	/** The proxy said that it holds something: it is no newly started one. */
	protected hasHistory = false
	/** Endpoints are not spoken of yet. */
	protected holdsEndpointsBack = false
	readonly #footings: FootingPool
	readonly #deadlines: Deadlines
	readonly #flushed = (): void => this.#takeFlushed()
	#isOpen = false
	#retained: Retained = nothingRetained
	/** Whose channels these are, while this stream stands as others do. */
	#footing: Footing | null = null
	#isPumping = false
	#requestsTaken = 0
	/** Something that is due has to wait for the transport. */
	#isCutShort = false
	#onSent: ((response: Response) => void) | null = null

	constructor({ variant, clock, port, footings, serves = 'all' }: SenderOptions) {
		this.serves = serves
		this.variant = variant
		this.port = port
		this.#footings = footings
		this.#deadlines = new Deadlines({
			clock,
			channels: () => this.channels,
			onUnread: () => this.end({ code: 'DEADLINE_EXCEEDED', message: `nothing was read for ${limits.xdsSendMs} ms` }),
			onOverdue: (types) => this.#markOverdue(types),
		})
	}

	abstract end(status: CallStatus): void

	serve(next: Snapshot | null): void {
		this.snapshot = next
		if (next !== null && this.refusals.size > 0) forgetKept(this.refusals, next)
		if (this.#isOpen) this.#moveOn('served')
	}

	/** From now on it is told what its proxy asks for. */
	protected openFor({ memory, snapshot, retained }: Admission): void {
		this.#isOpen = true
		this.snapshot = snapshot
		this.#retained = retained
		if (memory === null) return
		this.refusals = memory.refusals
		this.channels = perType((typeUrl) => createChannel(typeUrl, memory.channels[typeUrl]))
	}

	protected stopSending(): void {
		this.#isOpen = false
		this.#deadlines.cancel()
	}

	/** To be changed: from here on this stream stands alone. */
	#ownChannels(): Channels {
		if (this.#footing !== null) this.channels = copyChannels(this.channels)
		this.#footing = null
		return this.channels
	}

	/** Something that the proxy said, or did not say in time, changes what it is told. */
	protected change(how: (own: Channels) => void): void {
		this.#requestsTaken += 1
		how(this.#ownChannels())
		this.#goAlone('served')
	}

	/** The proxy accepts what it was told last of the type, if the nonce is that, and asks for nothing new. */
	protected accept(typeUrl: TypeUrl, nonce: string): void {
		this.#requestsTaken += 1
		if (this.channels[typeUrl].underway?.response.nonce === nonce) this.#moveOn(typeUrl)
		else this.#goAlone('served')
	}

	/** Where it stands as others do, and one of them has gone this way before, it goes the same way. */
	#moveOn(cause: Cause): void {
		const [from, snapshot] = [this.#footing, this.snapshot]
		// What only its proxy has refused, or is to keep.
		const isUnlike = this.refusals.size > 0 || !this.#retained.isNothing()
		if (from === null || snapshot === null || isUnlike || this.#isPumping) return this.#goAlone(cause)
		const step = knownStep(from, snapshot, cause)
		if (step === undefined) return this.#goFirst(cause, { from, snapshot })
		if (this.#deadlines.unflushed + step.responses.length > limits.xdsUnflushed) return this.#goAlone(cause)
		this.#footing = step.after
		this.channels = step.after.channels
		this.#isPumping = true
		for (const response of step.responses) this.#send(response)
		this.#isPumping = false
		// An answer that came meanwhile was only taken in.
		if (this.#footing !== step.after) this.#goAlone('served')
		if (step.responses.length > 0 && this.#isOpen) this.#deadlines.arm()
	}

	#goFirst(cause: Cause, { from, snapshot }: { readonly from: Footing; readonly snapshot: Snapshot }): void {
		const responses: Response[] = []
		this.#onSent = (response) => responses.push(response)
		this.#isCutShort = false
		const before = this.#requestsTaken
		this.#goAlone(cause)
		this.#onSent = null
		// Nobody else's proxy has answered before it was told, as one within this process may.
		const isAlike = !this.#isCutShort && this.#requestsTaken === before
		if (this.#footing !== null && isAlike)
			noteStep(from, snapshot, { cause, step: { responses, after: this.#footing } })
	}

	#goAlone(cause: Cause): void {
		if (cause !== 'served') acceptResponse(this.#ownChannels()[cause], this.refusals)
		this.#pump()
		this.#findFooting()
	}

	/** It may stand as others do again. */
	#findFooting(): void {
		// While it is being told something its channels still change.
		if (this.#footing !== null || !this.#isOpen || this.#isPumping || this.serves !== 'all') return
		if (this.refusals.size > 0 || this.holdsEndpointsBack) return
		const { channels, hasHistory, variant } = this
		this.#footing = this.#footings.shared({ channels, hasHistory, variant })
		if (this.#footing !== null) this.channels = this.#footing.channels
	}

	/** Sends all that is due. */
	#pump(): void {
		const snapshot = this.snapshot
		if (!this.#isOpen || snapshot === null || this.#isPumping || !isAnythingDue(this.channels, snapshot)) return
		this.#isPumping = true
		const own = this.#ownChannels()
		for (const typeUrl of sendOrder) {
			if (typeUrl !== typeUrls.endpoint || !this.holdsEndpointsBack) settleClaim(own[typeUrl], snapshot)
		}
		// In state of the world a name may be dropped without a word, after what waits for that was looked at.
		while (this.#sendDue(own, snapshot)) {}
		this.#isPumping = false
		if (this.#isOpen) this.#deadlines.arm()
	}

	/** Looks at each type once. Whether what the proxy is taken to hold has changed by that. */
	#sendDue(own: Channels, snapshot: Snapshot): boolean {
		const before = sendOrder.map((typeUrl) => own[typeUrl].held)
		for (const typeUrl of sendOrder) {
			if (!this.#isOpen) return false
			if (typeUrl === typeUrls.endpoint && this.holdsEndpointsBack) continue
			const channel = own[typeUrl]
			const served = servedTo(channel, own, snapshot)
			if (!mayBeDue(channel, served.types[typeUrl])) continue
			const due = nextDue(channel, this.#contextOf(channel, own, served))
			if (due === null) continue
			if (this.#deadlines.unflushed >= limits.xdsUnflushed) {
				this.#isCutShort = true
				return false
			}
			const response = responseTo(due)
			putUnderway(response, { channel, channels: own, snapshot })
			this.#send(response)
		}
		return sendOrder.some((typeUrl, index) => own[typeUrl].held !== before[index])
	}

	#contextOf(channel: Channel, own: Channels, served: Snapshot): SendContext {
		const { serves, variant, refusals, hasHistory } = this
		const isIdle = serves === 'all' ? goesNothingThrough(own) : channel.held.size === 0
		const possessions = serves === 'all' ? own : besideOthers(serves, own, served)
		const proxy = hasHistory || !isIdle ? 'inUse' : 'new'
		return { variant, snapshot: served, possessions, proxy, refusals, retained: this.#retained }
	}

	#send(response: Response): void {
		this.#deadlines.sent(response.typeUrl)
		this.#onSent?.(response)
		this.port.send(response.bytes, this.#flushed)
	}

	#takeFlushed(): void {
		// Nothing else has waited for it.
		const wasFull = this.#deadlines.unflushed >= limits.xdsUnflushed
		this.#deadlines.flushed()
		if (wasFull) this.#goAlone('served')
	}

	#markOverdue(types: readonly TypeUrl[]): void {
		const own = this.#ownChannels()
		for (const typeUrl of types) markOverdue(own[typeUrl])
		this.port.changed()
	}

	state(typeUrl: TypeUrl): TypeState {
		const standing = this.#standing()
		if (standing === null) return 'pending'
		const state = typeState(typeUrl, standing)
		const isHeldBack = typeUrl === typeUrls.endpoint && this.holdsEndpointsBack
		return isHeldBack && state === 'current' ? 'pending' : state
	}

	states(): TypeStates {
		if (this.snapshot === null) return allPending
		if (this.#footing === null || this.refusals.size > 0) return typeStates((typeUrl) => this.state(typeUrl))
		return statesOn(this.#footing, this.snapshot)
	}

	stateOfAsked(typeUrl: TypeUrl): TypeState {
		const standing = this.#standing()
		return standing === null ? 'pending' : stateOfAsked(typeUrl, standing)
	}

	asked(typeUrl: TypeUrl): Subscription | null {
		return this.channels[typeUrl].subscription
	}

	rejections(): Omit<Rejection, 'proxy'>[] {
		const standing = this.#standing()
		return standing === null ? [] : rejectionsOf(standing)
	}

	holds(typeUrl: TypeUrl, name: string): string | null {
		return versionHeld(this.channels[typeUrl], name)
	}

	reported(): readonly Reported[] {
		return sendOrder.flatMap((typeUrl) => reportedBy(typeUrl, this.channels[typeUrl].claim))
	}

	holding(typeUrl: TypeUrl): { readonly count: number; readonly version: string } {
		const { held, version } = this.channels[typeUrl]
		return { count: held.size, version }
	}

	memory(): ProxyMemory {
		// Whoever goes on with it refuses for this stream, too.
		this.refusals = ownRefusals(this.refusals)
		return { refusals: this.refusals, channels: perType((typeUrl) => rememberChannel(this.channels[typeUrl])) }
	}

	/** None are served, none are remembered, and it has spoken of nothing: it has come for something else. */
	protected mayHaveClusters(): boolean {
		const { held } = this.channels[typeUrls.cluster]
		return this.hasHistory || held.size > 0 || this.snapshot?.types[typeUrls.cluster].resources.size !== 0
	}

	#standing(): Standing | null {
		const { channels, refusals } = this
		return this.snapshot === null ? null : { channels, snapshot: this.snapshot, refusals }
	}
}
