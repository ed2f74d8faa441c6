import type { Expectation, ResourceId } from '#mesh/mesh.ts'
import { missText } from './advise.ts'
import { type Destination, type Explained, isTaken, type Outcome } from './explained.ts'
import { quote } from './match/string-match.ts'

/** One thing that is not as expected: where in the document that is written, and in words what is instead. */
export type Shortfall = { readonly pointer: string; readonly message: string; readonly hint: string | null }

/** Everything in which what a request does differs from what its mesh's writers expect; empty: it is fulfilled. */
export function checkExpectation({ expected, request }: Expectation, explained: Explained): Shortfall[] {
	const { outcome, hops } = explained
	const what = `${request.method} ${request.url}`
	const hint = whyOf(explained)
	if (expected.noRoute) {
		if (!isTaken(outcome)) return []
		const message = `no route is expected to take ${what}; ${fateOf(explained)}`
		return [{ pointer: '/spec/expect/noRoute', message, hint }]
	}
	if (!isTaken(outcome)) {
		return [{ pointer: '/spec/expect', message: `${what} is expected to be taken; ${fateOf(explained)}`, hint }]
	}
	const isGateway = explained.proxy.includes('/virtualGateway/')
	const found = {
		gatewayRoute: isGateway ? (hops[0]?.taken?.name ?? null) : null,
		route: (isGateway ? hops[1] : hops[0])?.taken?.name ?? null,
		virtualService: lastName(serviceOf(explained)),
		virtualNodes: nodesOf(outcome),
	}
	const shortfalls: Shortfall[] = []
	for (const field of ['gatewayRoute', 'route', 'virtualService'] as const) {
		const wanted = expected[field]
		if (wanted === null || wanted === found[field]) continue
		const message = `${what} is expected to take the ${words[field]} ${quote(wanted)}; ${instead(words[field], found[field])}`
		shortfalls.push({ pointer: `/spec/expect/${field}`, message, hint })
	}
	const nodes = expected.virtualNodes
	if (nodes !== null && nodes.join() !== found.virtualNodes.join()) {
		const message = `${what} is expected to go to ${listed(nodes)}; it goes to ${listed(found.virtualNodes)}`
		shortfalls.push({ pointer: '/spec/expect/virtualNodes', message, hint })
	}
	return shortfalls
}

const words = { gatewayRoute: 'gateway route', route: 'route', virtualService: 'virtual service' } as const

function instead(word: string, found: string | null): string {
	if (found === null) return `it takes no ${word}`
	return found === '' ? 'it goes straight to the virtual node that is its provider' : `it takes ${quote(found)}`
}

/** What becomes of the request, as the end of a sentence. */
export function fateOf({ outcome, hops }: Explained): string {
	switch (outcome.kind) {
		case 'forwarded': {
			const name = hops.at(-1)?.taken?.name ?? ''
			return `${name === '' ? 'it' : `the route ${quote(name)} takes it, and it`} goes to ${listed(nodesOf(outcome))}`
		}
		case 'tcp':
			return `port ${outcome.port} speaks TCP, and it goes to ${listed(nodesOf(outcome))}`
		case 'passedThrough':
			return 'it is passed on to wherever it was going, as TCP'
		case 'responded':
			return `the proxy answers ${outcome.status} by itself`
		case 'unknownHost':
			return 'the proxy knows no such host and answers 404'
		case 'noRoute':
			return 'no route takes it, and the proxy answers 404'
		case 'refused':
			return `the proxy answers ${outcome.status}: ${outcome.reason}`
		case 'closed':
			return `its connection is closed: ${outcome.reason}`
		case 'unknown':
			return outcome.reason
	}
}

/** Of a request that is taken, by which routes it was not. */
function whyOf({ outcome, hops, advice }: Explained): string | null {
	if (outcome.kind !== 'forwarded') return advice
	const passed = hops.at(-1)?.tried.slice(0, mostPassed) ?? []
	return passed.length === 0 ? null : `tried before: ${passed.map(missText).join('; ')}`
}

const mostPassed = 3

/** What a gateway's route names comes first: a host that is kept may be another service's name. */
function serviceOf({ hops }: Explained): ResourceId | null {
	return hops[0]?.taken?.virtualService ?? hops.at(-1)?.virtualHost?.virtualService ?? null
}

function nodesOf(outcome: Outcome): string[] {
	const destinations: readonly Destination[] = 'destinations' in outcome ? outcome.destinations : []
	const names = destinations.flatMap(({ virtualNode, sharePpm }) => (sharePpm > 0 ? (lastName(virtualNode) ?? []) : []))
	return [...new Set(names)].sort()
}

function lastName(id: ResourceId | null): string | null {
	return id?.split('/').at(-1) ?? null
}

function listed(names: readonly string[]): string {
	return names.length === 0 ? 'no virtual node' : names.map(quote).join(' and ')
}
