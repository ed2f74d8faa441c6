import { type ProxyGroup, proxyGroupKey } from '#compile/compiled.ts'
import type { Proxy } from './fleet-view.ts'

export type Cohort = ProxyGroup['cohort']

/** The same proxy in this cohort, and so in that cohort's group. */
export function inCohort(proxy: Proxy, cohort: Cohort): Proxy {
	if (proxy.group.cohort === cohort) return proxy
	const group: ProxyGroup = { ...proxy.group, cohort }
	return { ...proxy, group, groupKey: proxyGroupKey(group) }
}
