// A TCP connection does not say whom it is for. Where traffic is intercepted a proxy knows it by the port alone; where it
// is not, the application dials the backend's `egressPort` instead.
import { type LinkFinding, lastName, type Resources } from './link-finding.ts'
import type { VirtualNode } from './mesh.ts'
import type { Backend } from './proxy-spec.ts'
import { serviceListeners } from './service-listeners.ts'

export function findLooseTcpBackends(node: VirtualNode, resources: Resources): readonly LinkFinding[] {
	const backends = node.spec.backends.map((backend) => ({ backend, ...portsOf(backend, resources) }))
	const http = backends.flatMap(({ backend, http }) => http.map((port) => ({ port, backend })))
	// HTTP comes before TCP, then the first by name.
	const tcp = backends.flatMap(({ backend, tcp }) => tcp.map((port) => ({ port, backend })))
	const owners = new Map<number, Backend>()
	for (const { port, backend } of [...http, ...tcp]) if (!owners.has(port)) owners.set(port, backend)
	return [
		...tcp.flatMap(({ port, backend }) => findSharedPort({ node, port, backend, owner: owners.get(port) })),
		...backends.flatMap(({ backend, tcp }) => findIdleEgressPort(node, backend, { tcp, resources })),
	]
}

function portsOf({ virtualService }: Backend, resources: Resources): { http: number[]; tcp: number[] } {
	const service = resources[virtualService]
	const listeners = service?.kind === 'VirtualService' ? serviceListeners(service, resources) : []
	const ports = (isTcp: (protocol: string) => boolean) =>
		listeners.filter(({ protocol }) => isTcp(protocol)).map(({ port }) => port)
	return { http: ports((protocol) => protocol !== 'tcp'), tcp: ports((protocol) => protocol === 'tcp') }
}

type Claim = {
	readonly node: VirtualNode
	readonly port: number
	readonly backend: Backend
	readonly owner: Backend | undefined
}

/** Whoever writes an `egressPort` has no interception in mind, and with it the two can be told apart. */
function findSharedPort({ node, port, backend, owner }: Claim): readonly LinkFinding[] {
	if (owner === undefined || owner === backend || backend.egressPort !== null) return []
	const service = lastName(backend.virtualService)
	const message = `the backends "${lastName(owner.virtualService)}" and "${service}" share port ${port}: connections to it are all taken for the first`
	return [{ code: 'SL0325', resource: node.id, place: { kind: 'backend', service }, message, missing: null }]
}

function findIdleEgressPort(
	node: VirtualNode,
	{ virtualService, egressPort }: Backend,
	{ tcp, resources }: { readonly tcp: readonly number[]; readonly resources: Resources },
): readonly LinkFinding[] {
	if (egressPort === null || tcp.length === 1 || resources[virtualService] === undefined) return []
	const service = lastName(virtualService)
	const message =
		tcp.length === 0
			? `"${service}" has no TCP port, so its egressPort is not used: requests find their way by the host`
			: `"${service}" has the TCP ports ${tcp.join(', ')}: the egressPort leads to the first`
	return [{ code: 'SL0327', resource: node.id, place: { kind: 'egressPort', service }, message, missing: null }]
}
