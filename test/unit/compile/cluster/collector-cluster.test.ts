import { expect, test } from 'vitest'
import { compileCollectorCluster } from '#compile/cluster/collector-cluster.ts'
import type { TracingProvider } from '#mesh/proxy-spec.ts'
import { readable } from '../../../fixtures/compile-fixture.ts'

const openTelemetry = (address: string): TracingProvider => ({
	kind: 'openTelemetry',
	collector: { address, port: 4317 },
	serviceName: null,
})

function shown(provider: TracingProvider): object {
	const cluster = compileCollectorCluster(provider, [])
	return cluster === null ? {} : readable(cluster)
}

test('a host name is looked up as it is written, an address is not', () => {
	expect(shown(openTelemetry('otel'))).toMatchObject({
		name: 'sluice-tracing',
		type: 'STRICT_DNS',
		dns_lookup_family: 'V4_PREFERRED',
		load_assignment: {
			endpoints: [
				{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 'otel', port_value: 4317 } } } }] },
			],
		},
	})
	expect(shown(openTelemetry('127.0.0.1'))).toMatchObject({ type: 'STATIC' })
})

test('OTLP is gRPC, Zipkin and Datadog are HTTP/1.1, and the X-Ray daemon takes datagrams', () => {
	const collector = { address: '127.0.0.1', port: 1 }
	expect(JSON.stringify(shown(openTelemetry('otel')))).toContain('"http2_protocol_options"')
	const zipkin = { kind: 'zipkin', collector, path: '/api/v2/spans', encoding: 'JSON' } as const
	for (const provider of [zipkin, { kind: 'datadog', collector, serviceName: null } as const]) {
		expect(JSON.stringify(shown(provider))).toContain('"http_protocol_options"')
	}
	const xray = { kind: 'xray', daemon: collector, segmentName: null, samplingRuleManifest: null } as const
	expect(compileCollectorCluster(xray, [])).toBeNull()
})
