import type { CallStatus, Connection } from '#base/grpc-service.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import { identityPath, type ProxyIdentity } from '#compile/compiled.ts'
import type { Node } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { Proxy } from './fleet-view.ts'
import { readProxy } from './identity.ts'
import { type IdentityPattern, isCertified } from './identity-pattern.ts'
import { readNode } from './request.ts'

/**
 * Who may speak as whom on a connection, for every service of the port. Who says a name must prove it, where proof is
 * asked for; and the first proxy seen on a transport connection has it for as long as the connection lives: whoever then
 * names another is denied.
 */
export type Admission = {
	/** `node` as a message, or as it came over the wire. */
	identify(connection: Connection, node: Node | Uint8Array): Result<Proxy, CallStatus>
	/** The connection is closed. */
	release(connection: Connection): void
}

/** `none`: `node.id` is believed. `certificate`: it must be a name that the certificate of the connection is for. */
export type IdentityProof =
	| { readonly kind: 'none' }
	| { readonly kind: 'certificate'; readonly patterns: readonly IdentityPattern[] }

export function createAdmission(proof: IdentityProof = { kind: 'none' }): Admission {
	const bound = new Map<number, Proxy>()

	function bind(connection: Connection, node: Node): Result<Proxy, CallStatus> {
		const read = readProxy(node, connection.id)
		if (!read.ok) return fail({ code: 'INVALID_ARGUMENT', message: read.error })
		const denial = denialOf(read.value.group.identity, connection, proof)
		if (denial !== null) return fail({ code: 'PERMISSION_DENIED', message: denial })
		const first = bound.get(connection.id)
		if (first === undefined) {
			bound.set(connection.id, read.value)
			return succeed(read.value)
		}
		if (first.key === read.value.key && first.groupKey === read.value.groupKey) return succeed(first)
		return fail({ code: 'PERMISSION_DENIED', message: `this connection belongs to ${first.key}` })
	}

	return {
		identify(connection, node) {
			if (!(node instanceof Uint8Array)) return bind(connection, node)
			const read = readNode(node)
			return read.ok ? bind(connection, read.value) : fail({ code: 'INVALID_ARGUMENT', message: read.error })
		},
		release: (connection) => bound.delete(connection.id),
	}
}

const mostUrisShown = 3
const mostUriChars = 200

function denialOf(identity: ProxyIdentity, { certificateUris }: Connection, proof: IdentityProof): string | null {
	if (proof.kind === 'none') return null
	const uris = certificateUris ?? []
	if (isCertified(identity, uris, proof.patterns)) return null
	const shown = uris.slice(0, mostUrisShown).map((uri) => uri.slice(0, mostUriChars))
	const whose = shown.length === 0 ? 'names no URI' : `is for ${shown.join(' and ')}`
	return `node.id says ${identityPath(identity)}, but the certificate of this connection ${whose}`
}
