import { unreachable } from '#base/assert.ts'
import type { Caller, CallStatus, Connection } from '#base/grpc-service.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { identityPath, type ProxyIdentity } from '#compile/compiled.ts'
import type { Node } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { Proxy } from './fleet-view.ts'
import { readProxy } from './identity.ts'
import { type IdentityPattern, isCertified } from './identity-pattern.ts'
import { type IdentityTokens, judgeToken } from './identity-tokens.ts'
import { readNode } from './request.ts'

/**
 * Who may speak as whom on a connection, for every service of the port. Who says a name must prove it, where proof is
 * asked for; and the first proxy seen on a transport connection has it for as long as the connection lives: whoever then
 * names another is denied.
 */
export type Admission = {
	/** `node` as a message, or as it came over the wire. */
	identify(caller: Caller, node: Node | Uint8Array): Result<Proxy, CallStatus>
	/** The connection is closed. */
	release(connection: Connection): void
}

/**
 * `none`: `node.id` is believed. `certificate`: it must be a name that the certificate of the connection is for. `token`:
 * one that the token of the call is for, by those that are good now. `certificateOrToken`: who shows a certificate is
 * judged by that, whoever else by the token.
 */
export type IdentityProof =
	| { readonly kind: 'none' }
	| ({ readonly kind: 'certificate' } & ByCertificate)
	| ({ readonly kind: 'token' } & ByToken)
	| ({ readonly kind: 'certificateOrToken' } & ByCertificate & ByToken)

type ByCertificate = { readonly patterns: readonly IdentityPattern[] }
type ByToken = { readonly tokens: () => IdentityTokens }

export function createAdmission(proof: IdentityProof = { kind: 'none' }): Admission {
	const bound = new Map<number, Proxy>()

	function bind(caller: Caller, node: Node): Result<Proxy, CallStatus> {
		const { connection } = caller
		const read = readProxy(node, connection.id)
		if (!read.ok) return fail({ code: 'INVALID_ARGUMENT', message: read.error })
		const denial = denialOf(read.value.group.identity, caller, proof)
		if (denial !== null) return fail(denial)
		const first = bound.get(connection.id)
		if (first === undefined) {
			bound.set(connection.id, read.value)
			return succeed(read.value)
		}
		if (first.key === read.value.key && first.groupKey === read.value.groupKey) return succeed(first)
		return fail({ code: 'PERMISSION_DENIED', message: `this connection belongs to ${first.key}` })
	}

	return {
		identify(caller, node) {
			if (!(node instanceof Uint8Array)) return bind(caller, node)
			const read = readNode(node)
			return read.ok ? bind(caller, read.value) : fail({ code: 'INVALID_ARGUMENT', message: read.error })
		},
		release: (connection) => bound.delete(connection.id),
	}
}

function denialOf(identity: ProxyIdentity, caller: Caller, proof: IdentityProof): CallStatus | null {
	switch (proof.kind) {
		case 'none':
			return null
		case 'certificate':
			return denialByCertificate(identity, caller, proof)
		case 'token':
			return denialByToken(identity, caller, proof)
		case 'certificateOrToken':
			return caller.connection.certificateUris === null
				? denialByToken(identity, caller, proof)
				: denialByCertificate(identity, caller, proof)
		default:
			return unreachable(proof)
	}
}

function denialByCertificate(
	identity: ProxyIdentity,
	{ connection }: Caller,
	{ patterns }: ByCertificate,
): CallStatus | null {
	const uris = connection.certificateUris ?? []
	if (isCertified(identity, uris, patterns)) return null
	const message = `${whomItSays(identity)}, but the certificate of this connection ${describeUris(uris)}`
	return { code: 'PERMISSION_DENIED', message }
}

function denialByToken(identity: ProxyIdentity, { authorization }: Caller, { tokens }: ByToken): CallStatus | null {
	const verdict = judgeToken(tokens(), identity, authorization)
	const says = whomItSays(identity)
	switch (verdict) {
		case 'own':
			return null
		case 'missing':
			return { code: 'UNAUTHENTICATED', message: `${says}, and no token came with this call` }
		case 'unknown':
			return { code: 'UNAUTHENTICATED', message: `${says}, and the token of this call is nobody's` }
		case "another's":
			return { code: 'PERMISSION_DENIED', message: `${says}, but the token of this call is another's` }
		default:
			return unreachable(verdict)
	}
}

function whomItSays(identity: ProxyIdentity): string {
	return `node.id says ${identityPath(identity)}`
}

const mostUrisShown = 3
const mostUriChars = 200

function describeUris(uris: readonly string[]): string {
	const shown = uris.slice(0, mostUrisShown).map((uri) => uri.slice(0, mostUriChars))
	return shown.length === 0 ? 'names no URI' : `is for ${shown.join(' and ')}`
}
