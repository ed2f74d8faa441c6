import { type Resource, type ResourceId, resourceId } from '#mesh/mesh.ts'
import type { AccessLog, Tracing } from '#mesh/proxy-spec.ts'
import type { Caller } from '../caller-of.ts'
import { collectorClusterName } from '../names.ts'

/** How the listeners of a proxy log and trace. Plain data. */
export type ListenerSettings = {
	readonly accessLog: AccessLog | null
	readonly tracing: Tracing | null
	/** What traces call the proxy unless another name is written: `apps/serviceA`, as under App Mesh. */
	readonly proxyName: string
}

/** The node's or gateway's own where it has written any, member by member, else the mesh's. */
export function listenerSettings(
	resources: Readonly<Record<ResourceId, Resource>>,
	{ mesh, name, spec }: Caller,
): ListenerSettings {
	const found = resources[resourceId.mesh(mesh)]
	const ofMesh = found?.kind === 'Mesh' ? found.spec : null
	return {
		accessLog: spec.accessLog ?? ofMesh?.accessLog ?? null,
		tracing: spec.tracing ?? ofMesh?.tracing ?? null,
		proxyName: `${mesh}/${name}`,
	}
}

/** Clusters that a listener with these settings names: X-Ray's daemon takes datagrams, and needs none. */
export function collectorsOf({ tracing }: ListenerSettings): string[] {
	return tracing === null || tracing.provider.kind === 'xray' ? [] : [collectorClusterName]
}
