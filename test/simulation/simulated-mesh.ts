import { hashValue } from '#base/hash.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { type Mesh, type Resource, type ResourceId, type RolloutPolicySpec, resourceId } from '#mesh/mesh.ts'
import type { Backend } from '#mesh/proxy-spec.ts'
import { noSettings, plainListener } from '../fixtures/mesh-fixture.ts'

// The mesh of every simulation: A calls B through a router with one route; what differs is the weights, the policy and
// the canary's own configuration.

export type Wish = {
	/** Weights of B and Bv2. */
	readonly weights: readonly [number, number]
	readonly policy: RolloutPolicySpec
	/** Anything that changes the canary's specification: a new version of it. */
	readonly hostname: string
	/** The same of B. */
	readonly baseline: string
	/** The canary's listener: a change that does not link with what names the old one. */
	readonly port: number
	/** Whether B is still there; without it, the route leads to the canary alone. */
	readonly stable: 'kept' | 'dropped'
	/** Something that has nothing to do with the route. */
	readonly unrelated: number
}

export const canaryCluster = 'cds_egress_apps_Bv2_http2_80'
export const stableCluster = 'cds_egress_apps_B_http2_80'
export const routeId = resourceId.route('apps', 'B', 'B')
const noTimeout = { perRequestMs: null, idleMs: null }

export function simulatedMesh(wish: Wish): Mesh {
	const [stable, canary] = wish.weights
	const target = (name: string, port: number, weight: number) => ({
		virtualNode: resourceId.virtualNode('apps', name),
		port,
		weight,
	})
	const kept = wish.stable === 'kept'
	const resources: Resource[] = [
		make('Mesh', resourceId.mesh('apps'), { egressFilter: 'DROP_ALL', ipPreference: null, ...noSettings }),
		make(
			'VirtualNode',
			resourceId.virtualNode('apps', 'A'),
			nodeSpec('a.local', [
				{ virtualService: resourceId.virtualService('apps', 'b.local'), clientTls: null, egressPort: null },
			]),
		),
		...(kept ? [make('VirtualNode', resourceId.virtualNode('apps', 'B'), nodeSpec(wish.baseline, []))] : []),
		make('VirtualNode', resourceId.virtualNode('apps', 'Bv2'), nodeSpec(wish.hostname, [], wish.port)),
		make('VirtualNode', resourceId.virtualNode('apps', 'C'), nodeSpec(`c${wish.unrelated}.local`, [])),
		make('VirtualRouter', resourceId.virtualRouter('apps', 'B'), { listeners: [{ port: 80, protocol: 'http2' }] }),
		make('Route', routeId, {
			virtualRouter: resourceId.virtualRouter('apps', 'B'),
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
			targets: kept ? [target('B', 80, stable), target('Bv2', wish.port, canary)] : [target('Bv2', wish.port, 1)],
			retryPolicy: null,
			timeout: noTimeout,
		}),
		make('VirtualService', resourceId.virtualService('apps', 'b.local'), {
			provider: { kind: 'virtualRouter', id: resourceId.virtualRouter('apps', 'B') },
		}),
		make('RolloutPolicy', resourceId.rolloutPolicy('apps', 'default'), wish.policy),
	]
	return composeMesh(Object.fromEntries(resources.map((resource) => [resource.id, resource])))
}

function nodeSpec(hostname: string, backends: readonly Backend[], port = 80) {
	return {
		listeners: [{ ...plainListener, port }],
		...noSettings,
		backends,
		serviceDiscovery: { kind: 'dns' as const, hostname, responseType: 'LOADBALANCER' as const, ipPreference: null },
	}
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
