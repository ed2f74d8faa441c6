import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { Http2Call, Http2Connection } from './http2-call.ts'

// One proxy of the load client: subscribes as Envoy does, ACKs whatever comes, and looks into no resource. What the
// types name it is told beforehand, since parsing it thousands of times would cost more than what is measured.
// Field numbers are those of envoy/service/discovery/v3/discovery.proto.

export type Variant = 'delta' | 'stateOfTheWorld'

/** What a proxy is served of each type: the type's version, and of each resource its own. */
export type Held = Readonly<Record<TypeUrl, HeldType>>
type HeldType = { readonly version: string; readonly resources: Readonly<Record<string, string>> }

export type LoadStreamOptions = {
	readonly connection: Http2Connection
	readonly variant: Variant
	readonly node: Uint8Array
	/** Of all proxies of its identity. */
	readonly requests: Requests
	/** `again`: it says that it holds all of it already. */
	readonly comes: 'first' | 'again'
	/** It has an answer for each type. */
	readonly onReady: () => void
	readonly onResponse: (typeUrl: string, bytes: number) => void
}

const service = '/envoy.service.discovery.v3.AggregatedDiscoveryService'
const paths: Readonly<Record<Variant, string>> = {
	delta: `${service}/DeltaAggregatedResources`,
	stateOfTheWorld: `${service}/StreamAggregatedResources`,
}

/** Whose names are in which: a type is asked for when what names its resources has come. */
const follows = { [typeUrls.cluster]: typeUrls.endpoint, [typeUrls.listener]: typeUrls.route } as const
const atStart = [typeUrls.cluster, typeUrls.listener] as const
const asked = [typeUrls.cluster, typeUrls.endpoint, typeUrls.listener, typeUrls.route] as const

export function openLoadStream(options: LoadStreamOptions): Http2Call {
	const { connection, variant, node, requests, comes, onReady, onResponse } = options
	const answered = new Set<string>()
	const call = connection.call(paths[variant], receive)
	if (comes === 'again')
		for (const typeUrl of asked) call.send(requests.again(typeUrl, typeUrl === asked[0] ? node : null))
	else for (const typeUrl of atStart) call.send(requests.first(typeUrl, typeUrl === atStart[0] ? node : null))

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
	/** As `first`, of a proxy that holds all of it. */
	again(typeUrl: TypeUrl, node: Uint8Array | null): Uint8Array
	ack(response: Response): Uint8Array
}

export function requestsOf(variant: Variant, held: Held): Requests {
	return variant === 'delta' ? deltaRequests(held) : stateOfTheWorldRequests(held)
}

function deltaRequests(held: Held): Requests {
	const names = encodedNames(held)
	const asking = (typeUrl: TypeUrl, node: Uint8Array | null) => {
		const writer = new BinaryWriter()
		if (node !== null) writer.tag(1, WireType.LengthDelimited).bytes(node)
		return writer.tag(2, WireType.LengthDelimited).string(typeUrl).raw(names(typeUrl))
	}
	return {
		first: (typeUrl, node) => asking(typeUrl, node).finish(),
		again(typeUrl, node) {
			const writer = asking(typeUrl, node)
			for (const [name, version] of Object.entries(held[typeUrl].resources))
				writer
					.tag(5, WireType.LengthDelimited)
					.fork()
					.tag(1, WireType.LengthDelimited)
					.string(name)
					.tag(2, WireType.LengthDelimited)
					.string(version)
					.join()
			return writer.finish()
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
function stateOfTheWorldRequests(held: Held): Requests {
	const names = encodedNames(held)
	const request = (typeUrl: string, node: Uint8Array | null, version: string, nonce: string) => {
		const writer = new BinaryWriter()
		if (version !== '') writer.tag(1, WireType.LengthDelimited).string(version)
		if (node !== null) writer.tag(2, WireType.LengthDelimited).bytes(node)
		writer.raw(names(typeUrl)).tag(4, WireType.LengthDelimited).string(typeUrl)
		if (nonce !== '') writer.tag(5, WireType.LengthDelimited).string(nonce)
		return writer.finish()
	}
	return {
		first: (typeUrl, node) => request(typeUrl, node, '', ''),
		again: (typeUrl, node) => request(typeUrl, node, held[typeUrl].version, ''),
		ack: ({ typeUrl, version, nonce }) => request(typeUrl, null, version, nonce),
	}
}

/** Field 3 of both requests; clusters and listeners are asked for without a name: all of them. */
function encodedNames(held: Held): (typeUrl: string) => Uint8Array {
	const encoded = new Map(
		[typeUrls.endpoint, typeUrls.route].map((typeUrl) => {
			const writer = new BinaryWriter()
			for (const name of Object.keys(held[typeUrl].resources)) writer.tag(3, WireType.LengthDelimited).string(name)
			return [typeUrl as string, writer.finish()]
		}),
	)
	const none = new Uint8Array()
	return (typeUrl) => encoded.get(typeUrl) ?? none
}
