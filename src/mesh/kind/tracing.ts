import { assert } from '#base/assert.ts'
import { checkHostOrIpAddress } from '../check-address.ts'
import type { Finding, Path } from '../finding.ts'
import type { VirtualNodeTracing } from '../manifest.generated.ts'
import { percentToPpm } from '../percent-to-ppm.ts'
import type { Collector, Tracing, TracingProvider } from '../proxy-spec.ts'

/** App Mesh's defaults: its agent sampled 5 % for X-Ray, and left the others to Envoy, which traces all. */
const defaults = {
	samplingPercent: { xray: 5, others: 100 },
	ports: { openTelemetry: 4317, zipkin: 9411, xray: 2000, datadog: 8126 },
	xrayAddress: '127.0.0.1',
	zipkinPath: '/api/v2/spans',
} as const

export function readTracing(tracing: VirtualNodeTracing | undefined): Tracing | null {
	if (tracing === undefined) return null
	const { samplingPercent } = defaults
	const percent = tracing.sampling ?? (tracing.xray === undefined ? samplingPercent.others : samplingPercent.xray)
	return { samplingPpm: percentToPpm(percent), provider: readProvider(tracing) }
}

/** The schema has seen to it that there is exactly one. */
function readProvider({ openTelemetry, zipkin, xray, datadog }: VirtualNodeTracing): TracingProvider {
	const { ports } = defaults
	if (openTelemetry !== undefined) {
		const { serviceName = null } = openTelemetry
		return { kind: 'openTelemetry', collector: readCollector(openTelemetry, ports.openTelemetry), serviceName }
	}
	if (zipkin !== undefined) {
		const { path = defaults.zipkinPath, encoding = 'JSON' } = zipkin
		return { kind: 'zipkin', collector: readCollector(zipkin, ports.zipkin), path, encoding }
	}
	if (xray !== undefined) {
		const { address = defaults.xrayAddress, port = ports.xray, segmentName = null, samplingRuleManifest = null } = xray
		return { kind: 'xray', daemon: { address, port }, segmentName, samplingRuleManifest }
	}
	assert(datadog !== undefined, 'tracing is of openTelemetry, zipkin, xray or datadog')
	const { serviceName = null } = datadog
	return { kind: 'datadog', collector: readCollector(datadog, ports.datadog), serviceName }
}

/** A trailing dot is dropped: host names are always whole ones. */
function readCollector({ address, port }: { address: string; port?: number }, defaultPort: number): Collector {
	return { address: address.replace(/\.$/, ''), port: port ?? defaultPort }
}

/** `path`: of the tracing. */
export function checkTracing(path: Path, tracing: VirtualNodeTracing | undefined): readonly Finding[] {
	return (['openTelemetry', 'zipkin', 'datadog'] as const).flatMap((kind) => {
		const address = tracing?.[kind]?.address
		return address === undefined ? [] : checkHostOrIpAddress([...path, kind, 'address'], address)
	})
}
