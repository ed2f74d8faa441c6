// What a virtual node may call, host by host: the step between App Mesh's backends and Envoy's route configurations.
// It depends on nothing but the written mesh; shares come in later.
import type { Resource, ResourceId, Route, VirtualNode, VirtualService } from '#mesh/mesh.ts'
import type { Timeout } from '#mesh/route-spec.ts'
import type { Target } from '#plan/plan.ts'
import type { Capture } from './compiled.ts'
import { meshIndex } from './mesh-index.ts'

type Resources = Readonly<Record<ResourceId, Resource>>

/** One route configuration, and in it the hosts that the application dials. */
export type EgressTable = { readonly name: string; readonly hosts: readonly EgressHost[] }

export type EgressHost = {
	readonly service: VirtualService
	/** Name of the virtual host: the virtual service's. */
	readonly name: string
	readonly domains: readonly string[]
	/** The port that the application dials. */
	readonly port: number
	readonly upstream: Upstream
}

export type Upstream =
	/** No route speaks for it, so the listener's own timeout is the one that holds. */
	| { readonly kind: 'node'; readonly target: Target; readonly timeout: Timeout }
	/** In the order in which they are tried; may be none: then every request gets 404. */
	| { readonly kind: 'router'; readonly router: ResourceId; readonly routes: readonly Route[] }

/** App Mesh's name of the routes of a listener that takes every port; a virtual gateway's had it. */
const allPortsName = egressRoutesName(15001)

/** The port that a host without a port means, if the service has it. */
const defaultHttpPort = 80

/**
 * `intercept`: a route configuration for each port that is dialled, as App Mesh has it.
 * `explicit`: one listener takes every port, so one route configuration holds every host, and its name stays the same
 * whatever backends come and go: another name would be another listener, and would close connections.
 */
export function egressTables(resources: Resources, node: VirtualNode, mode: Capture['mode']): readonly EgressTable[] {
	const ofMesh = tables.get(resources) ?? new Map<string, readonly EgressTable[]>()
	tables.set(resources, ofMesh)
	const key = `${mode} ${node.id}`
	const known = ofMesh.get(key) ?? makeTables(resources, node, mode)
	ofMesh.set(key, known)
	return known
}

/** Shared by all steps of a rollout: they change no resource. */
const tables = new WeakMap<Resources, Map<string, readonly EgressTable[]>>()

function makeTables(resources: Resources, node: VirtualNode, mode: Capture['mode']): EgressTable[] {
	const hosts = node.spec.backends.flatMap(({ virtualService }) => hostsOf(resources, virtualService))
	if (mode === 'explicit') {
		return node.spec.backends.length === 0 ? [] : [{ name: allPortsName, hosts: hosts.map(qualifyHost) }]
	}
	const ports = [...new Set(hosts.map(({ host }) => host.port))].sort((left, right) => left - right)
	return ports.map((port) => ({
		name: egressRoutesName(port),
		hosts: hosts.map(({ host }) => host).filter((host) => host.port === port),
	}))
}

function egressRoutesName(port: number): string {
	return `rds_egress_http_${port}`
}

type PortHost = { readonly host: EgressHost; readonly isDefault: boolean }

/** One host for each port of the virtual service; none while it has no provider, or its provider no listener. */
function hostsOf(resources: Resources, id: ResourceId): PortHost[] {
	const service = resources[id]
	if (service?.kind !== 'VirtualService') return []
	const upstreams = upstreamsOf(resources, service)
	const ports = upstreams.map(({ port }) => port)
	const defaultPort = ports.includes(defaultHttpPort) ? defaultHttpPort : ports[0]
	return upstreams.map(({ port, upstream }) => ({
		isDefault: port === defaultPort,
		host: { service, name: service.name, domains: [service.name, `${service.name}:${port}`], port, upstream },
	}))
}

function upstreamsOf(resources: Resources, service: VirtualService): { port: number; upstream: Upstream }[] {
	if (service.spec.provider === null) return []
	const { id } = service.spec.provider
	const provider = resources[id]
	if (provider?.kind === 'VirtualNode') {
		return provider.spec.listeners.map(({ port, timeout }) => ({
			port,
			upstream: { kind: 'node', target: { virtualNode: id, port }, timeout },
		}))
	}
	if (provider?.kind !== 'VirtualRouter') return []
	const routes = meshIndex(resources).routes.get(id) ?? []
	return provider.spec.listeners.map(({ port }) => ({
		port,
		upstream: { kind: 'router', router: id, routes: routes.filter((route) => isForPort(route, port)) },
	}))
}

function isForPort({ spec: { match } }: Route, port: number): boolean {
	return match.port === null || match.port === port
}

/** Beside other ports of the same service, only the default port goes by the bare name. */
function qualifyHost({ host, isDefault }: PortHost): EgressHost {
	if (isDefault) return host
	const name = `${host.name}:${host.port}`
	return { ...host, name, domains: [name] }
}
