import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { findFlaws } from './find-flaws.ts'
import type { EncodedResource, Snapshot } from './snapshot.ts'

/** Why a snapshot must not be served: each would drop traffic, and Envoy would ACK most of them. */
export type Inconsistency =
	/** A resource names another that is not beside it. */
	| {
			readonly kind: 'missing'
			readonly typeUrl: TypeUrl
			readonly name: string
			readonly missing: { readonly typeUrl: TypeUrl; readonly name: string }
	  }
	/** A resource is wrong by itself. */
	| { readonly kind: 'flawed'; readonly typeUrl: TypeUrl; readonly name: string; readonly flaw: string }

/** Everything that is wrong with a snapshot, by type and name. Costs a look at each reference, and
 * a decoding of each route configuration that is new. */
export function findInconsistencies(snapshot: Snapshot): Inconsistency[] {
	const { types } = snapshot
	return Object.values(types).flatMap(({ resources }) => findInconsistenciesAmong([...resources.values()], snapshot))
}

/** As `findInconsistencies`, of some resources of the snapshot. */
export function findInconsistenciesAmong(resources: readonly EncodedResource[], snapshot: Snapshot): Inconsistency[] {
	return resources.flatMap((resource) => [
		...missingOf(snapshot, resource, typeUrls.cluster, resource.references.clusters),
		...missingOf(snapshot, resource, typeUrls.route, resource.references.routes),
		...findFlaws(resource).map((flaw) => ({ kind: 'flawed', ...nameOf(resource), flaw }) as const),
	])
}

function missingOf(
	snapshot: Snapshot,
	resource: EncodedResource,
	typeUrl: TypeUrl,
	names: readonly string[],
): Inconsistency[] {
	const { resources } = snapshot.types[typeUrl]
	const absent = names.filter((name) => !resources.has(name))
	return absent.map((name) => ({ kind: 'missing', ...nameOf(resource), missing: { typeUrl, name } }))
}

function nameOf({ typeUrl, name }: EncodedResource): { typeUrl: TypeUrl; name: string } {
	return { typeUrl, name }
}
