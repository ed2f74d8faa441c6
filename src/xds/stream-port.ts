import type { CallStatus } from '#base/grpc-service.ts'
import type { Result } from '#base/result.ts'
import type { TypeUrl } from '#compile/compiled.ts'
import type { Node } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { Refusals } from './acks.ts'
import type { Remembered } from './channel.ts'

// What a stream needs of its surroundings: a transport, and somebody who knows which proxy it is.

/** How the stream talks to what is around it. */
export type StreamPort = {
	send(message: Uint8Array, flushed: () => void): void
	/** Called at most once; nothing is sent after it. */
	end(status: CallStatus): void
	/** Called with the node of each request that has one. The first admits the stream; the answer to it must not change. */
	admit(node: Node): Result<Admission, CallStatus>
	/** Something that the stream tells has changed. */
	changed(): void
	/** A type that is not served here was asked for. Once per stream. */
	ignored(typeUrl: string): void
}

export type Admission = {
	/** Equal for all requests of one proxy on one stream. */
	readonly key: string
	readonly memory: ProxyMemory | null
	readonly snapshot: Snapshot | null
	readonly retained: Retained
}

/** What the proxy is to keep, whatever the snapshot says. */
export type Retained = {
	/** Surely nothing. */
	isNothing(): boolean
	/** Whether it keeps this version, which it holds. */
	has(typeUrl: TypeUrl, name: string, version: string): boolean
}

/** What is remembered of a proxy between its streams. */
export type ProxyMemory = {
	readonly refusals: Refusals
	readonly channels: Readonly<Record<TypeUrl, Remembered>>
}
