import { expect, test } from 'vitest'
import { checkHealthCheck, readHealthCheck } from '../../../../src/mesh/kind/health-check.ts'
import type { VirtualNodeHealthCheck } from '../../../../src/mesh/manifest.generated.ts'
import type { Protocol } from '../../../../src/mesh/route-spec.ts'

const check = (change: Partial<VirtualNodeHealthCheck>): VirtualNodeHealthCheck => ({
	protocol: 'http',
	healthyThreshold: 2,
	unhealthyThreshold: 3,
	intervalMillis: 5000,
	timeoutMillis: 2000,
	...change,
})

test.for<[Partial<VirtualNodeHealthCheck>, string]>([
	[{}, '/'],
	[{ path: '/healthz' }, '/healthz'],
	[{ path: 'healthz' }, '/healthz'],
	[{ path: '' }, '/'],
	[{ protocol: 'http2', path: '/a' }, '/a'],
	[{ protocol: 'grpc', path: '/a' }, '/'],
	[{ protocol: 'tcp', path: '/a' }, '/'],
])('%j asks for %s', ([change, path]) => {
	expect(readHealthCheck(check(change))).toEqual({
		protocol: change.protocol ?? 'http',
		path,
		healthyThreshold: 2,
		unhealthyThreshold: 3,
		intervalMs: 5000,
		timeoutMs: 2000,
	})
})

test.for<[Partial<VirtualNodeHealthCheck>, Protocol, string[]]>([
	[{}, 'http', []],
	[{ port: 80 }, 'tcp', []],
	[{ port: 81 }, 'http', ['error SL0221']],
	[{ timeoutMillis: 4999 }, 'http', []],
	[{ timeoutMillis: 5000 }, 'http', ['warning SL0225']],
	[{ protocol: 'grpc', path: '/' }, 'grpc', ['warning SL0226']],
	[{ protocol: 'tcp', path: 'a' }, 'http', ['warning SL0226']],
	[{ path: 'a' }, 'http', ['warning SL0227']],
	[{ protocol: 'grpc' }, 'http', ['warning SL0229']],
	[{ protocol: 'grpc' }, 'http2', []],
	[{ protocol: 'grpc' }, 'tcp', []],
])('%j on a port that speaks %s finds %j', ([change, protocol, codes]) => {
	const listener = { portMapping: { port: 80, protocol }, healthCheck: check(change) }
	expect(checkHealthCheck([], listener).map(({ severity, code }) => `${severity} ${code}`)).toEqual(codes)
})

test('nothing is found where nothing is checked', () => {
	expect(readHealthCheck(undefined)).toBeNull()
	expect(checkHealthCheck([], { portMapping: { port: 80, protocol: 'http' } })).toEqual([])
})
