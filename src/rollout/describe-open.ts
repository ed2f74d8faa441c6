import type { OpenConnections } from './fleet-facts.ts'

/** `; 12 connections to the canary are open still`: what a way back of TCP leaves, as the end of a sentence. */
export function describeOpen(connections: OpenConnections | null): string {
	if (connections === null) return ''
	const { open, untold } = connections
	const known = open === 0 ? '' : `; ${open} ${open === 1 ? 'connection' : 'connections'} to the canary still open`
	return untold === 0 ? known : `${known}; ${untold} ${untold === 1 ? 'proxy does' : 'proxies do'} not tell of theirs`
}
