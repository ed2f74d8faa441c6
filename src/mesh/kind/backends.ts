import { compareText } from '#base/diagnostic.ts'
import { canonicalJson } from '#base/hash.ts'
import { errorAt, type Finding } from '../finding.ts'
import type { VirtualNodeBackend, VirtualNodeManifest } from '../manifest.generated.ts'
import { type ResourceId, resourceId } from '../mesh.ts'
import type { Backend } from '../proxy-spec.ts'
import { checkVirtualServiceName, virtualServiceName } from '../virtual-service-name.ts'
import { checkClientPolicy, readClientTls } from './client-policy.ts'

/** Sorted by virtual service, each once. A client policy takes the place of that in the defaults even if it says nothing of TLS. */
export function readBackends(manifest: VirtualNodeManifest): readonly Backend[] {
	const byService = new Map<ResourceId, Backend>()
	for (const written of manifest.spec.backends ?? []) {
		const backend = readBackend(written, manifest)
		if (!byService.has(backend.virtualService)) byService.set(backend.virtualService, backend)
	}
	return [...byService.values()].sort((left, right) => compareText(left.virtualService, right.virtualService))
}

function readBackend({ virtualService }: VirtualNodeBackend, { metadata, spec }: VirtualNodeManifest): Backend {
	const name = virtualServiceName(virtualService.virtualServiceName)
	return {
		virtualService: resourceId.virtualService(metadata.mesh, name),
		clientTls: readClientTls(virtualService.clientPolicy ?? spec.backendDefaults?.clientPolicy),
		egressPort: virtualService.egressPort ?? null,
	}
}

export function checkBackends(manifest: VirtualNodeManifest): readonly Finding[] {
	const { backends = [], backendDefaults } = manifest.spec
	return [
		...checkClientPolicy(['spec', 'backendDefaults', 'clientPolicy'], backendDefaults?.clientPolicy),
		...backends.flatMap(({ virtualService }, index) => {
			const path = ['spec', 'backends', index, 'virtualService']
			return [
				...checkVirtualServiceName(
					[...path, 'virtualServiceName'],
					virtualService.virtualServiceName,
					manifest.metadata.mesh,
				),
				...checkClientPolicy([...path, 'clientPolicy'], virtualService.clientPolicy),
			]
		}),
		...findContradictions(manifest),
	]
}

/** A service that is listed twice must be called in one way. */
function findContradictions(manifest: VirtualNodeManifest): readonly Finding[] {
	const first = new Map<ResourceId, string>()
	return (manifest.spec.backends ?? []).flatMap((written, index) => {
		const backend = readBackend(written, manifest)
		const earlier = first.get(backend.virtualService)
		first.set(backend.virtualService, earlier ?? canonicalJson(backend))
		if (earlier === undefined || earlier === canonicalJson(backend)) return []
		const name = virtualServiceName(written.virtualService.virtualServiceName)
		const message = `the backend "${name}" is listed already, with another client policy or egress port`
		const path = ['spec', 'backends', index, 'virtualService', 'virtualServiceName']
		return [errorAt(path, 'SL0220', message, 'keep one')]
	})
}
