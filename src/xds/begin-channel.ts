import { typeUrls } from '#compile/compiled.ts'
import type { Refusals } from './acks.ts'
import { awaitedAtStart, type Channel, type Channels } from './channel.ts'
import { emptyHolding } from './holding.ts'
import { sendOrder } from './order.ts'
import type { DiscoveryRequest } from './request.ts'

export type Beginning = {
	readonly channels: Channels
	readonly refusals: Refusals
	/** The proxy has said that it holds something. */
	readonly hasHistory: boolean
}

/**
 * The first request of a type on this stream: what does the proxy hold already? Returns whether it has said by now that
 * it holds something.
 */
export function beginChannel(channel: Channel, request: DiscoveryRequest, beginning: Beginning): boolean {
	const { typeUrl } = channel
	channel.declared = true
	if (request.variant === 'delta') {
		const { initialVersions } = request
		if (initialVersions.size > 0) channel.claim = { kind: 'versions', versions: initialVersions }
	} else if (request.versionInfo !== '') channel.claim = { kind: 'version', version: request.versionInfo }
	if (channel.claim === null && channel.held.size > 0 && typeUrl === typeUrls.cluster) startAfresh(beginning)
	const hasHistory = beginning.hasHistory || channel.claim !== null
	// State of the world names no part of a first answer that was refused, and the proxy may have taken one all the same.
	const isUnnamed = request.variant === 'stateOfTheWorld' && hasHistory && channel.version === ''
	if (channel.claim === null && !isUnnamed) {
		channel.held = emptyHolding
		channel.offered = null
	}
	channel.answerDue = awaitedAtStart.has(typeUrl) && channel.claim === null && !hasHistory
	return hasHistory
}

/** A newly started Envoy holds nothing, and may take what the one before it could not, e.g. a port that is free now. */
function startAfresh({ channels, refusals }: Beginning): void {
	refusals.clear()
	for (const typeUrl of sendOrder) forgetUnasked(channels[typeUrl])
}

/** What the proxy has not asked for it does not hold. */
export function forgetUnasked(channel: Channel): void {
	if (channel.subscription === null) channel.held = emptyHolding
}
