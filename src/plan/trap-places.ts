import type { VirtualNode } from '#mesh/mesh.ts'
import type { Caller } from './live-paths.ts'

// Lists of a mesh are sorted, documents are not: where a list has several members, its own place is as near as can be
// said.

export function listenerPointers({ spec }: VirtualNode, port: number, part: 'tls' | 'portMapping/protocol'): string[] {
	const [only] = spec.listeners
	const exact =
		spec.listeners.length === 1 && only?.port === port ? [`/spec/listeners/0/${part}`, '/spec/listeners/0'] : []
	return [...exact, '/spec/listeners', '/spec']
}

export function policyPointers(caller: Caller): string[] {
	const exact =
		caller.kind === 'VirtualNode' && caller.spec.backends.length === 1
			? ['/spec/backends/0/virtualService/clientPolicy']
			: []
	return [...exact, '/spec/backendDefaults/clientPolicy', '/spec/backends', '/spec']
}
