import { hashValue } from '#base/hash.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { type Mesh, type Resource, type ResourceId, type RolloutPolicySpec, resourceId } from '#mesh/mesh.ts'
import type { Backend } from '#mesh/proxy-spec.ts'
import { noSettings, plainListener } from '../fixtures/mesh-fixture.ts'

// The meshes of the simulations: A calls b.local, whose route leads to B and Bv2, and maybe d.local. What differs is the
// weights, the policy and the canary's own configuration.

/** Two nodes between which a route's weights move. */
export type Pair = {
	readonly host: string
	readonly route: ResourceId
	readonly stable: string
	readonly canary: string
}

export type Weights = readonly [stable: number, canary: number]

/** `independent`: with nodes of its own · `chained`: the first route's canary is its baseline. */
export type SecondRoute = { readonly kind: 'independent' | 'chained'; readonly weights: Weights }

export type Wish = {
	readonly weights: Weights
	/** None: A calls b.local alone. */
	readonly second?: SecondRoute
	readonly policy: RolloutPolicySpec
	/** Anything that changes the canary's specification: a new version of it. */
	readonly hostname: string
	/** The same of B. */
	readonly baseline: string
	/** The canary's listener: a change that does not link with what names the old one. */
	readonly port: number
	/** Of the canary's listener: what both ends must agree on. */
	readonly tls: 'none' | 'strict'
	/** Whether B is still there; without it, the route leads to the canary alone. */
	readonly stable: 'kept' | 'dropped'
	/** Of requests to b.local; null: as App Mesh has it. A change of it is none of shares. */
	readonly timeoutMs?: number | null
	/** Something that has nothing to do with any route; null when it is deleted. */
	readonly unrelated: number | null
}

/** As it is before anybody wants something else. */
export const plainWish: Omit<Wish, 'weights' | 'policy'> = {
	hostname: 'b2.local',
	baseline: 'b1.local',
	port: 80,
	tls: 'none',
	stable: 'kept',
	unrelated: 0,
}

export const firstPair: Pair = {
	host: 'b.local',
	route: resourceId.route('apps', 'B', 'B'),
	stable: 'B',
	canary: 'Bv2',
}

export const canaryCluster = 'cds_egress_apps_Bv2_http2_80'
export const stableCluster = 'cds_egress_apps_B_http2_80'

/** The first route's, and the second one's if there is one. */
export function pairsOf(second: SecondRoute['kind'] | undefined): readonly Pair[] {
	if (second === undefined) return [firstPair]
	const route = resourceId.route('apps', 'D', 'D')
	return [firstPair, { host: 'd.local', route, stable: second === 'chained' ? 'Bv2' : 'D', canary: 'Dv2' }]
}

export function simulatedMesh(wish: Wish): Mesh {
	const { second, stable, port } = wish
	const [, other] = pairsOf(second?.kind)
	const hosts = other === undefined ? ['b.local'] : ['b.local', 'd.local']
	const kept = stable === 'kept'
	const ports: Record<string, number> = { Bv2: port }
	const targets = (pair: Pair, weights: Weights) =>
		[pair.stable, pair.canary].map((name, index) => ({
			virtualNode: resourceId.virtualNode('apps', name),
			port: ports[name] ?? 80,
			weight: weights[index] ?? 0,
		}))
	const resources: Resource[] = [
		make('Mesh', resourceId.mesh('apps'), { egressFilter: 'DROP_ALL', ipPreference: null, ...noSettings }),
		node(
			'A',
			'a.local',
			80,
			hosts.map((host) => ({
				virtualService: resourceId.virtualService('apps', host),
				clientTls: null,
				egressPort: null,
			})),
		),
		node('Bv2', wish.hostname, port, [], wish.tls),
		...(kept ? [node('B', wish.baseline)] : []),
		...(wish.unrelated === null ? [] : [node('C', `c${wish.unrelated}.local`)]),
		...routerTo(
			firstPair,
			wish.timeoutMs ?? null,
			kept ? targets(firstPair, wish.weights) : targets(firstPair, [0, 1]).slice(1),
		),
		make('RolloutPolicy', resourceId.rolloutPolicy('apps', 'default'), wish.policy),
	]
	if (second?.kind === 'independent') resources.push(node('D', 'd1.local'))
	if (other !== undefined && second !== undefined)
		resources.push(node('Dv2', 'd2.local'), ...routerTo(other, null, targets(other, second.weights)))
	return composeMesh(Object.fromEntries(resources.map((resource) => [resource.id, resource])))
}

type Targets = Extract<Resource, { kind: 'Route' }>['spec']['targets']

function routerTo({ host, route }: Pair, timeoutMs: number | null, targets: Targets): Resource[] {
	const router = route.slice(0, route.indexOf('/route/')) as ResourceId
	return [
		make('VirtualRouter', router, { listeners: [{ port: 80, protocol: 'http2' }] }),
		make('Route', route, {
			virtualRouter: router,
			priority: 1001,
			protocol: 'http2',
			match: {
				kind: 'http',
				path: { kind: 'prefix', prefix: '/' },
				method: null,
				scheme: null,
				headers: [],
				queryParameters: [],
				port: null,
			},
			targets,
			retryPolicy: null,
			timeout: { perRequestMs: timeoutMs, idleMs: null },
		}),
		make('VirtualService', resourceId.virtualService('apps', host), {
			provider: { kind: 'virtualRouter', id: router },
		}),
	]
}

const strictTls = {
	mode: 'STRICT',
	certificate: { kind: 'file', certificateChain: '/tls.crt', privateKey: '/tls.key' },
	validation: null,
} as const

function node(
	name: string,
	hostname: string,
	port = 80,
	backends: readonly Backend[] = [],
	tls: Wish['tls'] = 'none',
): Resource {
	return make('VirtualNode', resourceId.virtualNode('apps', name), {
		listeners: [{ ...plainListener, port, tls: tls === 'strict' ? strictTls : null }],
		...noSettings,
		backends,
		serviceDiscovery: { kind: 'dns', hostname, responseType: 'LOADBALANCER', ipPreference: null },
	})
}

/** The same few in all simulations, but for the policy. */
const made = new Map<string, Resource>()

function make<K extends Resource['kind']>(
	kind: K,
	id: ResourceId,
	spec: Extract<Resource, { kind: K }>['spec'],
): Resource {
	const key = JSON.stringify({ kind, id, spec })
	const known = made.get(key)
	if (known !== undefined) return known
	const name = id.slice(id.lastIndexOf('/') + 1)
	const resource = { kind, id, mesh: 'apps', name, tags: {}, spec, hash: hashValue({ kind, id, spec }) } as Resource
	if (kind !== 'RolloutPolicy') made.set(key, resource)
	return resource
}
