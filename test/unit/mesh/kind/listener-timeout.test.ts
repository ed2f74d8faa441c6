import { expect, test } from 'vitest'
import { checkListenerTimeout, readListenerTimeout } from '../../../../src/mesh/kind/listener-timeout.ts'
import type { VirtualNodeListener } from '../../../../src/mesh/manifest.generated.ts'

const perRequest = { unit: 's', value: 30 } as const
const idle = { unit: 'ms', value: 1500 } as const
const on = (protocol: VirtualNodeListener['portMapping']['protocol'], timeout?: VirtualNodeListener['timeout']) => ({
	portMapping: { port: 80, protocol },
	...(timeout === undefined ? {} : { timeout }),
})

test.for<[VirtualNodeListener, number | null, number | null, string[]]>([
	[on('http'), null, null, []],
	[on('http', { http: { perRequest } }), 30_000, null, []],
	[on('http2', { http2: { perRequest, idle } }), 30_000, 1500, []],
	[on('grpc', { grpc: { perRequest: { unit: 's', value: 0 } } }), 0, null, []],
	[on('tcp', { tcp: { idle } }), null, 1500, []],
	[on('http2', { http: { perRequest } }), 30_000, null, ['SL0216']],
	[on('http', { tcp: { idle } }), null, 1500, ['SL0216']],
	[on('tcp', { grpc: { perRequest, idle } }), null, 1500, ['SL0216']],
])('%j: %j ms a request, %j ms of silence, and finds %j', ([listener, perRequestMs, idleMs, codes]) => {
	expect(readListenerTimeout(listener)).toEqual({ perRequestMs, idleMs })
	expect(checkListenerTimeout([], listener).map(({ code }) => code)).toEqual(codes)
})
