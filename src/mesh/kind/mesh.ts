import { errorAt, type Finding } from '../finding.ts'
import type { MeshManifest } from '../manifest.generated.ts'
import type { MeshSpec } from '../mesh.ts'

export function readMeshSpec(manifest: MeshManifest): MeshSpec {
	return {
		egressFilter: manifest.spec?.egressFilter?.type ?? 'DROP_ALL',
		accessLog: null,
		tracing: null,
		stats: null,
		ipPreference: manifest.spec?.serviceDiscovery?.ipPreference ?? null,
	}
}

export function checkMesh({ metadata: { name, mesh } }: MeshManifest): readonly Finding[] {
	if (mesh === undefined || mesh === name) return []
	const message = `metadata.mesh is "${mesh}"; in a Mesh it is the same as metadata.name, "${name}", or left out`
	return [errorAt(['metadata', 'mesh'], 'SL0207', message)]
}
