import { expect, test } from 'vitest'
import type { Protocol } from '../../../src/mesh/route-spec.ts'
import { settleProtocol } from '../../../src/mesh/settle-protocol.ts'

const settle = (written: Protocol, ...spoken: Protocol[]) => {
	const listeners = spoken.map((protocol, index) => ({ port: 80 + index, protocol }))
	const settled = settleProtocol(written, listeners)
	return `${settled.kind} ${settled.protocol}`
}

test.for<[Protocol, Protocol[], string]>([
	['http', [], 'as written http'],
	['http', ['http'], 'as written http'],
	['http', ['http2', 'http'], 'as written http'],
	['http', ['grpc', 'http2'], 'bridged http2'],
	['http', ['grpc', 'tcp'], 'bridged http2'],
	['http', ['tcp'], 'impossible http'],
	['http2', ['http'], 'bridged http'],
	['http2', ['grpc'], 'bridged http2'],
	['http2', ['tcp'], 'impossible http2'],
	['grpc', ['http', 'http2'], 'bridged grpc'],
	['grpc', ['http'], 'impossible grpc'],
	['grpc', ['tcp'], 'impossible grpc'],
	['tcp', ['http', 'tcp'], 'as written tcp'],
	['tcp', ['http', 'http2', 'grpc'], 'impossible tcp'],
])('a route for %s on a router for %j is %s', ([written, spoken, outcome]) => {
	expect(settle(written, ...spoken)).toBe(outcome)
	expect(settle(written, ...spoken.toReversed())).toBe(outcome)
})

test('what a route is read as settles the same again', () => {
	const protocols: Protocol[] = ['http', 'http2', 'grpc', 'tcp']
	for (const written of protocols) {
		for (const spoken of protocols) {
			const { kind, protocol } = settleProtocol(written, [{ port: 80, protocol: spoken }])
			if (kind === 'impossible') continue
			expect(settleProtocol(protocol, [{ port: 80, protocol: spoken }])).toMatchObject({ protocol })
		}
	}
})
