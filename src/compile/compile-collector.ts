import { resourceId } from '#mesh/mesh.ts'
import type { Caller } from './caller-of.ts'
import { compileCollectorCluster } from './cluster/collector-cluster.ts'
import type { CompiledResource } from './compiled.ts'
import { listenerSettings } from './listener/listener-settings.ts'
import type { Resources } from './names.ts'

/** Where the listeners of a proxy send their traces, if they do and it takes a cluster. */
export function compileCollector(resources: Resources, caller: Caller): CompiledResource[] {
	const { tracing } = listenerSettings(resources, caller)
	if (tracing === null) return []
	const cluster = compileCollectorCluster(tracing.provider, [resourceId.mesh(caller.mesh), caller.id])
	return cluster === null ? [] : [cluster]
}
