import { sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { EncodedResource } from '#snapshot/snapshot.ts'
import { afterTaking, certainResources, type Difference, type Holding, mayHave } from './holding.ts'
import type { Variant } from './request.ts'
import { encodeDelta, encodeStateOfTheWorld } from './response.ts'

// A response is assembled once for all streams that go from the same holding to the same target.

export type Response = {
	readonly typeUrl: TypeUrl
	/** Unique in this process; a stream never sees it on two responses that follow each other. */
	readonly nonce: string
	/** The type's version when the proxy then holds all of it, else one that names what it holds. */
	readonly version: string
	readonly bytes: Uint8Array
	readonly upserts: readonly EncodedResource[]
	readonly removals: readonly string[]
	/** What the proxy holds once it has accepted this. */
	readonly after: Holding
}

export type ResponseParts = {
	readonly variant: Variant
	readonly typeUrl: TypeUrl
	readonly typeVersion: string
	readonly held: Holding
	readonly difference: Difference
	/** The part of the difference to send. */
	readonly upserts: readonly EncodedResource[]
	readonly removals: readonly string[]
	readonly lastNonce: string
}

/** In state of the world, an answer of these types carries all that the proxy is to have. */
export function answerIsFull(typeUrl: TypeUrl): boolean {
	return typeUrl === typeUrls.cluster || typeUrl === typeUrls.listener
}

const assembled = new WeakMap<Difference, Map<string, Response>>()

export function assembleResponse(parts: ResponseParts): Response {
	const { difference, upserts, removals } = parts
	let responses = assembled.get(difference)
	if (responses === undefined) {
		responses = new Map()
		assembled.set(difference, responses)
	}
	const isWhole = upserts.length === difference.upserts.length && removals.length === difference.removals.length
	// Two types that hold nothing may share one empty holding: the difference alone does not tell them apart.
	const head = `${parts.variant}\n${parts.typeUrl}\n${parts.typeVersion}`
	const key = isWhole ? head : [head, ...upserts.map(({ name }) => name), '', ...removals].join('\n')
	const shared = responses.get(key)
	if (shared !== undefined && shared.nonce !== parts.lastNonce) return shared
	const response = encodeResponse(parts)
	// By what it refuses a proxy chooses the part, and has any number of them.
	if (responses.size >= limits.xdsResponsesShared) responses.clear()
	responses.set(key, response)
	return response
}

let responsesAssembled = 0

function encodeResponse(parts: ResponseParts): Response {
	const { variant, typeUrl, held, difference, upserts, removals } = parts
	responsesAssembled += 1
	const nonce = `${typeUrl.slice(typeUrl.lastIndexOf('.') + 1)}-${responsesAssembled.toString(36)}`
	const after = afterTaking(held, difference, upserts, removals)
	if (variant === 'delta') {
		const version = parts.typeVersion
		const bytes = encodeDelta({ typeUrl, version, nonce, resources: upserts, removed: removals })
		return { typeUrl, nonce, version, bytes, upserts, removals, after }
	}
	const version = isAllThereIs(parts) ? parts.typeVersion : versionOfHolding(after)
	const resources = answerIsFull(typeUrl) ? certainResources(after) : upserts
	const bytes = encodeStateOfTheWorld({ typeUrl, version, nonce, resources })
	return { typeUrl, nonce, version, bytes, upserts, removals, after }
}

/** Whether the proxy then has all that it asks for, but for names that do not exist and of which it has nothing. */
function isAllThereIs({ held, difference, upserts, removals }: ResponseParts): boolean {
	if (upserts.length < difference.upserts.length) return false
	if (removals.length === difference.removals.length) return true
	const sent = new Set(removals)
	return difference.removals.every((name) => sent.has(name) || !mayHave(held, name))
}

/** Names a holding that is not the whole of a snapshot. */
export function versionOfHolding(held: Holding): string {
	const versions = [...held].map(([name, { version }]) => `${name}\n${version}`)
	return sha256Hex(versions.sort().join('\n'))
}
