import { limits } from '#base/limits.ts'
import { fail, type Result, succeed } from '#base/result.ts'

/** An Envoy that is asked for its counters. */
export type ScrapeTarget = {
	/** As the daemon names it: `mesh/apps/virtualNode/web#host-1`. */
	readonly proxy: string
	/** `host:port` of its admin interface. */
	readonly admin: string
}

const proxyPattern = /^mesh\/[\w.-]{1,255}\/(?:virtualNode|virtualGateway)\/[\w.-]{1,255}#[\w.:/@-]{1,255}$/
const adminPattern = /^(?:[\w.-]{1,253}|\[[0-9a-fA-F:]{2,39}\]):[0-9]{1,5}$/

/** A line each: the proxy's name, and `host:port` of its admin interface. Fails with all that is wrong. */
export function parseScrapeTargets(text: string): Result<readonly ScrapeTarget[], readonly string[]> {
	const targets = new Map<string, ScrapeTarget>()
	const problems: string[] = []
	for (const [index, line] of text.split('\n').entries()) {
		const [proxy = '', admin = '', ...more] = line.trim().split(/\s+/)
		if (proxy === '' || proxy.startsWith('#')) continue
		if (!proxyPattern.test(proxy) || !adminPattern.test(admin) || more.length > 0) {
			problems.push(`line ${index + 1}: expected mesh/MESH/virtualNode/NAME#INSTANCE HOST:PORT`)
		} else if (targets.has(proxy)) problems.push(`line ${index + 1}: ${proxy} is there already`)
		targets.set(proxy, { proxy, admin })
	}
	if (targets.size > limits.scrapeTargets) problems.push(`there are more than ${limits.scrapeTargets} proxies`)
	return problems.length > 0 ? fail(problems) : succeed([...targets.values()])
}
