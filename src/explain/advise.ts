import type { Condition, KnownPort, Outcome, TriedRoute } from './explained.ts'
import { quote } from './match/string-match.ts'

const mostNamed = 5

/** Of a request that nothing takes: what is nearest to it, and so probably what is to be changed. */
export function advise(outcome: Outcome): string | null {
	switch (outcome.kind) {
		case 'unknownHost':
			if (outcome.nearest !== null) return `did you mean the host ${quote(outcome.nearest)}?`
			return outcome.known.length === 0 ? null : `the hosts that it knows are ${listed(outcome.known.map(quote))}`
		case 'noRoute':
			return outcome.nearest === null ? 'this host has no route at all' : `the nearest: ${missText(outcome.nearest)}`
		case 'closed': {
			const ports = outcome.ports.map(portText)
			return ports.length === 0 ? null : `the ports that it knows are ${listed(ports)}`
		}
		default:
			return null
	}
}

function portText({ port, protocol, serverNames }: KnownPort): string {
	return `${port} (${[protocol, ...serverNames.map((name) => `TLS to ${name}`)].join(', ')})`
}

/** Why one route does not take a request: its first condition that is not met. */
export function missText({ name, failed: [lacking] }: TriedRoute): string {
	if (lacking === undefined) return quote(name)
	return `${quote(name)} does not match: ${conditionText(lacking)}`
}

/** `header x-beta is not there; wanted: exactly "yes"`. */
export function conditionText({ name, wanted, found }: Condition): string {
	return `${name} is ${found === null ? 'not there' : quote(found)}; wanted: ${wanted}`
}

function listed(names: readonly string[]): string {
	const more = names.length > mostNamed ? `, and ${names.length - mostNamed} more` : ''
	return names.slice(0, mostNamed).join(', ') + more
}
