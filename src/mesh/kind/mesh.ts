import { errorAt, type Finding } from '../finding.ts'
import type { MeshManifest } from '../manifest.generated.ts'
import type { MeshSpec } from '../mesh.ts'
import { checkProxySettings, readProxySettings } from './proxy-settings.ts'

export function readMeshSpec({ spec = {} }: MeshManifest): MeshSpec {
	return {
		egressFilter: spec.egressFilter?.type ?? 'DROP_ALL',
		ipPreference: spec.serviceDiscovery?.ipPreference ?? null,
		...readProxySettings(spec),
	}
}

export function checkMesh({ metadata, spec = {} }: MeshManifest): readonly Finding[] {
	return [...checkName(metadata), ...checkProxySettings(spec)]
}

function checkName({ name, mesh }: MeshManifest['metadata']): readonly Finding[] {
	if (mesh === undefined || mesh === name) return []
	const message = `metadata.mesh is "${mesh}"; in a Mesh it is the same as metadata.name, "${name}", or left out`
	return [errorAt(['metadata', 'mesh'], 'SL0207', message)]
}
