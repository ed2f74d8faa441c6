// What a proxy may call over TCP. A connection says nothing of whom it is for, so it is known by the port alone.
import type { Resource, ResourceId, VirtualNode, VirtualService } from '#mesh/mesh.ts'
import type { Backend, ClientTls } from '#mesh/proxy-spec.ts'
import type { Caller } from './caller-of.ts'
import type { Capture } from './compiled.ts'
import { egressTables, type RoutesRewritten } from './egress-table.ts'
import { type ServicePort, servicePorts, type Upstream } from './upstream.ts'

type Resources = Readonly<Record<ResourceId, Resource>>

/** A TCP port of a backend, and where connections to it come into the proxy. */
export type TcpEgress = {
	readonly service: VirtualService
	/** Intercepted: the port that is dialled, the service's. Explicit: the backend's `egressPort`. */
	readonly port: number
	/** A router's: the first of its routes, which takes every connection; none: connections are closed. */
	readonly upstream: Upstream
	readonly clientTls: ClientTls | null
}

/**
 * One for each port. Two backends on one port cannot be told apart: HTTP comes before TCP, then the first by name has it.
 * Explicit: a backend without an `egressPort` has no way out, and neither has one whose port is taken by another listener
 * of the proxy. A gateway speaks no TCP.
 */
export function tcpEgresses(resources: Resources, caller: Caller, capture: Capture): readonly TcpEgress[] {
	if (caller.kind !== 'VirtualNode') return []
	const all = knownEgresses(resources, caller, capture.mode)
	if (capture.mode === 'intercept') return all
	return all.filter(({ port }) => port !== capture.egressPort && port !== namedPort)
}

/** In one capture mode or the other: where two backends are on one port, the modes do not reach the same of them. */
export function possibleTcpEgresses(resources: Resources, caller: Caller): readonly TcpEgress[] {
	if (caller.kind !== 'VirtualNode') return []
	return (['intercept', 'explicit'] as const).flatMap((mode) => knownEgresses(resources, caller, mode))
}

/** The HTTP egress listener has this one in its name, whatever it binds, and no two listeners may share a name. */
const namedPort = 15_001

/** Shared by all steps of a rollout: they change no resource. */
const egresses = new WeakMap<Resources, Map<string, readonly TcpEgress[]>>()

function knownEgresses(resources: Resources, node: VirtualNode, mode: Capture['mode']): readonly TcpEgress[] {
	const ofMesh = egresses.get(resources) ?? new Map<string, readonly TcpEgress[]>()
	egresses.set(resources, ofMesh)
	const key = `${mode} ${node.id}`
	const known = ofMesh.get(key) ?? makeEgresses(resources, node, mode)
	ofMesh.set(key, known)
	return known
}

/** Where there was nothing over TCP, rewritten routes bring nothing. */
export function followNoTcp(node: Caller, mode: Capture['mode'], { before, resources }: RoutesRewritten): void {
	const key = `${mode} ${node.id}`
	const ofMesh = egresses.get(resources) ?? new Map<string, readonly TcpEgress[]>()
	if (egresses.get(before)?.get(key)?.length !== 0 || ofMesh.has(key)) return
	ofMesh.set(key, [])
	egresses.set(resources, ofMesh)
}

function makeEgresses(resources: Resources, node: VirtualNode, mode: Capture['mode']): TcpEgress[] {
	const egresses = node.spec.backends.flatMap((backend) => egressesOf(resources, backend, mode))
	if (egresses.length === 0) return []
	const taken = new Set(
		mode === 'explicit'
			? node.spec.listeners.map(({ port }) => port)
			: egressTables(resources, node, mode).flatMap(({ hosts }) => hosts.map(({ port }) => port)),
	)
	const found: TcpEgress[] = []
	for (const egress of egresses) {
		if (taken.has(egress.port)) continue
		taken.add(egress.port)
		found.push(egress)
	}
	return found.sort((left, right) => left.port - right.port)
}

function egressesOf(resources: Resources, backend: Backend, mode: Capture['mode']): TcpEgress[] {
	const service = resources[backend.virtualService]
	if (service?.kind !== 'VirtualService') return []
	const { clientTls, egressPort } = backend
	const ports = servicePorts(resources, service)
	if (!ports.some(isTcp)) return []
	const tcp = ports.filter(isTcp)
	if (mode === 'intercept') {
		return tcp.map(({ port, upstream }) => ({ service, port, upstream: firstRoute(upstream), clientTls }))
	}
	const [first] = tcp
	if (first === undefined || egressPort === null) return []
	return [{ service, port: egressPort, upstream: firstRoute(first.upstream), clientTls }]
}

function isTcp({ protocol }: ServicePort): boolean {
	return protocol === 'tcp'
}

function firstRoute(upstream: Upstream): Upstream {
	return upstream.kind === 'node' ? upstream : { ...upstream, routes: upstream.routes.slice(0, 1) }
}
