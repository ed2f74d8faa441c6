import { type LinkFinding, lastName } from './link-finding.ts'
import type { VirtualNode } from './mesh.ts'
import { envoyPorts } from './refuse-envoy-ports.ts'

/** An `egressPort` is a listener of the node's proxy: no two of them share a port, with each other or with the node's own. */
export function findBrokenEgressPorts({ id, spec: { backends, listeners } }: VirtualNode): readonly LinkFinding[] {
	const users = new Map(envoyPorts.map((port) => [port, 'Envoy itself']))
	for (const { port } of listeners) users.set(port, 'a listener of this node')
	return backends.flatMap(({ virtualService, egressPort }): LinkFinding[] => {
		if (egressPort === null) return []
		const service = lastName(virtualService)
		const user = users.get(egressPort)
		users.set(egressPort, user ?? `the backend "${service}"`)
		if (user === undefined) return []
		const message = `the egressPort ${egressPort} of the backend "${service}" is taken: ${user} has it`
		return [{ code: 'SL0326', resource: id, place: { kind: 'egressPort', service }, message, missing: null }]
	})
}
