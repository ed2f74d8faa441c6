import { unreachable } from '#base/assert.ts'
import type { AccessLog, ProxySettings, StatsSettings, Tracing, TracingProvider } from './proxy-spec.ts'
import { type Written, writeMembers } from './write-members.ts'

/** The members of a mesh's, a node's or a gateway's `spec` that say how proxies log, trace and count. */
export function writeProxySettings({ accessLog, tracing, stats }: ProxySettings): Written {
	return {
		logging: accessLog === null ? null : writeAccessLog(accessLog),
		tracing: tracing === null ? null : writeTracing(tracing),
		stats: stats === null ? null : writeStats(stats),
	}
}

function writeAccessLog({ path, format }: AccessLog): Written {
	const members = format?.kind === 'json' ? format.members.map(({ key, value }) => ({ key, value })) : []
	const written = format?.kind === 'text' ? { text: format.text } : { json: members }
	return { accessLog: { file: writeMembers({ path, format: format === null ? null : written }) } }
}

function writeTracing({ samplingPpm, provider }: Tracing): Written {
	return { sampling: samplingPpm / 10_000, [provider.kind]: writeMembers(writeProvider(provider)) }
}

function writeProvider(provider: TracingProvider): Written {
	switch (provider.kind) {
		case 'openTelemetry':
		case 'datadog':
			return { ...provider.collector, serviceName: provider.serviceName }
		case 'zipkin':
			return { ...provider.collector, path: provider.path, encoding: provider.encoding }
		case 'xray': {
			const { daemon, segmentName, samplingRuleManifest } = provider
			return { ...daemon, segmentName, samplingRuleManifest }
		}
		default:
			return unreachable(provider)
	}
}

function writeStats({ statsd, prometheus }: StatsSettings): Written {
	return writeMembers({
		statsd: statsd === null ? null : writeMembers({ ...statsd }),
		prometheus: prometheus === null ? null : { ...prometheus },
	})
}
