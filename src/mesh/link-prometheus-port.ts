import type { LinkFinding, LinkPlace, Resources } from './link-finding.ts'
import { lastName } from './link-finding.ts'
import { resourceId, type VirtualGateway, type VirtualNode } from './mesh.ts'
import { envoyPorts } from './refuse-envoy-ports.ts'

/**
 * Where a proxy answers Prometheus nothing else of it can listen: Envoy refuses the later of two listeners. The port is
 * its own, or its mesh's, which is known only here.
 */
export function findBrokenPrometheusPort(
	proxy: VirtualNode | VirtualGateway,
	resources: Resources,
): readonly LinkFinding[] {
	const mesh = resources[resourceId.mesh(proxy.mesh)]
	const ofMesh = mesh?.kind === 'Mesh' ? mesh.spec.stats : null
	const port = (proxy.spec.stats ?? ofMesh)?.prometheus?.port
	const holder = port === undefined ? null : holderOf(port, proxy)
	if (holder === null) return []
	const whose = proxy.spec.stats === null ? `the mesh "${proxy.mesh}"` : 'this proxy'
	const message = `Prometheus is answered on port ${port}, as ${whose} says, and ${holder.what} has it`
	const place: LinkPlace = proxy.spec.stats === null ? holder.place : { kind: 'prometheusPort' }
	return [{ code: 'SL0224', resource: proxy.id, place, message, missing: null }]
}

type Holder = { readonly what: string; readonly place: LinkPlace }

function holderOf(port: number, { kind, spec }: VirtualNode | VirtualGateway): Holder | null {
	if (spec.listeners.some((listener) => listener.port === port)) {
		return { what: 'a listener', place: { kind: 'listenerPort', port } }
	}
	const backends = kind === 'VirtualNode' ? spec.backends : []
	const backend = backends.find(({ egressPort }) => egressPort === port)
	if (backend !== undefined) {
		const service = lastName(backend.virtualService)
		return { what: `the backend "${service}"`, place: { kind: 'egressPort', service } }
	}
	return envoyPorts.includes(port) ? { what: 'Envoy itself', place: { kind: 'name' } } : null
}
