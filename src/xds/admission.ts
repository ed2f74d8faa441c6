import type { CallStatus, Connection } from '#base/grpc-service.ts'
import { fail, type Result, succeed } from '#base/result.ts'
import type { Node } from '#proto/gen/envoy/config/core/v3/base_pb.ts'
import type { Proxy } from './fleet-view.ts'
import { readProxy } from './identity.ts'
import { readNode } from './request.ts'

/**
 * Who may speak as whom on a connection, for every service of the port. The first proxy seen on a transport connection
 * has it for as long as the connection lives; whoever then names another is denied. What proves the first name (so far
 * nothing: the port is on loopback) is checked in here too.
 */
export type Admission = {
	/** `node` as a message, or as it came over the wire. */
	identify(connection: Connection, node: Node | Uint8Array): Result<Proxy, CallStatus>
	/** The connection is closed. */
	release(connection: Connection): void
}

export function createAdmission(): Admission {
	const bound = new Map<number, Proxy>()

	function bind(connection: Connection, node: Node): Result<Proxy, CallStatus> {
		const read = readProxy(node, connection.id)
		if (!read.ok) return fail({ code: 'INVALID_ARGUMENT', message: read.error })
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
