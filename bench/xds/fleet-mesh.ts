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

/** All files of the mesh, by name. */
export function fleetMesh(services: number): Readonly<Record<string, string>> {
	const files: Record<string, string> = {
		'mesh.yaml': document('Mesh', { name: mesh }, {}),
		[changingFile]: changingRoute(services, 0),
	}
	for (const identity of identityNames) files[`${identity}.yaml`] = callerDocument(identity, services)
	for (let first = 0; first < services; first += servicesOfFile) {
		const indexes = Array.from({ length: Math.min(servicesOfFile, services - first) }, (_, offset) => first + offset)
		files[`services-${first}.yaml`] = indexes.flatMap((index) => serviceDocuments(index, services)).join('---\n')
	}
	return files
}

/**
 * The route of service 0, other for each `round`: not in its weights, since who only reads xDS gives no evidence on which
 * shares could be moved, but in its timeout. Either is one field of one route configuration.
 */
export function changingRoute(services: number, round: number): string {
	return routeDocument(0, services, `timeout: { perRequest: { unit: ms, value: ${10_000 + round} } }`)
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
	const endpoints = Array.from({ length: endpointsOfService }, (_, endpoint) => ({
		address: `10.${Math.floor(index / 250)}.${index % 250}.${endpoint + 1}`,
	}))
	return [
		document(
			'VirtualNode',
			{ mesh, name: `n${index}` },
			{
				listeners: [listenerOf(8080)],
				serviceDiscovery: { static: { endpoints } },
			},
		),
		document('VirtualRouter', { mesh, name: `r${index}` }, { listeners: [listenerOf(port)] }),
		document('VirtualService', { mesh, name: serviceName(index) }, { provider }),
		...(index === 0 ? [] : [routeDocument(index, services, '')]),
	]
}

function routeDocument(index: number, services: number, more: string): string {
	const targets = [
		{ virtualNode: `n${index}`, weight: 95 },
		{ virtualNode: `n${(index + 1) % services}`, weight: 5 },
	]
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
