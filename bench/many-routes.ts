import type { ProxyGroup } from '#compile/compiled.ts'
import { type BriefResource, fixtureMesh } from '../test/fixtures/mesh-fixture.ts'

// A mesh of many routes: virtual routers, each of a virtual service and with routes to two versions, and virtual nodes
// that call some of the services each.

export type ManyRoutes = {
	readonly routers: number
	readonly routesOfRouter: number
	readonly callers: number
	readonly backendsOfCaller: number
}

/** The mesh that what a step and a start may cost is measured on. */
export const tenThousandRoutes: ManyRoutes = {
	routers: 1_000,
	routesOfRouter: 10,
	callers: 500,
	backendsOfCaller: 4,
}

/** @param weight of the first version on the first route; all others are split in halves */
export function manyRoutes(
	{ routers, routesOfRouter, callers, backendsOfCaller }: ManyRoutes,
	weight = 50,
): BriefResource[] {
	const resources: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'v1' },
		{ kind: 'VirtualNode', name: 'v2' },
	]
	for (let router = 0; router < routers; router += 1) {
		resources.push({ kind: 'VirtualRouter', name: `r${router}` })
		resources.push({ kind: 'VirtualService', name: serviceOf(router), router: `r${router}` })
		for (let route = 0; route < routesOfRouter; route += 1) {
			const v1 = router === 0 && route === 0 ? weight : 50
			const match = { path: { kind: 'prefix', prefix: `/part-${route}/` } } as const
			const targets = { v1, v2: 100 - v1 }
			resources.push({ kind: 'Route', name: `p${route}`, router: `r${router}`, targets, spec: { match } })
		}
	}
	for (let caller = 0; caller < callers; caller += 1) {
		const backends = Array.from({ length: backendsOfCaller }, (_, index) => serviceOf((caller * 2 + index) % routers))
		resources.push({ kind: 'VirtualNode', name: `caller-${caller}`, backends })
	}
	return resources
}

function serviceOf(router: number): string {
	return `s${router}.apps.local`
}

/** The proxies of one of the nodes that call. */
export function callerGroup(index: number): ProxyGroup {
	return {
		identity: { mesh: fixtureMesh, kind: 'virtualNode', name: `caller-${index}` },
		cohort: 'stable',
		capture: { mode: 'explicit', bind: '127.0.0.1', egressPort: 15001, app: { address: '127.0.0.1', port: null } },
		envoyMinor: '1.40',
		secrets: 'daemon',
	}
}
