import type { EnvoyAdmin } from '../envoy-admin.ts'
import type { NodeName } from './addresses.ts'
import { findDeviations, type ProxyDump } from './proxy-holding.ts'
import { check, type Show } from './show.ts'

/** What serviceA's own /config_dump shows: exactly these shares, and all else as App Mesh gave it. */
export async function checkCaller(show: Show, percents: Readonly<Partial<Record<NodeName, number>>>): Promise<void> {
	const port = show.stage.addresses.ingressPort
	const sharesPpm = Object.fromEntries(Object.entries(percents).map(([node, share]) => [node, share * 10_000]))
	const egress = { service: 'serviceb.apps.local', mesh: 'apps', port, sharesPpm }
	const dump = await readDump(show.stage.envoys.serviceA.admin)
	const shares = Object.entries(percents).map(([node, share]) => `${node} ${share}`)
	const deviations = findDeviations(dump, { node: 'serviceA', mesh: 'apps', port, egress })
	check(
		show,
		`serviceA's config_dump: ${shares.join(', ')}; 15 s timeout, App Mesh's retries and thresholds`,
		deviations,
	)
}

/** serviceB and its version 2 call nobody: they hold their own ingress, and nothing that leads to serviceA. */
export async function checkCalled(show: Show): Promise<void> {
	const port = show.stage.addresses.ingressPort
	const deviations = await Promise.all(
		(['serviceB', 'serviceBv2'] as const).map(async (node) => {
			const dump = await readDump(show.stage.envoys[node].admin)
			return findDeviations(dump, { node, mesh: 'apps', port, egress: null }).map((text) => `${node}: ${text}`)
		}),
	)
	check(show, "serviceB's Envoys hold their own ingress and no way to serviceA", deviations.flat())
}

async function readDump(admin: EnvoyAdmin): Promise<ProxyDump> {
	const [listeners, routes, clusters] = await Promise.all([
		admin.configDump('dynamic_listeners'),
		admin.configDump('dynamic_route_configs'),
		admin.configDump('dynamic_active_clusters'),
	])
	return { dynamic_listeners: listeners, dynamic_route_configs: routes, dynamic_active_clusters: clusters }
}
