// What a proxy may call over HTTP, host by host: the step between App Mesh's backends and Envoy's route configurations.
// It depends on nothing but the written mesh; shares come in later.
import { assert } from '#base/assert.ts'
import type { Resource, ResourceId, VirtualService } from '#mesh/mesh.ts'
import type { ClientTls } from '#mesh/proxy-spec.ts'
import { backendsOf } from './backends-of.ts'
import type { Caller } from './caller-of.ts'
import type { Capture } from './compiled.ts'
import { type HandedOver, handedOver } from './handed-over.ts'
import { type ServicePort, servicePorts, type Upstream } from './upstream.ts'

type Resources = Readonly<Record<ResourceId, Resource>>

/** One route configuration, and in it the hosts that the application dials. */
export type EgressTable = {
	readonly name: string
	readonly hosts: readonly EgressHost[]
	/** A gateway's, for requests that keep the host of the outside. */
	readonly handedOver: readonly HandedOver[]
}

export type EgressHost = {
	readonly service: VirtualService
	/** Name of the virtual host: the virtual service's. */
	readonly name: string
	readonly domains: readonly string[]
	/** The port that the application dials. */
	readonly port: number
	readonly upstream: Upstream
	readonly clientTls: ClientTls | null
}

/** App Mesh's name of the routes of a listener that takes every port; a virtual gateway's had it. */
const allPortsName = egressRoutesName(15001)

/** The port that a host without a port means, if the service has it. */
const defaultHttpPort = 80

/**
 * `intercept`: a route configuration for each port that is dialled, as App Mesh has it.
 * `explicit`, and every gateway: one listener takes every port, so one route configuration holds every host, and its
 * name stays the same whatever backends come and go: another name would be another listener, and would close
 * connections.
 */
export function egressTables(resources: Resources, caller: Caller, mode: Capture['mode']): readonly EgressTable[] {
	const ofMesh = tables.get(resources) ?? new Map<string, readonly EgressTable[]>()
	tables.set(resources, ofMesh)
	const key = `${mode} ${caller.id}`
	const known = ofMesh.get(key) ?? makeTables(resources, caller, mode)
	ofMesh.set(key, known)
	return known
}

/** Shared by all steps of a rollout: they change no resource. */
const tables = new WeakMap<Resources, Map<string, readonly EgressTable[]>>()

/** A mesh that is the same for the caller as another, but for some routes of the same requests. */
export type RoutesRewritten = {
	readonly before: Resources
	readonly resources: Resources
	readonly routes: readonly ResourceId[]
}

/** Makes the caller's tables of those of the mesh before, if these are known: only hosts that the routes answer for differ. */
export function followRoutes(caller: Caller, mode: Capture['mode'], rewritten: RoutesRewritten): void {
	const { before, resources, routes } = rewritten
	const key = `${mode} ${caller.id}`
	const known = tables.get(before)?.get(key)
	const ofMesh = tables.get(resources) ?? new Map<string, readonly EgressTable[]>()
	// A gateway hands over by its own routes, too.
	if (known === undefined || ofMesh.has(key) || caller.kind === 'VirtualGateway') return
	const routers = new Set(routes.flatMap((id) => routersOf(resources[id])))
	const isRewritten = ({ upstream }: EgressHost) => upstream.kind === 'router' && routers.has(upstream.router)
	const hostAfter = (host: EgressHost): EgressHost => {
		if (!isRewritten(host)) return host
		const ports = servicePorts(resources, host.service)
		const port = ports.find(({ port, protocol }) => port === host.port && protocol !== 'tcp')
		assert(port !== undefined, 'no route opens or closes a port')
		return { ...host, upstream: port.upstream }
	}
	ofMesh.set(
		key,
		known.map((table) => (table.hosts.some(isRewritten) ? { ...table, hosts: table.hosts.map(hostAfter) } : table)),
	)
	tables.set(resources, ofMesh)
}

function routersOf(resource: Resource | undefined): ResourceId[] {
	return resource?.kind === 'Route' ? [resource.spec.virtualRouter] : []
}

function makeTables(resources: Resources, caller: Caller, mode: Capture['mode']): EgressTable[] {
	const hosts = backendsOf(resources, caller).flatMap((backend) =>
		hostsOf(resources, backend.virtualService, backend.clientTls),
	)
	if (caller.kind === 'VirtualGateway') {
		const qualified = hosts.map(qualifyHost)
		return [{ name: allPortsName, hosts: qualified, handedOver: handedOver(resources, caller, qualified) }]
	}
	if (mode === 'explicit') {
		if (caller.spec.backends.length === 0) return []
		return [{ name: allPortsName, hosts: hosts.map(qualifyHost), handedOver: [] }]
	}
	const byPort = Map.groupBy(hosts, ({ host }) => host.port)
	return [...byPort]
		.sort(([left], [right]) => left - right)
		.map(([port, ofPort]) => ({
			name: egressRoutesName(port),
			hosts: ofPort.map(({ host }) => host),
			handedOver: [],
		}))
}

function egressRoutesName(port: number): string {
	return `rds_egress_http_${port}`
}

type PortHost = { readonly host: EgressHost; readonly isDefault: boolean }

/** Of callers that are not told otherwise, by the ports of the service. */
const plainHosts = new WeakMap<readonly ServicePort[], readonly PortHost[]>()

/** One host for each port of the virtual service that takes requests. */
function hostsOf(resources: Resources, id: ResourceId, clientTls: ClientTls | null): readonly PortHost[] {
	const service = resources[id]
	if (service?.kind !== 'VirtualService') return []
	const ports = servicePorts(resources, service)
	if (ports.length === 0) return []
	if (clientTls !== null) return makeHosts(service, ports, clientTls)
	const known = plainHosts.get(ports) ?? makeHosts(service, ports, null)
	plainHosts.set(ports, known)
	return known
}

function makeHosts(service: VirtualService, all: readonly ServicePort[], clientTls: ClientTls | null): PortHost[] {
	const http = all.filter(({ protocol }) => protocol !== 'tcp')
	const ports = http.map(({ port }) => port)
	const defaultPort = ports.includes(defaultHttpPort) ? defaultHttpPort : ports[0]
	const { name } = service
	return http.map(({ port, upstream }) => ({
		isDefault: port === defaultPort,
		host: { service, name, domains: [name, `${name}:${port}`], port, upstream, clientTls },
	}))
}

/** Beside other ports of the same service, only the default port goes by the bare name. */
function qualifyHost({ host, isDefault }: PortHost): EgressHost {
	if (isDefault) return host
	const name = `${host.name}:${host.port}`
	return { ...host, name, domains: [name] }
}
