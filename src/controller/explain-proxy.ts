import { nearestName } from '#base/nearest-name.ts'
import { heldConfiguration } from '#explain/configuration.ts'
import { explainRequest } from '#explain/explain-request.ts'
import type { Explained, Header } from '#explain/explained.ts'
import { placeRoutes } from '#explain/place-routes.ts'
import { readRequest } from '#explain/read-request.ts'
import type { Acked, FleetView, Proxy } from '#xds/fleet-view.ts'
import type { ControllerView } from './controller-view.ts'
import type { FleetPort } from './ports.ts'

export type ProxyQuestion = {
	/** `mesh/apps/virtualNode/serviceA#host-1`; the instance may be left out where the identity has one proxy. */
	readonly proxy: string
	readonly method: string
	readonly url: string
	readonly headers: readonly Header[]
}

export type ProxyExplanation =
	/** `proxy` is whose configuration it is. */
	| { readonly kind: 'explained'; readonly proxy: string; readonly explained: Explained }
	| { readonly kind: 'noProxy'; readonly message: string }
	| { readonly kind: 'mistaken'; readonly message: string }

export type ExplainProxyOptions = {
	readonly fleet: FleetPort
	readonly acked: (proxyKey: string) => Acked | null
	readonly view: ControllerView
}

/** How one connected proxy treats a request, by the configuration that it has ACKed. */
export function explainProxy(question: ProxyQuestion, { fleet, acked, view }: ExplainProxyOptions): ProxyExplanation {
	const asked = readRequest(question.method, question.url, question.headers)
	if (!asked.ok) return { kind: 'mistaken', message: asked.error }
	const connected = connectedProxies(fleet)
	const found = findProxy(question.proxy, connected)
	const held = found === null ? null : acked(found.key)
	if (found === null || held === null) return { kind: 'noProxy', message: noProxyText(question.proxy, connected) }
	const explained = explainRequest(heldConfiguration(held.resources, held.unseen), found.group, asked.value)
	const resources = view.effective?.resources ?? {}
	return {
		kind: 'explained',
		proxy: found.key,
		explained: placeRoutes(explained, { resources, origins: view.origins }),
	}
}

function connectedProxies(fleet: FleetPort): Proxy[] {
	const groups: FleetView = fleet.fleet()
	return [...groups.keys()].flatMap((groupKey) => [...fleet.connected(groupKey)])
}

function findProxy(wanted: string, connected: readonly Proxy[]): Proxy | null {
	const exact = connected.find(({ key }) => key === wanted)
	if (exact !== undefined) return exact
	const [only, ...others] = connected.filter(({ key }) => key.startsWith(`${wanted}#`))
	return only !== undefined && others.length === 0 ? only : null
}

const mostNamed = 5

function noProxyText(wanted: string, connected: readonly Proxy[]): string {
	const keys = connected.map(({ key }) => key)
	const ofIdentity = keys.filter((key) => key.startsWith(`${wanted}#`))
	if (ofIdentity.length > 1) return `${wanted} has several proxies, name one: ${listed(ofIdentity)}`
	const nearest = nearestName(wanted, keys)
	if (nearest !== null) return `no proxy ${wanted} is connected: did you mean ${nearest}?`
	return keys.length === 0 ? 'no proxy is connected' : `no proxy ${wanted} is connected; connected are ${listed(keys)}`
}

function listed(keys: readonly string[]): string {
	const sorted = [...keys].sort()
	const more = keys.length > mostNamed ? `, and ${keys.length - mostNamed} more` : ''
	return sorted.slice(0, mostNamed).join(', ') + more
}
