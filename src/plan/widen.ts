import { hashValue } from '#base/hash.ts'
import type { Mesh, Resource, ResourceId, VirtualNode } from '#mesh/mesh.ts'
import type { IpPreference, ListenerTls, ServiceDiscovery, VirtualNodeListener } from '#mesh/proxy-spec.ts'
import { isOffered, takesTls } from './client-tls.ts'
import type { Trap } from './trap.ts'

// Servers that get along with their callers as they were and as they are to be (rules §4.4).

/** The same resource twice: while callers are what they were, and while they change. */
export type Widened = { readonly before: Resource; readonly meanwhile: Resource }

/** By resource; what is caught in a trap and has no such form is not among them. */
export function widen(applied: Mesh, desired: Mesh, traps: readonly Trap[]): ReadonlyMap<ResourceId, Widened> {
	const caught = new Set(traps.map(({ resource }) => resource))
	const asksCallers = traps.some(({ code }) => code === 'SL0413')
	const widened = new Map<ResourceId, Widened>()
	for (const [id, old] of Object.entries(applied.resources)) {
		const next = desired.resources[id as ResourceId]
		if (old.kind === 'Mesh' && next?.kind === 'Mesh' && caught.has(old.id)) {
			const ipPreference = widePreference(old.spec.ipPreference, next.spec.ipPreference)
			widened.set(old.id, { before: withSpec(old, { ...old.spec, ipPreference }), meanwhile: next })
		}
		if (old.kind !== 'VirtualNode' || next?.kind !== 'VirtualNode') continue
		if (caught.has(old.id) || (asksCallers && stopsAsking(old, next))) widened.set(old.id, widenNode(old, next))
	}
	return widened
}

/** Whether a server that holds this takes whatever the widened one takes. */
export function takesAsMuch(held: Resource | undefined, wide: Resource): boolean {
	if (held?.kind === 'Mesh' && wide.kind === 'Mesh')
		return held.spec.ipPreference !== null || wide.spec.ipPreference === null
	if (held?.kind !== 'VirtualNode' || wide.kind !== 'VirtualNode') return false
	const ports = new Map(held.spec.listeners.map((listener) => [listener.port, listener]))
	const [old, next] = [held, wide].map(({ spec }) => preferenceOf(spec.serviceDiscovery))
	if (old === null && next !== null) return false
	return wide.spec.listeners.every((listener) => {
		const other = ports.get(listener.port)
		if (other === undefined) return false
		return (!takesTls(listener) || takesTls(other)) && (!takesPlain(listener) || takesPlain(other))
	})
}

function takesPlain({ tls }: VirtualNodeListener): boolean {
	return tls?.mode !== 'STRICT'
}

function preferenceOf(discovery: ServiceDiscovery | null): IpPreference | null {
	return discovery === null || discovery.kind === 'static' ? null : discovery.ipPreference
}

function widenNode(old: VirtualNode, next: VirtualNode): Widened {
	const serviceDiscovery = wideDiscovery(old.spec.serviceDiscovery, next.spec.serviceDiscovery)
	const before = { ...old.spec, serviceDiscovery, listeners: wideListeners(old, next, 'before') }
	const meanwhile = { ...next.spec, listeners: wideListeners(old, next, 'meanwhile') }
	return { before: withSpec(old, before), meanwhile: withSpec(next, meanwhile) }
}

/** Those of both, by port. */
function wideListeners(old: VirtualNode, next: VirtualNode, when: keyof Widened): VirtualNodeListener[] {
	const later = new Map(next.spec.listeners.map((listener) => [listener.port, listener]))
	const kept = old.spec.listeners.map((listener) => {
		const then = later.get(listener.port)
		if (then === undefined) return listener
		const tls = wideTls(listener, then)
		return when === 'before' ? { ...listener, tls: tls.before } : { ...then, tls: tls.meanwhile }
	})
	const ports = new Set(old.spec.listeners.map(({ port }) => port))
	const added = next.spec.listeners.filter(({ port }) => !ports.has(port))
	return [...kept, ...added].sort((left, right) => left.port - right.port)
}

type WideTls = { readonly before: ListenerTls | null; readonly meanwhile: ListenerTls | null }

/**
 * Where TLS begins or ends both are taken meanwhile. Callers take up what is offered, so that it is taken is told to none
 * of them before all servers have it, and after the first has lost it.
 */
function wideTls(old: VirtualNodeListener, next: VirtualNodeListener): WideTls {
	const offers = { old: isOffered(old), next: isOffered(next) }
	if (offers.old && offers.next) return keepUnasked(old.tls, next.tls)
	if (!offers.old && !offers.next) return { before: old.tls, meanwhile: takesTls(old) ? old.tls : next.tls }
	const tls = offers.old ? old.tls : next.tls
	if (tls === null) return { before: old.tls, meanwhile: next.tls }
	const both = { ...tls, mode: 'PERMISSIVE', validation: offers.old ? tls.validation : null } as const
	const silent = { ...both, offered: false } as const
	return offers.old ? { before: both, meanwhile: silent } : { before: silent, meanwhile: both }
}

/** Certificates of clients are asked for when all show one, and not any more before the first shows none. */
function keepUnasked(old: ListenerTls | null, next: ListenerTls | null): WideTls {
	return {
		before: old === null || (next !== null && next.validation !== null) ? old : { ...old, validation: null },
		meanwhile: next === null || (old !== null && old.validation !== null) ? next : { ...next, validation: null },
	}
}

function stopsAsking(old: VirtualNode, next: VirtualNode): boolean {
	const asks = ({ tls }: VirtualNodeListener) => (tls?.validation ?? null) !== null
	const later = new Map(next.spec.listeners.map((listener) => [listener.port, listener]))
	return old.spec.listeners.some((listener) => {
		const then = later.get(listener.port)
		return then !== undefined && asks(listener) && !asks(then)
	})
}

function wideDiscovery(old: ServiceDiscovery | null, next: ServiceDiscovery | null): ServiceDiscovery | null {
	if (old === null || old.kind === 'static' || next === null || next.kind === 'static') return old
	return { ...old, ipPreference: widePreference(old.ipPreference, next.ipPreference) }
}

/** With any preference a server listens on both families, without one on IPv4 alone. */
function widePreference(old: IpPreference | null, next: IpPreference | null): IpPreference | null {
	const isIpv6 = (preference: IpPreference | null) => preference === 'IPv6_ONLY' || preference === 'IPv6_PREFERRED'
	const isTorn = (old === null && isIpv6(next)) || (isIpv6(old) && next === null)
	return isTorn ? 'IPv4_PREFERRED' : old
}

function withSpec<Kind extends Resource>(resource: Kind, spec: Kind['spec']): Kind {
	return { ...resource, spec, hash: hashValue({ kind: resource.kind, id: resource.id, spec }) }
}
