import { unreachable } from '#base/assert.ts'
import type { RouteAction, RouteAction_HashPolicy } from '#proto/gen/envoy/config/route/v3/route_components_pb.ts'
import type { WeightedName } from './destinations.ts'
import type { DrawnBy } from './explained.ts'
import type { SeenRequest } from './seen-request.ts'
import { xxHash64 } from './xx-hash64.ts'

// Where a route draws the cluster of a request by the hash of who sends it, which one that is can be told.

/** `chosen`: the one that gets the request; null where chance decides, or nobody can tell. */
export type Draw = { readonly by: DrawnBy; readonly chosen: WeightedName | null }

/** Null: a route that draws all requests by chance. */
export function drawOf(
	{ clusterSpecifier, hashPolicy }: RouteAction,
	weighted: readonly WeightedName[],
	request: SeenRequest,
): Draw | null {
	if (clusterSpecifier.case !== 'weightedClusters') return null
	const { randomValueSpecifier } = clusterSpecifier.value
	if (randomValueSpecifier.case !== 'useHashPolicy' || !randomValueSpecifier.value.value) return null
	const [policy, ...others] = hashPolicy
	const source = policy === undefined ? null : sourceOf(policy)
	// Sluice writes one. Of several the hashes are mixed.
	if (source === null || others.length > 0) return null
	const values = source.kind === 'header' ? request.sent(source.name) : cookiesOf(request, source.name)
	const [value] = values
	if (value === undefined) return { by: { ...source, found: 'none' }, chosen: null }
	// Envoy mixes several, and how is its own affair.
	if (values.length > 1) return { by: { ...source, found: 'several' }, chosen: null }
	return { by: { ...source, found: 'one' }, chosen: choose(weighted, xxHash64(value)) }
}

function sourceOf({ policySpecifier }: RouteAction_HashPolicy): Pick<DrawnBy, 'kind' | 'name'> | null {
	switch (policySpecifier.case) {
		case 'header':
			return { kind: 'header', name: policySpecifier.value.headerName }
		case 'cookie':
			return { kind: 'cookie', name: policySpecifier.value.name }
		case 'connectionProperties':
		case 'queryParameter':
		case 'filterState':
		case undefined:
			return null
		default:
			return unreachable(policySpecifier)
	}
}

/** The first that has the name; an empty one is none. */
function cookiesOf(request: SeenRequest, name: string): string[] {
	const all = request.sent('cookie').flatMap((header) => header.split(';'))
	const value = all.map((cookie) => cookie.trimStart()).find((cookie) => cookie.startsWith(`${name}=`))
	const written = value?.slice(name.length + 1) ?? ''
	const plain = /^".*"$/.test(written) ? written.slice(1, -1) : written
	return plain === '' ? [] : [plain]
}

/** The hash falls into the cumulated weights. */
function choose(weighted: readonly WeightedName[], hash: bigint): WeightedName | null {
	const total = weighted.reduce((sum, { weight }) => sum + weight, 0)
	if (total === 0) return null
	const place = Number(hash % BigInt(total))
	let end = 0
	for (const each of weighted) {
		end += each.weight
		if (place < end) return each
	}
	return null
}
