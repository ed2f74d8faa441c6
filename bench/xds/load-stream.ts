import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { type Http2Call, openCall } from './http2-call.ts'

// One proxy of the load client: subscribes as Envoy does, ACKs whatever comes, and looks into no resource. What the
// types name it is told beforehand, since parsing it thousands of times would cost more than what is measured.
// Field numbers are those of envoy/service/discovery/v3/discovery.proto.

export type Variant = 'delta' | 'stateOfTheWorld'

export type Names = Readonly<Record<'endpoint' | 'route', readonly string[]>>

export type LoadStreamOptions = {
	readonly port: number
	readonly variant: Variant
	readonly node: Uint8Array
	/** Of all proxies of its identity. */
	readonly requests: Requests
	/** It has an answer for each type. */
	readonly onReady: () => void
	readonly onResponse: (typeUrl: string, bytes: number) => void
	readonly onEnd: (why: string) => void
}

const service = '/envoy.service.discovery.v3.AggregatedDiscoveryService'
const paths: Readonly<Record<Variant, string>> = {
	delta: `${service}/DeltaAggregatedResources`,
	stateOfTheWorld: `${service}/StreamAggregatedResources`,
}

/** Whose names are in which: a type is asked for when what names its resources has come. */
const follows = { [typeUrls.cluster]: typeUrls.endpoint, [typeUrls.listener]: typeUrls.route } as const
const asked = [typeUrls.cluster, typeUrls.endpoint, typeUrls.listener, typeUrls.route] as const

export function openLoadStream(options: LoadStreamOptions): Http2Call {
	const { port, variant, node, requests, onReady, onResponse, onEnd } = options
	const answered = new Set<string>()
	const call = openCall({ port, path: paths[variant], onMessage: receive, onEnd })
	call.send(requests.first(typeUrls.cluster, node))
	call.send(requests.first(typeUrls.listener, null))

	function receive(message: Buffer): void {
		const response = readResponse(message)
		onResponse(response.typeUrl, message.length)
		call.send(requests.ack(response))
		if (answered.has(response.typeUrl)) return
		answered.add(response.typeUrl)
		const next = follows[response.typeUrl as keyof typeof follows]
		if (next !== undefined) call.send(requests.first(next, null))
		if (answered.size === asked.length) onReady()
	}

	return call
}

type Response = { readonly typeUrl: string; readonly version: string; readonly nonce: string }

/** Both variants have what is read here in the same fields. */
export function readResponse(message: Buffer): Response {
	const reader = new BinaryReader(message)
	let [typeUrl, version, nonce] = ['', '', '']
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 1) version = reader.string()
		else if (field === 4) typeUrl = reader.string()
		else if (field === 5) nonce = reader.string()
		else reader.skip(wireType, field)
	}
	return { typeUrl, version, nonce }
}

/** What the proxies of one identity say, as bytes. */
export type Requests = {
	first(typeUrl: TypeUrl, node: Uint8Array | null): Uint8Array
	ack(response: Response): Uint8Array
}

export function requestsOf(variant: Variant, names: Names): Requests {
	return variant === 'delta' ? deltaRequests(names) : stateOfTheWorldRequests(names)
}

function deltaRequests(names: Names): Requests {
	const subscriptions = subscriptionsOf(names)
	return {
		first: (typeUrl, node) => {
			const writer = new BinaryWriter()
			if (node !== null) writer.tag(1, WireType.LengthDelimited).bytes(node)
			return writer
				.tag(2, WireType.LengthDelimited)
				.string(typeUrl)
				.raw(subscriptions.get(typeUrl) ?? none)
				.finish()
		},
		ack: ({ typeUrl, nonce }) =>
			new BinaryWriter()
				.tag(2, WireType.LengthDelimited)
				.string(typeUrl)
				.tag(6, WireType.LengthDelimited)
				.string(nonce)
				.finish(),
	}
}

/** Each request repeats all names. */
function stateOfTheWorldRequests(names: Names): Requests {
	const subscriptions = subscriptionsOf(names)
	return {
		first: (typeUrl, node) => {
			const writer = new BinaryWriter()
			if (node !== null) writer.tag(2, WireType.LengthDelimited).bytes(node)
			return writer
				.raw(subscriptions.get(typeUrl) ?? none)
				.tag(4, WireType.LengthDelimited)
				.string(typeUrl)
				.finish()
		},
		ack: ({ typeUrl, version, nonce }) =>
			new BinaryWriter()
				.tag(1, WireType.LengthDelimited)
				.string(version)
				.raw(subscriptions.get(typeUrl) ?? none)
				.tag(4, WireType.LengthDelimited)
				.string(typeUrl)
				.tag(5, WireType.LengthDelimited)
				.string(nonce)
				.finish(),
	}
}

const none = new Uint8Array()

/** Field 3 of both requests; clusters and listeners are asked for without a name: all of them. */
function subscriptionsOf(names: Names): ReadonlyMap<string, Uint8Array> {
	const encode = (list: readonly string[]) => {
		const writer = new BinaryWriter()
		for (const name of list) writer.tag(3, WireType.LengthDelimited).string(name)
		return writer.finish()
	}
	return new Map([
		[typeUrls.endpoint, encode(names.endpoint)],
		[typeUrls.route, encode(names.route)],
	])
}
