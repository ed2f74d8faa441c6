import { typeUrls } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { Response } from './assemble.ts'
import { type Channel, type Channels, resendNames } from './channel.ts'
import { endpointsOfCluster } from './endpoints-of-cluster.ts'

export type Sending = {
	readonly channel: Channel
	readonly channels: Channels
	/** What is served at present. */
	readonly snapshot: Snapshot
}

/**
 * A response leaves. A cluster in it warms until its endpoints come, even if they are the same, and Envoy does not ask
 * for them again: they go once more. So do the secrets that it names, and those of a listener, for the sake of one that
 * names a secret in other words than what has it already, as another release of this program may have: Envoy keeps a
 * watcher for each way to ask for a name, asks only once for the name, and tells a new watcher nothing of what the old
 * one heard. A listener's watchers are there at once, a cluster's only when its hosts are known, which may be too late:
 * all that is served at one time must ask for a name in the same words (`compile/tls/secret-names.ts`).
 */
export function putUnderway(response: Response, { channel, channels, snapshot }: Sending): void {
	const { upserts, removals } = response
	channel.underway = { response, upserts, removals, snapshot, touched: noneTouched, overdue: false }
	channel.lastNonce = response.nonce
	channel.answerDue = false
	resendNames(channels[typeUrls.endpoint], upserts.map(endpointsOfCluster))
	const secrets = upserts.flatMap(({ references }) => references.secrets)
	resendNames(channels[typeUrls.secret], secrets)
}

const noneTouched: ReadonlySet<string> = new Set()
