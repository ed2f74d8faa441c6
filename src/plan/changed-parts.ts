import { canonicalJson } from '#base/hash.ts'
import type { MeshSpec, ResourceId, VirtualRouterSpec } from '#mesh/mesh.ts'
import type {
	GatewayListener,
	IpPreference,
	VirtualGatewaySpec,
	VirtualNodeListener,
	VirtualNodeSpec,
} from '#mesh/proxy-spec.ts'
import type { GatewayRouteSpec, Protocol, RouteSpec } from '#mesh/route-spec.ts'
import { nameOf } from './split.ts'

// What differs between two specifications of one resource, part by part and in words: `connectionPool of listener 8080`.

export type ChangedPart = {
	/** As people call it. */
	readonly part: string
	readonly how: 'changes' | 'is added' | 'is removed'
	/**
	 * Who does something else because of it. `proxy`: the resource's own proxies, and who calls them · `callers`: these alone ·
	 * `bootstrap`: a proxy that is started anew · `nobody`: no proxy reads it.
	 */
	readonly feltBy: 'proxy' | 'callers' | 'bootstrap' | 'nobody'
	/** `both`: it is what the two ends of a connection must agree on. */
	readonly ends: 'one' | 'both'
	/** What must hold beside it, or `null`. */
	readonly note: string | null
}

/** Of a member: who does something else because of it; `bothEnds`: the proxy does, and must agree on it with the other. */
type Share = ChangedPart['feltBy'] | 'bothEnds'

type Members<Spec> = { readonly [Name in keyof Spec]: Share }

const ofSettings = { accessLog: 'proxy', tracing: 'proxy', stats: 'bootstrap' } as const

export function changedPartsOfNode(before: VirtualNodeSpec, after: VirtualNodeSpec): ChangedPart[] {
	return [
		...changedListeners(before.listeners, after.listeners, ofNodeListener),
		...changedDiscovery(before, after),
		...changedMembers(before, after, ofSettings),
		...changedBackends(before, after),
	]
}

const ofNodeListener: Members<Omit<VirtualNodeListener, 'port'>> = {
	protocol: 'bothEnds',
	timeout: 'proxy',
	healthCheck: 'callers',
	outlierDetection: 'callers',
	connectionPool: 'proxy',
	tls: 'bothEnds',
}

/** The name may be the one that callers ask for in the certificate; the family is what the server listens on. */
function changedDiscovery(before: VirtualNodeSpec, after: VirtualNodeSpec): ChangedPart[] {
	const takesTls = [...before.listeners, ...after.listeners].some((listener) => modeOf(listener) !== 'DISABLED')
	const isOtherFamily = familyOf(before) !== familyOf(after)
	return changedMembers(before, after, { serviceDiscovery: 'callers' }).map((changed) => ({
		...changed,
		ends: takesTls || isOtherFamily ? 'both' : 'one',
	}))
}

function familyOf({ serviceDiscovery }: VirtualNodeSpec): IpPreference | null {
	return serviceDiscovery === null || serviceDiscovery.kind === 'static' ? null : serviceDiscovery.ipPreference
}

export function changedPartsOfGateway(before: VirtualGatewaySpec, after: VirtualGatewaySpec): ChangedPart[] {
	return [
		...changedListeners(before.listeners, after.listeners, ofGatewayListener),
		...changedMembers(before, after, { clientTls: 'bothEnds', ...ofSettings }),
	].map((changed) => (changed.part === 'clientTls' ? { ...changed, part: 'client policy' } : changed))
}

const ofGatewayListener: Members<Omit<GatewayListener, 'port'>> = {
	protocol: 'proxy',
	healthCheck: 'nobody',
	connectionPool: 'proxy',
	tls: 'proxy',
}

export function changedPartsOfMesh(before: MeshSpec, after: MeshSpec): ChangedPart[] {
	return changedMembers(before, after, { egressFilter: 'proxy', ipPreference: 'bothEnds', ...ofSettings })
}

export function changedPartsOfRouter(before: VirtualRouterSpec, after: VirtualRouterSpec): ChangedPart[] {
	return changedListeners(before.listeners, after.listeners, { protocol: 'proxy' })
}

/** But for its targets: what these change is a change of shares. */
export function changedPartsOfRoute(before: RouteSpec, after: RouteSpec): ChangedPart[] {
	const members = { priority: 'proxy', protocol: 'proxy', retryPolicy: 'proxy', timeout: 'proxy' } as const
	return [...changedMembers(before, after, members), ...changedMatch(before.match, after.match)]
}

export function changedPartsOfGatewayRoute(before: GatewayRouteSpec, after: GatewayRouteSpec): ChangedPart[] {
	const members = {
		priority: 'proxy',
		protocol: 'proxy',
		target: 'proxy',
		hostRewrite: 'proxy',
		pathRewrite: 'proxy',
	} as const
	return [...changedMembers(before, after, members), ...changedMatch(before.match, after.match)]
}

/** `connectionPool, tls of listener 80 of a live virtual node change; listener 8080 is added`. */
export function describeParts(parts: readonly ChangedPart[], owner: string): string {
	const changed = parts.filter(({ how }) => how === 'changes').map(({ part }) => part)
	const others = parts.filter(({ how }) => how !== 'changes')
	const sentences = [
		...(changed.length > 0 ? [[changed.join(', '), changed.length === 1 ? 'changes' : 'change'] as const] : []),
		...others.map(({ part, how }) => [part, how] as const),
	].map(([what, verb], index) => (index === 0 ? `${what} of ${owner} ${verb}` : `${what} ${verb}`))
	return [...sentences, ...new Set(parts.flatMap(({ note }) => note ?? []))].join('; ')
}

function changedMembers<Spec extends object>(
	before: Spec,
	after: Spec,
	members: { readonly [Name in keyof Spec]?: Share },
): ChangedPart[] {
	const names = Object.keys(members) as (keyof Spec & string)[]
	return names
		.filter((name) => differs(before[name], after[name]))
		.map((part) => ({ part, how: 'changes', ...partakers(members[part] ?? 'proxy'), note: null }))
}

function partakers(share: Share): Pick<ChangedPart, 'feltBy' | 'ends'> {
	return share === 'bothEnds' ? { feltBy: 'proxy', ends: 'both' } : { feltBy: share, ends: 'one' }
}

type Listener = { readonly port: number; readonly protocol: Protocol }

function changedListeners<L extends Listener>(
	before: readonly L[],
	after: readonly L[],
	members: Members<Omit<L, 'port'>> & { readonly protocol: Share },
): ChangedPart[] {
	const removed = before.filter(({ port }) => !after.some((listener) => listener.port === port))
	return [
		...after.flatMap((listener): ChangedPart[] => {
			const old = before.find(({ port }) => port === listener.port)
			if (old === undefined) return [whole(`listener ${listener.port}`, 'is added')]
			return changedMembers<Omit<L, 'port'>>(old, listener, members).map((changed) => ({
				...changed,
				part: `${changed.part} of listener ${listener.port}`,
				note: noteOf(changed.part, old, listener),
			}))
		}),
		...removed.map(({ port }) => ({
			...whole(`listener ${port}`, 'is removed'),
			ends: partakers(members.protocol).ends,
		})),
	]
}

/** What no proxy can see to: it concerns applications and clients outside the mesh. */
function noteOf(part: string, before: Listener, after: Listener): string | null {
	if (part === 'protocol') return `the application must take ${after.protocol} on port ${after.port} by now`
	if (part === 'tls' && modeOf(before) !== 'STRICT' && modeOf(after) === 'STRICT')
		return `whoever calls port ${after.port} from outside the mesh must speak TLS by now`
	return null
}

function modeOf(listener: Listener & { readonly tls?: VirtualNodeListener['tls'] }): string {
	return listener.tls?.mode ?? 'DISABLED'
}

function changedBackends(before: VirtualNodeSpec, after: VirtualNodeSpec): ChangedPart[] {
	const name = (id: ResourceId) => `backend ${nameOf(id)}`
	const removed = before.backends.filter(
		({ virtualService }) => !after.backends.some((backend) => backend.virtualService === virtualService),
	)
	return [
		...after.backends.flatMap((backend): ChangedPart[] => {
			const old = before.backends.find(({ virtualService }) => virtualService === backend.virtualService)
			if (old === undefined) return [whole(name(backend.virtualService), 'is added')]
			return changedMembers(old, backend, { clientTls: 'bothEnds', egressPort: 'proxy' }).map((changed) => ({
				...changed,
				part: `${changed.part === 'clientTls' ? 'client policy' : changed.part} of ${name(backend.virtualService)}`,
			}))
		}),
		...removed.map(({ virtualService }) => whole(name(virtualService), 'is removed')),
	]
}

function changedMatch(before: { readonly kind: string }, after: { readonly kind: string }): ChangedPart[] {
	if (!differs(before, after)) return []
	const old = new Map(Object.entries(before))
	const names = Object.entries(after)
		.filter(([name, value]) => name !== 'kind' && differs(old.get(name), value))
		.map(([name]) => name)
	const part = before.kind === after.kind ? `match (${names.join(', ')})` : 'match'
	return [{ part, how: 'changes', feltBy: 'proxy', ends: 'one', note: null }]
}

function whole(part: string, how: ChangedPart['how']): ChangedPart {
	return { part, how, feltBy: 'proxy', ends: 'one', note: null }
}

function differs(left: unknown, right: unknown): boolean {
	return canonicalJson(left ?? null) !== canonicalJson(right ?? null)
}
