import { compareText } from '#base/diagnostic.ts'
import { limits } from '#base/limits.ts'
import { identityPath } from '#compile/compiled.ts'
import type { FleetView, Proxy } from '#xds/fleet-view.ts'
import type { Evidence } from './evidence.ts'
import type { ControllerState, Exclusion } from './state.ts'

// Proxy by proxy, for people. What is decided by is counted in groups; nothing but these lists costs the whole fleet.

export type ProxyStatus = {
	/** `mesh/apps/virtualNode/serviceA#host-1`: what `sluice proxies exclude` takes. */
	readonly proxy: string
	readonly identity: string
	readonly zone: string
	/** Envoy's minor version; '' of one that is in no group any more. */
	readonly envoy: string
	/**
	 * `current`: holds all that is served · `pending`: has not answered yet · `rejected`: refused some of it · `gone`: expected
	 * back · `absent`: excluded, and not expected any more.
	 */
	readonly standing: 'current' | 'pending' | 'rejected' | 'gone' | 'absent'
	/** Connected, and its counters have stopped or never came. */
	readonly silent: boolean
	readonly excluded: ExclusionStatus | null
}

/** A proxy that a person took out of what is expected. */
export type ExclusionStatus = {
	readonly proxy: string
	readonly actor: string
	readonly reason: string
	readonly since: string
	/** Null: until somebody includes it. */
	readonly until: string | null
	/** What it last held all of, or '' when nobody knows. */
	readonly version: string
}

export type ProxyStanding = { readonly proxy: Proxy; readonly state: 'current' | 'pending' | 'rejected' }

export type ProxySource = {
	readonly state: ControllerState
	readonly fleet: FleetView
	/** Of all connected proxies. */
	readonly standings: Iterable<ProxyStanding>
	readonly evidence: Evidence
	readonly wallMs: number
}

/** Sorted by name; of those whose name begins with `wanted` the first ones, and how many there are beside them. */
export function proxiesOf(
	source: ProxySource,
	wanted: string,
): { readonly proxies: readonly ProxyStatus[]; readonly more: number } {
	const { fleet, evidence } = source
	const exclusions = new Map(exclusionsOf(source).map((exclusion) => [exclusion.proxy, exclusion]))
	const found = new Map<string, ProxyStatus>()
	const add = (status: Omit<ProxyStatus, 'excluded'>) => {
		if (!status.proxy.startsWith(wanted) || found.has(status.proxy)) return
		found.set(status.proxy, { ...status, excluded: exclusions.get(status.proxy) ?? null })
	}
	for (const { proxy, state } of source.standings) {
		const { key, zone, group } = proxy
		const identity = identityPath(group.identity)
		const silent = evidence.isSilent(key)
		add({ proxy: key, identity, zone, envoy: group.envoyMinor, standing: state, silent })
	}
	for (const { group, gone, excluded } of fleet.values()) {
		const missing = [...gone, ...excluded.filter(({ standing }) => standing === 'gone')]
		for (const { proxy } of missing)
			add({ ...notConnected(proxy), identity: identityPath(group.identity), envoy: group.envoyMinor, standing: 'gone' })
	}
	for (const proxy of exclusions.keys()) add({ ...notConnected(proxy), envoy: '', standing: 'absent' })
	const sorted = [...found.values()].sort((left, right) => compareText(left.proxy, right.proxy))
	return { proxies: sorted.slice(0, limits.proxiesListed), more: Math.max(0, sorted.length - limits.proxiesListed) }
}

function notConnected(proxy: string) {
	return { proxy, identity: proxy.replace(/#.*$/, ''), zone: '', silent: false }
}

export function exclusionsOf({
	state,
	fleet,
	wallMs,
}: Pick<ProxySource, 'state' | 'fleet' | 'wallMs'>): ExclusionStatus[] {
	const held = new Map([...fleet.values()].flatMap(({ excluded }) => excluded).map((one) => [one.proxy, one.version]))
	return (state.excluded ?? []).map((exclusion) => ({
		proxy: exclusion.proxy,
		actor: exclusion.actor,
		reason: exclusion.reason,
		since: new Date(exclusion.sinceWallMs).toISOString(),
		until: untilOf(exclusion, wallMs),
		version: held.get(exclusion.proxy) ?? '',
	}))
}

function untilOf({ leftMs }: Exclusion, wallMs: number): string | null {
	return leftMs === null ? null : new Date(wallMs + leftMs).toISOString()
}
