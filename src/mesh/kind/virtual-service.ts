import type { VirtualServiceManifest } from '../manifest.generated.ts'
import { resourceId, type VirtualServiceSpec } from '../mesh.ts'

export function readVirtualServiceSpec(manifest: VirtualServiceManifest): VirtualServiceSpec {
	const { mesh } = manifest.metadata
	const { virtualNode, virtualRouter } = manifest.spec.provider ?? {}
	if (virtualNode !== undefined) {
		return { provider: { kind: 'virtualNode', id: resourceId.virtualNode(mesh, virtualNode.virtualNodeName) } }
	}
	if (virtualRouter !== undefined) {
		return { provider: { kind: 'virtualRouter', id: resourceId.virtualRouter(mesh, virtualRouter.virtualRouterName) } }
	}
	return { provider: null }
}
