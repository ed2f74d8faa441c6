import { type ProxyGroup, proxyGroupKey, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { FleetPort } from '#controller/ports.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import type { Flush } from '#telemetry/flush.ts'
import type { GroupView, Proxy, TypeView } from '#xds/fleet-view.ts'
import { answeredCluster } from '../test/fixtures/cluster-flush.ts'
import { canaryCluster, stableCluster } from '../test/simulation/simulated-mesh.ts'

/** Proxies that take in whatever is published at once, and whose view is counted beforehand, as the xDS room's is. */
export type SteadyFleet = {
	readonly groupKey: string
	readonly proxies: readonly Proxy[]
	readonly port: FleetPort
	/** One second's counters of all of them, without an error. */
	flushes(arrivedMs: number): readonly Flush[]
}

const group: ProxyGroup = {
	identity: { mesh: 'apps', kind: 'virtualNode', name: 'A' },
	cohort: 'stable',
	capture: { mode: 'explicit', bind: '127.0.0.1', egressPort: 15001, app: { address: '127.0.0.1', port: null } },
	envoyMinor: '1.40',
	secrets: 'daemon',
}

export function createSteadyFleet(count: number): SteadyFleet {
	const groupKey = proxyGroupKey(group)
	const proxies = Array.from({ length: count }, (_, index): Proxy => {
		const instance = `i${index}`
		return { key: `mesh/apps/virtualNode/A#${instance}`, instance, zone: `zone-${index % 3}`, group, groupKey }
	})
	let snapshot: Snapshot | null = null
	let view = viewOf(count, snapshot)
	const port: FleetPort = {
		publish(_, next) {
			snapshot = next
			view = viewOf(count, next)
		},
		refuse() {},
		forget: () => false,
		fleet: () => new Map([[groupKey, view]]),
		connected: () => proxies,
		counted: () => proxies,
		exclude() {},
		reported: () => [],
		holds: (_, typeUrl, name) => snapshot?.types[typeUrl].resources.get(name)?.version ?? null,
		pin() {},
		keep() {},
		assign() {},
	}
	return {
		groupKey,
		proxies,
		port,
		flushes: (arrivedMs) =>
			proxies.map(({ key }): Flush => {
				const clusters = new Map([stableCluster, canaryCluster].map((name) => [name, tenRequests]))
				return { proxy: key, arrivedMs, counted: true, clusters, unrouted: 0 }
			}),
	}
}

const tenRequests = answeredCluster(10)

function viewOf(count: number, snapshot: Snapshot | null): GroupView {
	const all: TypeView = { current: count, pending: 0, rejected: 0 }
	const types = Object.fromEntries(Object.values(typeUrls).map((type) => [type, all])) as Record<TypeUrl, TypeView>
	const nobody = { pending: [], gone: [], excluded: [], rejections: [] }
	return { group, connected: count, expected: count, version: snapshot?.version ?? '', types, ...nobody }
}
