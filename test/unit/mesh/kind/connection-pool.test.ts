import { expect, test } from 'vitest'
import { checkConnectionPool, readConnectionPool } from '../../../../src/mesh/kind/connection-pool.ts'
import type { VirtualNodeConnectionPool } from '../../../../src/mesh/manifest.generated.ts'
import type { Protocol } from '../../../../src/mesh/route-spec.ts'

const none = { maxConnections: null, maxPendingRequests: null, maxRequests: null }

test.for<[VirtualNodeConnectionPool, object]>([
	[{ http: { maxConnections: 1 } }, { ...none, maxConnections: 1 }],
	[{ http: { maxConnections: 1, maxPendingRequests: 2 } }, { ...none, maxConnections: 1, maxPendingRequests: 2 }],
	[{ http2: { maxRequests: 3 } }, { ...none, maxRequests: 3 }],
	[{ grpc: { maxRequests: 3 } }, { ...none, maxRequests: 3 }],
	[{ tcp: { maxConnections: 4 } }, { ...none, maxConnections: 4 }],
])('%j is read as %j', ([written, pool]) => {
	expect(readConnectionPool(written)).toEqual(pool)
})

test.for<[VirtualNodeConnectionPool | undefined, Protocol, number]>([
	[undefined, 'http', 0],
	[{ http2: { maxRequests: 3 } }, 'http2', 0],
	[{ http2: { maxRequests: 3 } }, 'grpc', 1],
	[{ tcp: { maxConnections: 3 } }, 'http', 1],
])('%j on a port that speaks %s has %i findings', ([connectionPool, protocol, count]) => {
	const listener = { portMapping: { port: 80, protocol }, ...(connectionPool === undefined ? {} : { connectionPool }) }
	const findings = checkConnectionPool(['spec', 'listeners', 0], listener)
	expect(findings.map(({ code, at }) => [code, at])).toEqual(Array(count).fill(['SL0219', 'key']))
	expect(readConnectionPool(undefined)).toBeNull()
})
