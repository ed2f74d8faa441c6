import { findRepeatedPorts } from '../find-repeated-ports.ts'
import type { Finding } from '../finding.ts'
import type { VirtualRouterManifest } from '../manifest.generated.ts'
import type { VirtualRouterSpec } from '../mesh.ts'

/** Listeners come out sorted by port: their order says nothing. */
export function readVirtualRouterSpec(manifest: VirtualRouterManifest): VirtualRouterSpec {
	const listeners = (manifest.spec.listeners ?? []).map(({ portMapping: { port, protocol } }) => ({ port, protocol }))
	return { listeners: listeners.sort((left, right) => left.port - right.port) }
}

export function checkVirtualRouter(manifest: VirtualRouterManifest): readonly Finding[] {
	return findRepeatedPorts(manifest.spec.listeners ?? [])
}
