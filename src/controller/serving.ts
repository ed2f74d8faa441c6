import { assert } from '#base/assert.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { typeUrls } from '#compile/compiled.ts'
import type { Mesh, Origins } from '#mesh/mesh.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import { isRunning, type Rollout } from '#rollout/rollout.ts'
import type { Proxy, Rejection, XdsEvent } from '#xds/fleet-view.ts'
import { type Adoption, createAdoption } from './adoption.ts'
import { type BootHold, createBootHold } from './boot-hold.ts'
import { type Concern, concernOf } from './concerns.ts'
import { effectiveMesh } from './effective.ts'
import type { Evidence } from './evidence.ts'
import type { FactsOptions } from './facts.ts'
import type { FleetPort } from './ports.ts'
import { createPublisher } from './publish.ts'
import type { ControllerState } from './state.ts'
import { strandedProxies } from './stranded.ts'
import { watchesOf } from './watches.ts'

// What follows from the state towards the fleet: what is in force, who is served it, who keeps what it holds, and what
// the evidence room watches. Derived anew whenever the state changes; it decides nothing.

export type Serving = {
	/** Once, before the first publication: what proxies that come back may hold and keep. */
	begin(state: ControllerState, applied: Mesh | undefined): void
	takeXds(event: XdsEvent): void
	/** Taken in by the fleet when this returns. */
	publish(state: ControllerState, applied: Mesh | undefined): void
	/** After each turn: pins of ways back, and what is watched. */
	follow(state: ControllerState): void
	concernOf(rollout: Rollout): Concern
	effective(): EffectiveMesh | null
	/** `file:line` that a rejection probably comes from, or ''. */
	placeOf(rejection: Rejection, origins: Origins): string
	readonly facts: Pick<FactsOptions, 'strandedOf' | 'foundBack'>
}

export type ServingOptions = {
	readonly fleet: FleetPort
	readonly evidence: Evidence
	readonly clock: Clock
	readonly log: Log
	/** Proxies were found that hold what the store knows nothing of. */
	readonly onStrangers: (proxyKeys: readonly string[]) => void
}

export function createServing({ fleet, evidence, clock, log, onStrangers }: ServingOptions): Serving {
	const publisher = createPublisher({ fleet, log })
	const proxies = new Map<string, Proxy>()
	let adoption: Adoption | null = null
	let bootHold: BootHold | null = null
	let effective: EffectiveMesh | null = null
	let wasAsked = false

	function concern(rollout: Rollout): Concern {
		assert(effective !== null, 'a rollout runs on an applied mesh')
		return concernOf(rollout, effective, fleet.fleet())
	}

	/** Proxies where the way back would land on nothing keep what they hold of the route. */
	function pinStranded(rollout: Rollout): void {
		const about = concern(rollout)
		const stranded = strandedProxies(rollout, about, { fleet, evidence })
		for (const [groupKey, names] of about.routeConfigurations) {
			for (const name of names) fleet.pin(groupKey, typeUrls.route, name, stranded.get(groupKey) ?? new Set())
		}
	}

	return {
		begin(state, applied) {
			bootHold = createBootHold({ rollouts: state.rollouts, applied, fleet, clock })
			adoption = createAdoption({
				clock,
				fleet,
				store: state.applied === null || state.adoption !== null ? 'unproven' : 'proven',
				isOurs: ({ group }, reported) => publisher.wouldServe(group, reported),
				greet: (proxy) => publisher.greet(proxy.group, proxy.groupKey),
				ask: onStrangers,
			})
			for (const proxy of proxies.values()) {
				bootHold.greet(proxy)
				adoption.arrived(proxy)
			}
		},
		takeXds(event) {
			switch (event.kind) {
				case 'arrived':
					proxies.set(event.proxy.key, event.proxy)
					bootHold?.greet(event.proxy)
					adoption?.arrived(event.proxy)
					return
				case 'left':
					proxies.delete(event.proxy.key)
					evidence.forget(event.proxy.key)
					return
				case 'progressed':
					return
			}
		},
		publish(state, applied) {
			if (applied === undefined) return
			effective = effectiveMesh(applied, state.rollouts)
			for (const rollout of state.rollouts) if (isRunning(rollout)) pinStranded(rollout)
			publisher.publish(effective)
			adoption?.applied()
			if (state.adoption === null && wasAsked) adoption?.release()
			wasAsked = state.adoption !== null
		},
		follow(state) {
			bootHold?.expire(state.rollouts)
			for (const rollout of state.rollouts) if (rollout.phase.kind === 'rollingBack') pinStranded(rollout)
			evidence.watch(watchesOf(state.rollouts, concern, { fleet, publisher, proxyOf: (key) => proxies.get(key) }))
		},
		concernOf: concern,
		effective: () => effective,
		placeOf(rejection, origins) {
			for (const id of publisher.suspectsOf(rejection.version)) {
				const origin = origins[id]?.['/spec'] ?? origins[id]?.['']
				if (origin !== undefined) return `${origin.file}:${origin.line}`
			}
			return ''
		},
		facts: {
			strandedOf: (rollout, about) =>
				[...strandedProxies(rollout, about, { fleet, evidence }).values()].flatMap((names) => [...names]),
			foundBack: (rollout, about) => bootHold?.foundBack(rollout, about) ?? false,
		},
	}
}
