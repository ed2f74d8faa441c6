// What an Envoy holds, read from its own /config_dump, and how that differs from what App Mesh gave.

/** The parts of /config_dump that matter here, by their field names. */
export type ProxyDump = {
	readonly dynamic_listeners: readonly unknown[]
	readonly dynamic_route_configs: readonly unknown[]
	readonly dynamic_active_clusters: readonly unknown[]
}

/** What a proxy is to hold of routes to others. */
export type ExpectedEgress = {
	/** Virtual service, and its targets with their shares in ppm. Null: it calls nobody. */
	readonly service: string
	readonly mesh: string
	readonly port: number
	readonly sharesPpm: Readonly<Record<string, number>>
}

export type ExpectedHolding = {
	/** The name of its own node, whose ingress it is. */
	readonly node: string
	readonly mesh: string
	readonly port: number
	readonly egress: ExpectedEgress | null
}

type Json = Readonly<Record<string, unknown>>

const unlimited = 2_147_483_647
const thresholdNames = ['max_connections', 'max_pending_requests', 'max_requests', 'max_retries']
const defaultTimeout = '15s'
const defaultRetry = {
	retry_on: 'unavailable,connect-failure,refused-stream,retriable-status-codes,reset',
	num_retries: 2,
	retriable_status_codes: [503],
}

/** Everything in which the dump is not what App Mesh would have given; empty when it is. */
export function findDeviations(dump: ProxyDump, expected: ExpectedHolding): string[] {
	return [
		...listenerDeviations(dump, expected),
		...clusterDeviations(dump, expected),
		...ingressDeviations(dump, expected),
		...(expected.egress === null ? noEgressDeviations(dump) : egressDeviations(dump, expected.egress)),
	]
}

function listenerDeviations(dump: ProxyDump, { egress, port }: ExpectedHolding): string[] {
	const listeners = dump.dynamic_listeners.map(asObject)
	const refused = listeners.filter((listener) => listener.error_state !== undefined)
	const names = listeners.filter((listener) => listener.active_state !== undefined).map(nameOf)
	const wanted = [...(egress === null ? [] : ['lds_egress_0.0.0.0_15001']), `lds_ingress_0.0.0.0_${port}`]
	return [
		...refused.map((listener) => `listener ${nameOf(listener)} is refused`),
		...compareLists('listeners', names.toSorted(), wanted),
	]
}

function clusterDeviations(dump: ProxyDump, { node, mesh, port, egress }: ExpectedHolding): string[] {
	const clusters = clustersOf(dump)
	const wanted = [
		...(egress === null ? [] : Object.keys(egress.sharesPpm).map((target) => egressCluster(egress, target))),
		`cds_ingress_${mesh}_${node}_http2_${port}`,
	]
	return [
		...compareLists('clusters', clusters.map(nameOf).toSorted(), wanted.toSorted()),
		...clusters.flatMap((cluster) => {
			const [thresholds = {}] = listOf(asObject(cluster.circuit_breakers).thresholds).map(asObject)
			const others = thresholdNames.filter((name) => thresholds[name] !== unlimited)
			return others.map((name) => `${nameOf(cluster)} has ${name} ${show(thresholds[name])} instead of ${unlimited}`)
		}),
	]
}

function ingressDeviations(dump: ProxyDump, { node, mesh, port }: ExpectedHolding): string[] {
	const route = firstRoute(virtualHosts(dump, `rds_ingress_http_${port}`)[0])
	const cluster = `cds_ingress_${mesh}_${node}_http2_${port}`
	return compare('ingress goes to', asObject(route.route).cluster, cluster)
}

function noEgressDeviations(dump: ProxyDump): string[] {
	const egress = routeConfigurations(dump).filter((configuration) => nameOf(configuration).startsWith('rds_egress'))
	return egress.map((configuration) => `it calls nobody, but holds ${nameOf(configuration)}`)
}

function egressDeviations(dump: ProxyDump, egress: ExpectedEgress): string[] {
	const hosts = virtualHosts(dump, 'rds_egress_http_15001')
	const host = hosts.find((candidate) => nameOf(candidate) === egress.service)
	if (host === undefined) return [`no virtual host ${egress.service}`]
	const action = asObject(firstRoute(host).route)
	const retry = asObject(action.retry_policy)
	return [
		...compareLists('virtual hosts', hosts.map(nameOf), [egress.service]),
		...compareLists('domains', listOf(host.domains).map(String), [egress.service, `${egress.service}:${egress.port}`]),
		...compare('shares', sharesOf(action), expectedShares(egress)),
		...compare('timeout', action.timeout, defaultTimeout),
		...Object.entries(defaultRetry).flatMap(([name, value]) => compare(`retry_policy.${name}`, retry[name], value)),
	]
}

/** Cluster → share in ppm, by name. */
function sharesOf(action: Json): Record<string, number> {
	const clusters = listOf(asObject(action.weighted_clusters).clusters).map(asObject)
	const weights = clusters.map((cluster) => [nameOf(cluster), Number(cluster.weight ?? 0)] as const)
	const sum = weights.reduce((total, [, weight]) => total + weight, 0)
	return sorted(weights.map(([name, weight]) => [name, Math.round((weight * 1_000_000) / Math.max(1, sum))]))
}

function expectedShares(egress: ExpectedEgress): Record<string, number> {
	return sorted(Object.entries(egress.sharesPpm).map(([target, ppm]) => [egressCluster(egress, target), ppm]))
}

function sorted(entries: readonly (readonly [string, number])[]): Record<string, number> {
	return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)))
}

function egressCluster({ mesh, port }: ExpectedEgress, target: string): string {
	return `cds_egress_${mesh}_${target}_http2_${port}`
}

function clustersOf(dump: ProxyDump): Json[] {
	return dump.dynamic_active_clusters.map((entry) => asObject(asObject(entry).cluster))
}

function routeConfigurations(dump: ProxyDump): Json[] {
	return dump.dynamic_route_configs.map((entry) => asObject(asObject(entry).route_config))
}

function virtualHosts(dump: ProxyDump, name: string): Json[] {
	const found = routeConfigurations(dump).find((configuration) => nameOf(configuration) === name)
	return listOf(found?.virtual_hosts).map(asObject)
}

function firstRoute(host: Json | undefined): Json {
	return asObject(listOf(host?.routes)[0])
}

function compareLists(what: string, found: readonly string[], wanted: readonly string[]): string[] {
	return compare(what, found, wanted)
}

function compare(what: string, found: unknown, wanted: unknown): string[] {
	return show(found) === show(wanted) ? [] : [`${what}: ${show(found)} instead of ${show(wanted)}`]
}

function show(value: unknown): string {
	return value === undefined ? 'nothing' : JSON.stringify(value)
}

function nameOf(value: Json): string {
	return typeof value.name === 'string' ? value.name : ''
}

function asObject(value: unknown): Json {
	return typeof value === 'object' && value !== null ? (value as Json) : {}
}

function listOf(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : []
}
