import { type Identity, identityNames } from './identity.ts'

// The mesh that every row serves: M services, each behind a router and at a port of its own, all called by each of a
// handful of virtual nodes whose traffic is intercepted. So a proxy holds M clusters, M endpoint resources and M route
// configurations, and a change of one route changes one of each identity's.

const mesh = 'bench'
const endpointsOfService = 3
const firstPort = 20_000
/** A file of a revision has at most 256 KiB. */
const servicesOfFile = 100

/** In this file is nothing but the route that changes. */
export const changingFile = 'route-0.yaml'
/** Where requests of that route go at first, and what a rollout brings in. */
export const changing = { stable: 'n0', canary: 'n0-next' } as const

/** A step is taken when it is asked for, long before its time; nothing else ever takes one. */
const policy = `apiVersion: sluice/v1
kind: RolloutPolicy
metadata: { mesh: ${mesh}, name: by-hand }
spec:
  match: { virtualRouter: r0 }
  steps: [${Array.from({ length: 50 }, (_, index) => `{ weight: ${index + 6}, minDuration: 1h }`).join(', ')}]
  guards: [{ kind: errors }]
  deadline: 24h
  onNoEvidence: hold
`

/** All files of the mesh, by name. */
export function fleetMesh(services: number): Readonly<Record<string, string>> {
	const files: Record<string, string> = {
		'mesh.yaml': document('Mesh', { name: mesh }, {}),
		'policy.yaml': policy,
		[changingFile]: changingRoute(0),
	}
	for (const identity of identityNames) files[`${identity}.yaml`] = callerDocument(identity, services)
	for (let first = 0; first < services; first += servicesOfFile) {
		const indexes = Array.from({ length: Math.min(servicesOfFile, services - first) }, (_, offset) => first + offset)
		files[`services-${first}.yaml`] = indexes.flatMap((index) => serviceDocuments(index, services)).join('---\n')
	}
	return files
}

/** The route of service 0 with another timeout for each `round`: what takes one commit, and no rollout. */
export function changingRoute(round: number): string {
	return changingRouteWith({ canaryWeight: 5, timeoutMs: 10_000 + round })
}

/** The same route, with all requests for the canary: what a rollout makes of it, step by step. */
export function shiftedRoute(): string {
	return changingRouteWith({ canaryWeight: 100, timeoutMs: 10_000 })
}

function changingRouteWith({
	canaryWeight,
	timeoutMs,
}: Readonly<Record<'canaryWeight' | 'timeoutMs', number>>): string {
	const targets = [
		{ virtualNode: changing.stable, weight: 100 - canaryWeight },
		{ virtualNode: changing.canary, weight: canaryWeight },
	]
	return routeDocument(0, targets, `timeout: { perRequest: { unit: ms, value: ${timeoutMs} } }`)
}

function callerDocument(identity: Identity, services: number): string {
	const backends = Array.from({ length: services }, (_, index) => ({
		virtualService: { virtualServiceName: serviceName(index) },
	}))
	return document(
		'VirtualNode',
		{ mesh, name: identity },
		{
			listeners: [listenerOf(8080)],
			backends,
			serviceDiscovery: { dns: { hostname: `${identity}.bench.local` } },
		},
	)
}

function serviceDocuments(index: number, services: number): string[] {
	const port = firstPort + index
	const provider = { virtualRouter: { virtualRouterName: `r${index}` } }
	const targets = [
		{ virtualNode: `n${index}`, weight: 95 },
		{ virtualNode: index + 1 < services ? `n${index + 1}` : `n1`, weight: 5 },
	]
	return [
		nodeDocument(`n${index}`, index),
		...(index === 0 ? [nodeDocument(changing.canary, services)] : []),
		document('VirtualRouter', { mesh, name: `r${index}` }, { listeners: [listenerOf(port)] }),
		document('VirtualService', { mesh, name: serviceName(index) }, { provider }),
		...(index === 0 ? [] : [routeDocument(index, targets, '')]),
	]
}

function nodeDocument(name: string, index: number): string {
	const endpoints = Array.from({ length: endpointsOfService }, (_, endpoint) => ({
		address: `10.${Math.floor(index / 250)}.${index % 250}.${endpoint + 1}`,
	}))
	const spec = { listeners: [listenerOf(8080)], serviceDiscovery: { static: { endpoints } } }
	return document('VirtualNode', { mesh, name }, spec)
}

function routeDocument(index: number, targets: readonly object[], more: string): string {
	const route = `match: { prefix: / }, action: { weightedTargets: ${JSON.stringify(targets)} }`
	const spec = `{ http2Route: { ${route}${more === '' ? '' : `, ${more}`} } }`
	return `apiVersion: sluice/v1\nkind: Route\nmetadata: { mesh: ${mesh}, virtualRouter: r${index}, name: route }\nspec: ${spec}\n`
}

function serviceName(index: number): string {
	return `s${index}.bench.local`
}

function listenerOf(port: number) {
	return { portMapping: { port, protocol: 'http2' } }
}

/** JSON is YAML. */
function document(kind: string, metadata: object, spec: object): string {
	const [head, body] = [JSON.stringify(metadata), JSON.stringify(spec)]
	return `apiVersion: sluice/v1\nkind: ${kind}\nmetadata: ${head}\nspec: ${body}\n`
}
