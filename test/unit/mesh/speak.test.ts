import { expect, test } from 'vitest'
import type { Protocol } from '../../../src/mesh/route-spec.ts'
import { canSpeak } from '../../../src/mesh/speak.ts'

test.for<[Protocol, Record<Protocol, string>]>([
	['http', { http: 'yes', http2: 'yes', grpc: 'yes', tcp: 'strained' }],
	['http2', { http: 'yes', http2: 'yes', grpc: 'yes', tcp: 'strained' }],
	['grpc', { http: 'no', http2: 'yes', grpc: 'yes', tcp: 'no' }],
	['tcp', { http: 'strained', http2: 'strained', grpc: 'strained', tcp: 'yes' }],
])('a route for %s', ([protocol, listeners]) => {
	const spoken = Object.keys(listeners).map((listener) => [listener, canSpeak(protocol, listener as Protocol)])
	expect(Object.fromEntries(spoken)).toEqual(listeners)
})
