import { limits } from '#base/limits.ts'
import { LabError } from './lab-error.ts'

/** Envoy's admin interface, read as far as demo and tests need it. Every call has a deadline and rejects past it. */
export type EnvoyAdmin = {
	/** LIVE, PRE_INITIALIZING, INITIALIZING or DRAINING. */
	state(): Promise<string>
	/**
	 * `/config_dump` with endpoints. Without `resource` the dump's parts; with one of its field names
	 * (`dynamic_route_configs`, `dynamic_active_clusters` …) the entries of that field, none if it has none.
	 */
	configDump(resource?: string): Promise<unknown[]>
	/** Counters and gauges whose name matches the regular expression (RE2, unanchored). */
	stats(filter: string): Promise<Map<string, number>>
	/** `/clusters` as Envoy gives it: its `cluster_statuses`. */
	clusters(): Promise<unknown[]>
	/** Gives the body. Rejects when Envoy refuses. */
	post(path: string): Promise<string>
}

type Reply = { readonly status: number; readonly body: string }

/** `address` as Envoy writes it for `--admin-address-path`: `127.0.0.1:43210`. */
export function envoyAdmin(address: string): EnvoyAdmin {
	async function call(method: 'GET' | 'POST', path: string): Promise<Reply> {
		const signal = AbortSignal.timeout(limits.envoyAdminMs)
		const response = await fetch(`http://${address}${path}`, { method, signal })
		return { status: response.status, body: await response.text() }
	}

	async function readJson(path: string): Promise<Record<string, unknown>> {
		return JSON.parse(bodyOf(path, await call('GET', path)))
	}

	return {
		state: async () => (await call('GET', '/ready')).body.trim(),
		async configDump(resource) {
			const query = resource === undefined ? '' : `&resource=${encodeURIComponent(resource)}`
			const path = `/config_dump?include_eds${query}`
			const reply = await call('GET', path)
			if (resource !== undefined && reply.status === 404) return []
			return listOf(JSON.parse(bodyOf(path, reply)).configs)
		},
		async stats(filter) {
			const { stats } = await readJson(`/stats?format=json&filter=${encodeURIComponent(filter)}`)
			// Histograms come as one entry of another shape.
			return new Map(listOf(stats).flatMap((entry) => (isNumber(entry) ? [[entry.name, entry.value]] : [])))
		},
		clusters: async () => listOf((await readJson('/clusters?format=json')).cluster_statuses),
		post: async (path) => bodyOf(path, await call('POST', path)),
	}
}

function bodyOf(path: string, reply: Reply): string {
	if (reply.status === 200) return reply.body
	throw new LabError('refused', `Envoy answers ${path} with ${reply.status}: ${reply.body.trim()}`)
}

function listOf(value: unknown): unknown[] {
	return Array.isArray(value) ? value : []
}

function isNumber(entry: unknown): entry is { name: string; value: number } {
	return typeof entry === 'object' && entry !== null && 'value' in entry && typeof entry.value === 'number'
}
