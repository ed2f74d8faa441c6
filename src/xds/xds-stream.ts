import type { CallStatus } from '#base/grpc-service.ts'
import type { TypeUrl } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { Rejection, Reported } from './fleet-view.ts'
import type { Serves } from './services.ts'
import type { TypeState } from './standing.ts'
import type { ProxyMemory } from './stream-port.ts'
import type { Subscription } from './subscription.ts'
import type { TypeStates } from './type-states.ts'

/** One stream of one proxy, to those around it. */
export type XdsStream = {
	/** The one type of a separate service; `all` of the aggregated one. */
	readonly serves: Serves
	/** What it was last given to serve. */
	readonly snapshot: Snapshot | null
	receive(message: Uint8Array): void
	/** Sends what is due of a new snapshot of its group. */
	serve(snapshot: Snapshot | null): void
	/** The transport is gone. */
	close(): void
	end(status: CallStatus): void
	state(typeUrl: TypeUrl): TypeState
	/** Of all types at once. */
	states(): TypeStates
	/** As `state`, of what is asked for on this stream. */
	stateOfAsked(typeUrl: TypeUrl): TypeState
	/** Null until it has asked for something of the type. */
	asked(typeUrl: TypeUrl): Subscription | null
	/** What of the present snapshot the proxy refused or has not answered for in time. `proxy` is the caller's to fill in. */
	rejections(): Omit<Rejection, 'proxy'>[]
	/** Version that the proxy has ACKed, or null. */
	holds(typeUrl: TypeUrl, name: string): string | null
	/** Number of resources held, and the version of the last accepted response. */
	holding(typeUrl: TypeUrl): { readonly count: number; readonly version: string }
	/** What it said at its start that it holds, while nothing has been served to compare that with. */
	reported(): readonly Reported[]
	memory(): ProxyMemory
}
