import { latencyEdgesMs } from '#base/request-times.ts'
import type { ProxyIdentity } from '#compile/compiled.ts'
import type { BootstrapOptions } from './bootstrap-options.ts'
import { statsMatcher } from './stats-matcher.ts'

/**
 * What Envoy counts. It cannot keep one set of statistics for the daemon and another for others: a reader beside the
 * daemon expects what App Mesh's proxies had, which is everything, and then the daemon is sent everything too.
 */
export function statsConfig({ identity, stats, statsTags }: BootstrapOptions): object {
	const isReadByOthers = (stats?.statsd ?? null) !== null || (stats?.prometheus ?? null) !== null
	return {
		...(isReadByOthers ? {} : { stats_matcher: statsMatcher() }),
		...(statsTags === 'appMesh' ? { stats_tags: appMeshTags(identity) } : {}),
		histogram_bucket_settings: [{ match: { suffix: '_time' }, buckets: latencyEdgesMs }],
	}
}

/** What App Mesh's image wrote with `ENABLE_ENVOY_STATS_TAGS`, beside Envoy's own tags. */
function appMeshTags({ mesh, kind, name }: ProxyIdentity): object[] {
	const ofKind = kind === 'virtualNode' ? 'appmesh.virtual_node' : 'appmesh.virtual_gateway'
	return [
		{ tag_name: 'appmesh.mesh', fixed_value: mesh },
		{ tag_name: ofKind, fixed_value: name },
	]
}
