import type { Finding } from '../finding.ts'
import type { VirtualNodeLogging, VirtualNodeStats, VirtualNodeTracing } from '../manifest.generated.ts'
import type { ProxySettings } from '../proxy-spec.ts'
import { checkLogging, readAccessLog } from './logging.ts'
import { checkStats, readStats } from './stats.ts'
import { checkTracing, readTracing } from './tracing.ts'

type ProxySettingsManifest = { logging?: VirtualNodeLogging; tracing?: VirtualNodeTracing; stats?: VirtualNodeStats }

/** What a mesh, a node and a gateway write alike: how proxies log, trace and count. */
export function readProxySettings({ logging, tracing, stats }: ProxySettingsManifest): ProxySettings {
	return { accessLog: readAccessLog(logging), tracing: readTracing(tracing), stats: readStats(stats) }
}

export function checkProxySettings({ logging, tracing, stats }: ProxySettingsManifest): readonly Finding[] {
	return [
		...checkLogging(['spec', 'logging'], logging),
		...checkTracing(['spec', 'tracing'], tracing),
		...checkStats(['spec', 'stats'], stats),
	]
}
