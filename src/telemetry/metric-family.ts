import { bytesOf, isAt } from './byte-names.ts'
import { metricSlots, metricUses } from './cluster-metric.ts'
import type { NameMemory } from './name-memory.ts'
import type { WireScan } from './wire-scan.ts'

// The families of a message of metrics, found by their names while these are bytes.

/** What a family is of use for. */
export type MetricFamily =
	| { readonly use: 'cluster'; readonly slot: number }
	| { readonly use: 'times' | 'uptime' }
	| { readonly use: 'unrouted'; readonly name: string }

/** By the length of the name: few have the same. */
const families: { readonly name: Uint8Array; readonly family: MetricFamily }[][] = []
for (const [text, use] of metricUses) {
	const name = bytesOf(text)
	const family: MetricFamily =
		use === 'times' || use === 'uptime' ? { use } : { use: 'cluster', slot: metricSlots[use] }
	while (families.length <= name.length) families.push([])
	families[name.length]?.push({ name, family })
}

/** Of the name that ends where the scan is; null where it is of no use. */
export function familyNamed({ bytes, at: to }: WireScan, from: number, names: NameMemory): MetricFamily | null {
	for (const { name, family } of families[to - from] ?? []) if (isAt(bytes, from, to, name)) return family
	return isUnrouted(bytes, from, to) ? unroutedFamily(names.textAt(bytes, from, to)) : null
}

const httpPrefix = bytesOf('http.')
const routeSuffix = bytesOf('no_route')
const clusterSuffix = bytesOf('no_cluster')

const unroutedPattern = /^http\..*\bno_(cluster|route)$/

/** May be one of those, as far as can be seen at a glance. */
function isUnrouted(bytes: Uint8Array, from: number, to: number): boolean {
	if (to - from < httpPrefix.length + routeSuffix.length) return false
	if (!isAt(bytes, from, from + httpPrefix.length, httpPrefix)) return false
	return (
		isAt(bytes, to - routeSuffix.length, to, routeSuffix) || isAt(bytes, to - clusterSuffix.length, to, clusterSuffix)
	)
}

function unroutedFamily(name: string | null): MetricFamily | null {
	return name !== null && unroutedPattern.test(name) ? { use: 'unrouted', name } : null
}
