import { fromBinary } from '@bufbuild/protobuf'
import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { BoundedReader, type FieldBudget } from '#base/bounded-reader.ts'
import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { type Node, NodeSchema } from '#proto/gen/envoy/config/core/v3/base_pb.ts'

// Discovery requests, read by hand: of a node message of 60 KB only 1 KB is of interest, and most requests are ACKs.
// Field numbers are those of envoy/service/discovery/v3/discovery.proto. Fields that are not read are skipped.

type Common = {
	readonly typeUrl: string
	/** Of the response that this answers; '' when it answers none. */
	readonly nonce: string
	readonly node: Node | null
	/** The proxy's words when it refuses the response. */
	readonly refusal: string | null
}

export type DeltaRequest = Common & {
	readonly variant: 'delta'
	readonly subscribe: readonly string[]
	readonly unsubscribe: readonly string[]
	/** What the proxy holds already: name → version. Means something on a stream's first request of a type only. */
	readonly initialVersions: ReadonlyMap<string, string>
}

export type StateOfTheWorldRequest = Common & {
	readonly variant: 'stateOfTheWorld'
	readonly names: readonly string[]
	/** Version of the last response that it accepted. */
	readonly versionInfo: string
}

export type DiscoveryRequest = DeltaRequest | StateOfTheWorldRequest
export type Variant = DiscoveryRequest['variant']

/** A failure is half a sentence about what is wrong. */
export function readRequest(variant: Variant, bytes: Uint8Array): Result<DiscoveryRequest, string> {
	try {
		return variant === 'delta' ? readDelta(bytes) : readStateOfTheWorld(bytes)
	} catch (error) {
		return fail(`not a discovery request: ${error instanceof Error ? error.message : String(error)}`)
	}
}

function readDelta(bytes: Uint8Array): Result<DeltaRequest, string> {
	let typeUrl = ''
	let nonce = ''
	let node: Uint8Array | null = null
	let refusal: Uint8Array | null = null
	const subscribe: string[] = []
	const unsubscribe: string[] = []
	const initialVersions = new Map<string, string>()
	const budget = budgetOfRequest()
	const reader = new BoundedReader(bytes, budget)
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 1) node = reader.bytes()
		else if (field === 2) typeUrl = readWord(reader)
		else if (field === 3) subscribe.push(readWord(reader))
		else if (field === 4) unsubscribe.push(readWord(reader))
		else if (field === 5) readVersion(reader.bytes(), initialVersions, budget)
		else if (field === 6) nonce = readWord(reader)
		else if (field === 7) refusal = reader.bytes()
		else reader.skip(wireType, field)
		if (Math.max(subscribe.length, unsubscribe.length, initialVersions.size) > limits.xdsNames) return tooManyNames()
	}
	const read = { typeUrl, nonce, ...readLater(node, refusal, budget) }
	return succeed({ variant: 'delta', ...read, subscribe, unsubscribe, initialVersions })
}

function readStateOfTheWorld(bytes: Uint8Array): Result<StateOfTheWorldRequest, string> {
	let versionInfo = ''
	let typeUrl = ''
	let nonce = ''
	let node: Uint8Array | null = null
	let refusal: Uint8Array | null = null
	const names: string[] = []
	const budget = budgetOfRequest()
	const reader = new BoundedReader(bytes, budget)
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 1) versionInfo = readWord(reader)
		else if (field === 2) node = reader.bytes()
		else if (field === 3) names.push(readWord(reader))
		else if (field === 4) typeUrl = readWord(reader)
		else if (field === 5) nonce = readWord(reader)
		else if (field === 6) refusal = reader.bytes()
		else reader.skip(wireType, field)
		if (names.length > limits.xdsNames) return tooManyNames()
	}
	return succeed({
		variant: 'stateOfTheWorld',
		typeUrl,
		nonce,
		...readLater(node, refusal, budget),
		names,
		versionInfo,
	})
}

/** Only the last of each counts, and a message may have any number: none but that is looked into. */
function readLater(
	node: Uint8Array | null,
	refusal: Uint8Array | null,
	budget: FieldBudget,
): Pick<Common, 'node' | 'refusal'> {
	return { node: node && decodeNode(node, budget), refusal: refusal && readStatus(refusal, budget) }
}

/** What is compared with words of ours, told or kept: of a longer one all that is known is that it is none. */
function readWord(reader: BoundedReader): string {
	const word = reader.string()
	if (word.length > limits.xdsWordChars) throw new Error(`a word of ${word.length} characters`)
	return word
}

function budgetOfRequest(): FieldBudget {
	return { left: limits.xdsRequestFields }
}

function tooManyNames() {
	return fail(`more than ${limits.xdsNames} names in one request`)
}

/** id, metadata, locality and build version; the list of extensions, which is nearly all of it, is left out. */
const nodeFields: ReadonlySet<number> = new Set([1, 3, 4, 8])

/** A node by itself. A failure is half a sentence about what is wrong. */
export function readNode(bytes: Uint8Array): Result<Node, string> {
	try {
		return succeed(decodeNode(bytes, budgetOfRequest()))
	} catch (error) {
		return fail(`not a node: ${error instanceof Error ? error.message : String(error)}`)
	}
}

function decodeNode(bytes: Uint8Array, budget: FieldBudget): Node {
	const reader = new BoundedReader(bytes, budget)
	const kept = new BinaryWriter()
	let keptBytes = 0
	while (reader.pos < reader.len) {
		const start = reader.pos
		const [field, wireType] = reader.tag()
		reader.skip(wireType, field)
		if (!nodeFields.has(field)) continue
		keptBytes += reader.pos - start
		kept.raw(bytes.subarray(start, reader.pos))
		if (keptBytes > limits.xdsNodeBytes) throw new Error(`more than ${limits.xdsNodeBytes} bytes of one node`)
	}
	return fromBinary(NodeSchema, kept.finish())
}

/** One entry of a map<string, string>. */
function readVersion(bytes: Uint8Array, into: Map<string, string>, budget: FieldBudget): void {
	const reader = new BoundedReader(bytes, budget)
	let name = ''
	let version = ''
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 1) name = readWord(reader)
		else if (field === 2) version = readWord(reader)
		else reader.skip(wireType, field)
	}
	into.set(name, version)
}

/** The message of a google.rpc.Status; Envoy may end it with a line break. */
function readStatus(bytes: Uint8Array, budget: FieldBudget): string {
	const reader = new BoundedReader(bytes, budget)
	let message: Uint8Array = none
	while (reader.pos < reader.len) {
		const [field, wireType] = reader.tag()
		if (field === 2) message = reader.bytes()
		else reader.skip(wireType, field)
	}
	// A part of a text holds on to all of it, and a refusal is kept for long: what is too much is not even decoded.
	const most = message.subarray(0, mostCharBytes * limits.xdsRefusalChars)
	return Buffer.from(most).toString().trim().slice(0, limits.xdsRefusalChars)
}

const none = new Uint8Array()
const mostCharBytes = 4
