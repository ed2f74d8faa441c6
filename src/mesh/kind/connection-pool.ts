import { errorAt, type Finding, type Path } from '../finding.ts'
import type { VirtualNodeConnectionPool } from '../manifest.generated.ts'
import type { ConnectionPool } from '../proxy-spec.ts'
import type { Protocol } from '../route-spec.ts'

export function readConnectionPool(pool: VirtualNodeConnectionPool | undefined): ConnectionPool | null {
	if (pool === undefined) return null
	const { http, http2, grpc, tcp } = pool
	return {
		maxConnections: http?.maxConnections ?? tcp?.maxConnections ?? null,
		maxPendingRequests: http?.maxPendingRequests ?? null,
		maxRequests: http2?.maxRequests ?? grpc?.maxRequests ?? null,
	}
}

type PooledListener = {
	readonly portMapping: { readonly port: number; readonly protocol: Protocol }
	readonly connectionPool?: VirtualNodeConnectionPool
}

/** Limits differ in kind between protocols, so those of another one cannot be read as meant for this. `path`: of the listener. */
export function checkConnectionPool(path: Path, { portMapping, connectionPool }: PooledListener): readonly Finding[] {
	const [written] = Object.keys(connectionPool ?? {})
	const { port, protocol } = portMapping
	if (written === undefined || written === protocol) return []
	const message = `the connection pool is written under ${written}, and port ${port} speaks ${protocol}`
	const finding = errorAt([...path, 'connectionPool', written], 'SL0219', message, `write it under ${protocol}`)
	return [{ ...finding, at: 'key' }]
}
