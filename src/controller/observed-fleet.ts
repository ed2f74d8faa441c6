import { unreachable } from '#base/assert.ts'
import type { Clock } from '#base/clock.ts'
import { typeUrls } from '#compile/compiled.ts'
import type { HookObservation } from '#hooks/hook-call.ts'
import type { GroupView, Proxy, Rejection, XdsEvent } from '#xds/fleet-view.ts'
import type { XdsServer } from '#xds/server.ts'
import type { FleetPort } from './ports.ts'

// The xDS server as the controller's fleet, with an eye on what metrics count: it changes nothing on the way.

/** What can only be counted at the moment when it happens. */
export type Observation =
	| { readonly kind: 'rejected'; readonly type: keyof typeof typeUrls }
	/** Every connected proxy of a group has answered for what was published last. */
	| { readonly kind: 'converged'; readonly afterMs: number }
	| ({ readonly kind: 'hook' } & HookObservation)

export type ObservedFleet = {
	readonly port: FleetPort
	/** Give it each event of the server. */
	observe(event: XdsEvent): void
}

export function createObservedFleet(options: {
	server: XdsServer
	clock: Clock
	emit: (observation: Observation) => void
}): ObservedFleet {
	const { server, clock, emit } = options
	const publishedMs = new Map<string, number>()
	/** Rejections that were there before, by group: as bounded as the view's list. */
	const known = new Map<string, ReadonlySet<string>>()
	/** Connected proxies, by group. The server would tell how each stands too, which costs more than who they are. */
	const connected = new Map<string, Map<string, Proxy>>()
	let excluded: ReadonlySet<string> = new Set()

	function arrive(proxy: Proxy): void {
		const ofGroup = connected.get(proxy.groupKey) ?? new Map<string, Proxy>()
		ofGroup.set(proxy.key, proxy)
		connected.set(proxy.groupKey, ofGroup)
	}

	function leave({ key, groupKey }: Proxy): void {
		const ofGroup = connected.get(groupKey)
		ofGroup?.delete(key)
		if (ofGroup?.size === 0) connected.delete(groupKey)
	}

	function* counted(groupKey: string): Iterable<Proxy> {
		for (const proxy of connected.get(groupKey)?.values() ?? []) if (!excluded.has(proxy.key)) yield proxy
	}

	function progress(groupKey: string): void {
		const view = server.view(groupKey)
		if (view === null) {
			known.delete(groupKey)
			publishedMs.delete(groupKey)
			return
		}
		countRejections(groupKey, view)
		countConvergence(groupKey, view)
	}

	function countRejections(groupKey: string, view: GroupView): void {
		const before = known.get(groupKey)
		for (const rejection of view.rejections) {
			if (before?.has(keyOf(rejection)) !== true) emit({ kind: 'rejected', type: typeOf(rejection) })
		}
		known.set(groupKey, new Set(view.rejections.map(keyOf)))
	}

	function countConvergence(groupKey: string, view: GroupView): void {
		const sinceMs = publishedMs.get(groupKey)
		if (sinceMs === undefined || view.connected === 0) return
		if (Object.values(view.types).some(({ pending }) => pending > 0)) return
		publishedMs.delete(groupKey)
		emit({ kind: 'converged', afterMs: clock.monotonicMs() - sinceMs })
	}

	return {
		observe(event) {
			switch (event.kind) {
				case 'arrived':
					return arrive(event.proxy)
				case 'left':
					return leave(event.proxy)
				case 'progressed':
					return progress(event.groupKey)
				default:
					return unreachable(event)
			}
		},
		port: {
			publish(groupKey, snapshot) {
				publishedMs.set(groupKey, clock.monotonicMs())
				server.publish(groupKey, snapshot)
			},
			refuse: (groupKey, message) => server.refuse(groupKey, message),
			forget: (groupKey) => server.forget(groupKey),
			fleet: () => server.fleet(),
			connected: (groupKey) => connected.get(groupKey)?.values() ?? [],
			counted,
			exclude(proxyKeys) {
				excluded = new Set(proxyKeys)
				server.exclude(excluded)
			},
			holds: (proxyKey, typeUrl, name) => server.holds(proxyKey, typeUrl, name),
			reported: (proxyKey) => server.reported(proxyKey),
			pin: (groupKey, typeUrl, name, proxyKeys) => server.pin(groupKey, typeUrl, name, proxyKeys),
			keep: (groupKey, typeUrl, name, versions) => server.keep(groupKey, typeUrl, name, versions),
			assign: (cohortOf) => server.assign(cohortOf),
		},
	}
}

function keyOf({ proxy, typeUrl, name, version }: Rejection): string {
	return `${proxy} ${typeUrl} ${name} ${version}`
}

function typeOf({ typeUrl }: Rejection): keyof typeof typeUrls {
	const found = Object.entries(typeUrls).find(([, url]) => url === typeUrl)
	return (found?.[0] ?? 'cluster') as keyof typeof typeUrls
}
