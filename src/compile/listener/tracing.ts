import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Any } from '@bufbuild/protobuf/wkt'
import { unreachable } from '#base/assert.ts'
import type { Tracing, TracingProvider } from '#mesh/proxy-spec.ts'
import { SocketAddress_Protocol } from '#proto/gen/envoy/config/core/v3/address_pb.ts'
import { DatadogConfigSchema } from '#proto/gen/envoy/config/trace/v3/datadog_pb.ts'
import { OpenTelemetryConfigSchema } from '#proto/gen/envoy/config/trace/v3/opentelemetry_pb.ts'
import { XRayConfigSchema } from '#proto/gen/envoy/config/trace/v3/xray_pb.ts'
import {
	ZipkinConfig_CollectorEndpointVersion,
	ZipkinConfigSchema,
} from '#proto/gen/envoy/config/trace/v3/zipkin_pb.ts'
import type { HttpConnectionManager_TracingSchema } from '#proto/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts'
import { collectorClusterName } from '../names.ts'
import { packAny } from '../proto/any.ts'
import { fileSource, textSource } from '../proto/file-or-text.ts'
import type { ListenerSettings } from './listener-settings.ts'

const ppmPerPercent = 10_000
const wholePpm = 1_000_000

type Provider<Kind extends TracingProvider['kind']> = Extract<TracingProvider, { kind: Kind }>

/**
 * What a connection manager does about traces; nothing when none are asked for. Only the proxy's own choice is limited:
 * a request that comes with a trace, or for which a client asks for one, is traced.
 */
export function tracing({
	tracing,
	proxyName,
}: ListenerSettings): MessageInitShape<typeof HttpConnectionManager_TracingSchema> | undefined {
	if (tracing === null) return undefined
	const { samplingPpm } = tracing
	const { name, value } = providerOf(tracing, proxyName)
	return {
		randomSampling: { value: samplingPpm / ppmPerPercent },
		provider: { name, configType: { case: 'typedConfig', value } },
	}
}

function providerOf({ provider, samplingPpm }: Tracing, proxyName: string): { name: string; value: Any } {
	switch (provider.kind) {
		case 'openTelemetry':
			return { name: 'envoy.tracers.opentelemetry', value: openTelemetry(provider, proxyName) }
		case 'zipkin':
			return { name: 'envoy.tracers.zipkin', value: zipkin(provider) }
		case 'xray':
			return { name: 'envoy.tracers.xray', value: xray(provider, proxyName, samplingPpm) }
		case 'datadog':
			return { name: 'envoy.tracers.datadog', value: datadog(provider, proxyName) }
		default:
			return unreachable(provider)
	}
}

function openTelemetry(provider: Provider<'openTelemetry'>, proxyName: string): Any {
	const targetSpecifier = { case: 'envoyGrpc', value: { clusterName: collectorClusterName } } as const
	return packAny(OpenTelemetryConfigSchema, {
		grpcService: { targetSpecifier },
		serviceName: provider.serviceName ?? proxyName,
	})
}

/** Zipkin calls the proxy what its bootstrap calls its cluster. */
function zipkin(provider: Provider<'zipkin'>): Any {
	const { path, encoding, collector } = provider
	const { HTTP_JSON, HTTP_PROTO } = ZipkinConfig_CollectorEndpointVersion
	return packAny(ZipkinConfigSchema, {
		collectorCluster: collectorClusterName,
		collectorEndpoint: path,
		collectorHostname: `${collector.address}:${collector.port}`,
		collectorEndpointVersion: encoding === 'JSON' ? HTTP_JSON : HTTP_PROTO,
		traceId128bit: true,
	})
}

/**
 * Envoy's X-Ray tracer does not ask the connection manager which requests to trace: it follows rules, and without any
 * its own of one request a second and 5 % of the others. So the sampling that is asked for is written as a rule.
 */
function xray(provider: Provider<'xray'>, proxyName: string, samplingPpm: number): Any {
	const { daemon, segmentName, samplingRuleManifest } = provider
	const rule = { version: 2, default: { fixed_target: 0, rate: samplingPpm / wholePpm } }
	return packAny(XRayConfigSchema, {
		daemonEndpoint: {
			protocol: SocketAddress_Protocol.UDP,
			address: daemon.address,
			portSpecifier: { case: 'portValue', value: daemon.port },
		},
		segmentName: segmentName ?? proxyName,
		samplingRuleManifest:
			samplingRuleManifest === null ? textSource(JSON.stringify(rule)) : fileSource(samplingRuleManifest),
	})
}

function datadog(provider: Provider<'datadog'>, proxyName: string): Any {
	const { collector, serviceName } = provider
	return packAny(DatadogConfigSchema, {
		collectorCluster: collectorClusterName,
		collectorHostname: `${collector.address}:${collector.port}`,
		serviceName: serviceName ?? proxyName,
	})
}
