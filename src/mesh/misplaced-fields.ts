// Fields that App Mesh has, but not in the place where they were written. What is meant is said instead of looking for a
// misspelling in a name that is spelt well.
import type { DocumentKind } from './check-schema.ts'

type Misplaced = { readonly kinds: readonly DocumentKind[]; readonly pointer: RegExp; readonly hint: string }

const misplaced: readonly Misplaced[] = [
	{
		kinds: ['VirtualNode', 'VirtualGateway'],
		pointer: /^\/spec\/listeners\/[0-9]+\/tls\/validation\/trust\/acm$/,
		hint: 'a listener trusts authorities of file or sds; of ACM it can have its own certificate only',
	},
	{
		kinds: ['VirtualNode', 'VirtualGateway'],
		pointer: /\/clientPolicy\/tls\/certificate\/acm$/,
		hint: 'what a client shows of itself is of file or sds: ACM gives no private key',
	},
	{
		kinds: ['VirtualNode', 'VirtualGateway'],
		pointer: /^\/spec\/(?:clientPolicy|tls)$/,
		hint: 'it belongs into backendDefaults: {clientPolicy: …} for what is called, into tls of a listener for what is answered',
	},
	{
		kinds: ['VirtualNode'],
		pointer: /^\/spec\/backends\/[0-9]+\/(?:virtualServiceName|clientPolicy|egressPort)$/,
		hint: 'it belongs into virtualService of the backend',
	},
	{
		kinds: ['VirtualGateway'],
		pointer: /^\/spec\/listeners\/[0-9]+\/(?:timeout|outlierDetection)$/,
		hint: 'a gateway has none of its own: those of the routes and nodes behind it hold',
	},
	{
		kinds: ['VirtualGateway'],
		pointer: /^\/spec\/(?:backends|serviceDiscovery)$/,
		hint: 'a gateway has none: its gateway routes name what it calls, and no proxy looks for it',
	},
]

/** What to do with a field that is not known where it was written; null when nothing is known of it. `pointer` is its own. */
export function hintForMisplaced(kind: DocumentKind, pointer: string): string | null {
	return misplaced.find((field) => field.kinds.includes(kind) && field.pointer.test(pointer))?.hint ?? null
}
