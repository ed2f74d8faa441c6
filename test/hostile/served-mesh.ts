// What is served while others do harm, and the changes of it that every witness must be told, and nothing else.

import { typeUrls } from '#compile/compiled.ts'
import type { EncodedResource, Snapshot } from '#snapshot/snapshot.ts'
import { edsCluster, endpoints, listener, route, secret, snapshotOf, staticCluster } from '../fixtures/resources.ts'
import type { Told, Variant } from '../fixtures/xds-dialogue.ts'

const at = { host: '127.0.0.1', port: 8080 }
const count = 40

export type Change = {
	readonly snapshot: Snapshot
	/** The one thing that a witness of this variant is told: type, then name → version. */
	told(variant: Variant): Pick<Told, 'type' | 'resources' | 'removed'>
}

/** The mesh after so many changes: by turns the weights of a route, and a cluster. */
export function servedMesh(changes: number): Snapshot {
	/** How often the one of these with this index has changed. */
	const marks = (index: number, kind: 0 | 1) =>
		Array.from({ length: changes }, (_, change) => change + 1).filter(
			(change) => change % 2 === kind && Math.floor(change / 2) % count === index,
		).length
	const each = <Made>(make: (index: number) => Made) => Array.from({ length: count }, (_, index) => make(index))
	return snapshotOf(
		...each((index) => staticCluster(`c${index}`, at, 1000 + marks(index, 1))),
		...each((index) => edsCluster(`e${index}`)),
		...each((index) => endpoints(`e${index}`, at)),
		listener('egress', at, 'r0'),
		...each((index) => route(`r${index}`, { [`c${index}`]: 1 + marks(index, 0), [`e${index}`]: 1 })),
		...each((index) => secret(`s${index}`, 'x')),
	)
}

/** From `before`, which is the mesh after `changes - 1` of them. */
export function nextChange(before: Snapshot, changes: number): Change {
	const snapshot = servedMesh(changes)
	const isCluster = changes % 2 === 1
	const typeUrl = isCluster ? typeUrls.cluster : typeUrls.route
	const old = before.types[typeUrl].resources
	const all = [...snapshot.types[typeUrl].resources.values()]
	const changed = all.filter(({ name, version }) => old.get(name)?.version !== version)
	const versions = (resources: readonly EncodedResource[]) =>
		Object.fromEntries(resources.map(({ name, version }) => [name, version]))
	return {
		snapshot,
		told: (variant) => ({
			type: isCluster ? 'cluster' : 'route',
			resources: versions(isCluster && variant === 'stateOfTheWorld' ? all : changed),
			removed: [],
		}),
	}
}

export const servedNames: readonly string[] = [...Object.values(servedMesh(0).types)].flatMap(({ resources }) => [
	...resources.keys(),
])
