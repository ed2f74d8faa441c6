import { expect, test } from 'vitest'
import { checkTracing, readTracing } from '../../../../src/mesh/kind/tracing.ts'
import type { VirtualNodeTracing } from '../../../../src/mesh/manifest.generated.ts'
import type { TracingProvider } from '../../../../src/mesh/proxy-spec.ts'

test.for<[VirtualNodeTracing, TracingProvider]>([
	[
		{ openTelemetry: { address: 'otel.local.' } },
		{ kind: 'openTelemetry', collector: { address: 'otel.local', port: 4317 }, serviceName: null },
	],
	[
		{ openTelemetry: { address: 'otel.local', port: 1, serviceName: 'me' } },
		{ kind: 'openTelemetry', collector: { address: 'otel.local', port: 1 }, serviceName: 'me' },
	],
	[
		{ zipkin: { address: '::1' } },
		{ kind: 'zipkin', collector: { address: '::1', port: 9411 }, path: '/api/v2/spans', encoding: 'JSON' },
	],
	[
		{ zipkin: { address: 'z', port: 2, path: '/p', encoding: 'PROTO' } },
		{ kind: 'zipkin', collector: { address: 'z', port: 2 }, path: '/p', encoding: 'PROTO' },
	],
	[
		{ xray: {} },
		{ kind: 'xray', daemon: { address: '127.0.0.1', port: 2000 }, segmentName: null, samplingRuleManifest: null },
	],
	[
		{ xray: { address: '10.0.0.1', port: 3, segmentName: 'me', samplingRuleManifest: '/rules.json' } },
		{ kind: 'xray', daemon: { address: '10.0.0.1', port: 3 }, segmentName: 'me', samplingRuleManifest: '/rules.json' },
	],
	[{ datadog: { address: 'd' } }, { kind: 'datadog', collector: { address: 'd', port: 8126 }, serviceName: null }],
])('%j is read', ([written, provider]) => {
	expect(readTracing(written)?.provider).toEqual(provider)
})

test('X-Ray samples 5 % unless it is written otherwise, the others all', () => {
	const ppm = (tracing: VirtualNodeTracing) => readTracing(tracing)?.samplingPpm
	expect(ppm({ xray: {} })).toBe(50_000)
	expect(ppm({ datadog: { address: 'd' } })).toBe(1_000_000)
	expect(ppm({ xray: {}, sampling: 0 })).toBe(0)
	expect(ppm({ datadog: { address: 'd' }, sampling: 0.0125 })).toBe(125)
	expect(readTracing(undefined)).toBeNull()
})

test('an address that is none is found', () => {
	expect(checkTracing([], undefined)).toEqual([])
	expect(checkTracing([], { xray: {} })).toEqual([])
	expect(checkTracing([], { zipkin: { address: 'jaeger.local' } })).toEqual([])
	const findings = checkTracing(['spec', 'tracing'], { datadog: { address: '1.2.3' } })
	expect(findings.map(({ code, path }) => `${code} ${path.join('.')}`)).toEqual(['SL0208 spec.tracing.datadog.address'])
})
