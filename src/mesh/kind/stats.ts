import { checkIpAddress } from '../check-address.ts'
import type { Finding, Path } from '../finding.ts'
import type { VirtualNodeStats } from '../manifest.generated.ts'
import type { StatsSettings } from '../proxy-spec.ts'

const defaults = { statsdPort: 8125, prometheusAddress: '0.0.0.0' } as const

/** Written and empty is not the same as not written: a node then has none, whatever the mesh says. */
export function readStats(stats: VirtualNodeStats | undefined): StatsSettings | null {
	if (stats === undefined) return null
	return { statsd: readStatsd(stats.statsd), prometheus: readPrometheus(stats.prometheus) }
}

function readStatsd(statsd: VirtualNodeStats['statsd']): StatsSettings['statsd'] {
	if (statsd === undefined) return null
	const { address, port = defaults.statsdPort, prefix = null, format = 'statsd' } = statsd
	return { address, port, prefix, format }
}

function readPrometheus(prometheus: VirtualNodeStats['prometheus']): StatsSettings['prometheus'] {
	if (prometheus === undefined) return null
	const { address = defaults.prometheusAddress, port } = prometheus
	return { address, port }
}

/** `path`: of the stats. */
export function checkStats(path: Path, stats: VirtualNodeStats | undefined): readonly Finding[] {
	return [
		...checkIpAddress([...path, 'statsd', 'address'], stats?.statsd?.address),
		...checkIpAddress([...path, 'prometheus', 'address'], stats?.prometheus?.address),
	]
}
