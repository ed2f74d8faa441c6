// The xDS server with gRPC's own client (@grpc/grpc-js-xds): not Envoy's code, another order of asking (listener, route
// configuration, clusters, endpoints, each by name), state of the world.

import { create } from '@bufbuild/protobuf'
import { anyPack } from '@bufbuild/protobuf/wkt'
import {
	Client,
	credentials,
	type handleUnaryCall,
	Server,
	ServerCredentials,
	type ServiceError,
	status,
} from '@grpc/grpc-js'
import { register } from '@grpc/grpc-js-xds'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { type ProxyGroup, proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import { until } from '#lab/until.ts'
import { ClusterLoadAssignmentSchema } from '#proto/gen/envoy/config/endpoint/v3/endpoint_pb.ts'
import { ListenerSchema } from '#proto/gen/envoy/config/listener/v3/listener_pb.ts'
import { RouterSchema } from '#proto/gen/envoy/extensions/filters/http/router/v3/router_pb.ts'
import { HttpConnectionManagerSchema } from '#proto/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts'
import type { EncodedResource, Snapshot } from '#snapshot/snapshot.ts'
import { createXdsServer, type XdsServer } from '#xds/server.ts'
import {
	edsCluster,
	lbEndpoint,
	resource,
	route,
	snapshotOf,
	staticCluster,
	typedConfig,
} from '../fixtures/resources.ts'
import { xdsEngine } from '../fixtures/xds-engine.ts'

const host = '127.0.0.1'
const method = '/test.Echo/Say'
const key = 'mesh/apps/virtualNode/serviceA#host-1'
const group: ProxyGroup = {
	identity: { mesh: 'apps', kind: 'virtualNode', name: 'serviceA' },
	cohort: 'stable',
	capture: { mode: 'explicit', bind: '0.0.0.0', egressPort: 15001, app: { address: host, port: null } },
	secrets: 'daemon',
	envoyMinor: '0.0',
}
const groupKey = proxyGroupKey(group)

let server: XdsServer
let client: Client
let port: number
const apps = new Map<string, Server>()
const ports = new Map<string, number>()

beforeAll(async () => {
	register()
	for (const name of ['one', 'two']) ports.set(name, await startApp(name))
	port = await startServer(0)
	server.publish(groupKey, mesh('one'))
	client = connect()
})
afterAll(async () => {
	client?.close()
	for (const app of apps.values()) app.forceShutdown()
	await server?.close(100)
})

async function startServer(onPort: number): Promise<number> {
	server = createXdsServer({ clock: systemClock, log: silentLog, emit() {}, engine: xdsEngine })
	const listening = await server.listen(`${host}:${onPort}`)
	if (!listening.ok) throw new Error(listening.error.message)
	return listening.value.port
}

/** Answers each call with its name. */
function startApp(name: string): Promise<number> {
	const app = new Server()
	const asIs = (bytes: Buffer) => bytes
	const definition = {
		path: method,
		requestStream: false,
		responseStream: false,
		requestSerialize: asIs,
		requestDeserialize: asIs,
		responseSerialize: asIs,
		responseDeserialize: asIs,
	} as const
	const answer: handleUnaryCall<Buffer, Buffer> = (_, done) => done(null, Buffer.from(name))
	app.addService({ say: definition }, { say: answer })
	apps.set(name, app)
	return new Promise((resolve, reject) => {
		app.bindAsync(`${host}:0`, ServerCredentials.createInsecure(), (error, bound) =>
			error ? reject(error) : resolve(bound),
		)
	})
}

function connect(): Client {
	const bootstrap = {
		xds_servers: [
			{ server_uri: `${host}:${port}`, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] },
		],
		node: { id: 'mesh/apps/virtualNode/serviceA', locality: {}, metadata: { sluice: { instance: 'host-1' } } },
	}
	return new Client('xds:///web', credentials.createInsecure(), {
		'grpc.TEST_ONLY_DO_NOT_USE_IN_PROD.xds_bootstrap_config': JSON.stringify(bootstrap),
	})
}

/** The name of the app that answered, or of the status. */
function call(): Promise<string> {
	const asIs = (bytes: Buffer) => bytes
	const deadline = Date.now() + 5000
	return new Promise((resolve) => {
		client.makeUnaryRequest(
			method,
			asIs,
			asIs,
			Buffer.from(''),
			{ deadline },
			(error: ServiceError | null, answer?: Buffer) =>
				resolve(error === null ? String(answer) : (status[error.code] ?? '')),
		)
	})
}

const answersOf = (name: string) => eventually(`${name} answers`, async () => (await call()) === name)

function eventually(what: string, isSo: () => boolean | Promise<boolean>): Promise<true> {
	return until({ clock: systemClock, deadlineMs: 10_000, what }, async () => (await isSo()) || null)
}

let routesName = 'routes'

/** A listener as gRPC knows it: without an address. */
function apiListener(): EncodedResource {
	const ads = { resourceApiVersion: 2, configSourceSpecifier: { case: 'ads', value: {} } } as const
	const manager = create(HttpConnectionManagerSchema, {
		routeSpecifier: { case: 'rds', value: { routeConfigName: routesName, configSource: ads } },
		httpFilters: [{ name: 'router', configType: typedConfig(RouterSchema, {}) }],
	})
	const message = { name: 'web', apiListener: { apiListener: anyPack(HttpConnectionManagerSchema, manager) } }
	return resource(typeUrls.listener, 'web', ListenerSchema, message, { routes: [routesName] })
}

function endpoints(name: string): EncodedResource {
	const locality = { region: 'here', zone: '', subZone: '' }
	const lbEndpoints = [lbEndpoint({ host, port: ports.get(name) ?? 0 })]
	return resource(typeUrls.endpoint, name, ClusterLoadAssignmentSchema, {
		clusterName: name,
		endpoints: [{ locality, lbEndpoints, loadBalancingWeight: 1 }],
	})
}

/** Both clusters, and the route to one of them. */
function mesh(to: string, ...more: readonly EncodedResource[]): Snapshot {
	const discovered = ['one', 'two'].flatMap((name) => [edsCluster(name), endpoints(name)])
	return snapshotOf(apiListener(), route(routesName, { [to]: 1 }), ...discovered, ...more)
}

test('is told of routes though it asks for their clusters only then', async () => {
	await answersOf('one')
	expect(server.holds(key, typeUrls.route, 'routes')).toBe(route('routes', { one: 1 }).version)
	expect(server.holds(key, typeUrls.endpoint, 'one')).toBe(endpoints('one').version)
	expect(server.holds(key, typeUrls.cluster, 'two')).toBeNull()
})

test('follows a route to a cluster that it had not asked for', async () => {
	server.publish(groupKey, mesh('two'))
	await answersOf('two')
	await eventually('it accepted', () => server.holds(key, typeUrls.cluster, 'two') === edsCluster('two').version)
})

test('a listener that is left out of a full answer is gone, and what comes in its place is told', async () => {
	const { resources } = mesh('two').types[typeUrls.cluster]
	server.publish(groupKey, snapshotOf(...resources.values(), endpoints('one'), endpoints('two')))
	await answersOf('UNAVAILABLE')
	// This client takes no notice of a listener that returns as it was.
	routesName = 'other-routes'
	server.publish(groupKey, mesh('one'))
	await answersOf('one')
})

test('what it refuses is told in its words and not sent again, and what it has goes on', async () => {
	const bad = staticCluster('two', { host, port: 1 })
	const next = snapshotOf(
		apiListener(),
		route(routesName, { one: 1, two: 1 }),
		edsCluster('one'),
		endpoints('one'),
		bad,
	)
	server.publish(groupKey, next)
	await eventually('it is refused', () => (server.view(groupKey)?.rejections.length ?? 0) > 0)
	const [rejection, ...others] = server.view(groupKey)?.rejections ?? []
	expect(rejection).toMatchObject({ proxy: key, typeUrl: typeUrls.cluster, name: 'two', version: bad.version })
	expect(rejection?.text).toContain('Unsupported type STATIC')
	expect(others).toEqual([])
	server.publish(groupKey, mesh('two'))
	await answersOf('two')
	expect(server.view(groupKey)?.rejections).toEqual([])
})

test('comes back to a restarted server, and follows it', async () => {
	await server.close(0)
	await startServer(port)
	server.publish(groupKey, mesh('one'))
	await answersOf('one')
})
