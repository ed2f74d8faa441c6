import { assert } from '#base/assert.ts'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import type { Log } from '#base/log.ts'
import { egressClusterName } from '#compile/names.ts'
import type { Mesh, Origins } from '#mesh/mesh.ts'
import type { Target } from '#plan/plan.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { Rollout } from '#rollout/rollout.ts'
import { hasCandidates, isCandidate, runningWave } from '#rollout/wave.ts'
import type { Proxy, Rejection, XdsEvent } from '#xds/fleet-view.ts'
import { type Adoption, createAdoption } from './adoption.ts'
import { type BootHold, createBootHold } from './boot-hold.ts'
import { concernOfWave } from './concern-of-wave.ts'
import { type Concern, concernOf } from './concerns.ts'
import { wantedOf } from './discovery-wanted.ts'
import { effectiveMesh } from './effective.ts'
import type { Evidence } from './evidence.ts'
import { excludedProxies } from './exclusion.ts'
import { fleetLagOf, type Served } from './facts.ts'
import type { DiscoveryPort, FleetPort } from './ports.ts'
import { createPublisher } from './publish.ts'
import type { ControllerState } from './state.ts'
import { createStranded } from './stranded.ts'
import { holdsShares, watchesOf } from './watches.ts'

// What follows from the state towards the fleet: what is in force, who is served it, who keeps what it holds, and what
// the evidence room watches. Derived anew whenever the state changes; it decides nothing.

export type Serving = {
	/** Once, before the first publication: what proxies that come back may hold and keep. */
	begin(state: ControllerState, meshes: ServedMeshes): void
	takeXds(event: XdsEvent): void
	/** Taken in by the fleet when this returns. */
	publish(state: ControllerState, meshes: ServedMeshes): void
	/** What was found has changed: what is in force is published with it, at once. */
	rediscover(): void
	/** After each turn: pins of ways back, and what is watched. */
	follow(state: ControllerState): void
	concernOf(rollout: Rollout): Concern
	/** The clusters by which these targets are reached now. */
	clustersOf(targets: readonly Target[]): string[]
	/** What keeps removals waiting: somebody has not let go of everything yet. Null when nobody. */
	fleetLags(): string | null
	/** Every proxy that is back is served all of what is applied, and nothing stands in for what waits. */
	isWhole(): boolean
	/** Rollouts that had succeeded and, as the proxies that came back to this daemon tell, were taken back since. */
	foundBack(): readonly string[]
	/** Whether that is still to be told. */
	isFinding(): boolean
	proxyStanding(proxyKey: string): 'known' | 'unjoined' | 'unknown'
	/** A connected proxy. */
	proxyOf(proxyKey: string): Proxy | undefined
	effective(): EffectiveMesh | null
	/** `file:line` that a rejection probably comes from, or ''. */
	placeOf(rejection: Rejection, origins: Origins): string
	readonly facts: Served
}

/** `meshNamed`: of those that a state names. */
export type ServedMeshes = {
	readonly applied: Mesh | undefined
	readonly meshNamed: (hash: string) => Mesh | undefined
}

export type ServingOptions = {
	readonly fleet: FleetPort
	readonly discovery: DiscoveryPort
	readonly evidence: Evidence
	readonly clock: Clock
	readonly log: Log
	/** Proxies were found that hold what the store knows nothing of. */
	readonly onStrangers: (proxyKeys: readonly string[]) => void
}

export function createServing(options: ServingOptions): Serving {
	const { fleet, discovery, evidence, clock, log, onStrangers } = options
	const publisher = createPublisher({ fleet, log, discovered: () => discovery.current() })
	const stranded = createStranded({ fleet, evidence })
	const proxies = new Map<string, Proxy>()
	let excluded: ReadonlySet<string> = new Set()
	let adoption: Adoption | null = null
	let bootHold: BootHold | null = null
	let effective: EffectiveMesh | null = null
	/** What candidates are served while something goes out by waves. */
	let candidate: EffectiveMesh | null = null
	/** Names who is a candidate now. */
	let assigned = ''
	let wasAsked = false
	let returningUntilMs = Number.NEGATIVE_INFINITY

	function concern(rollout: Rollout): Concern {
		assert(effective !== null, 'a rollout runs on an applied mesh')
		return rollout.wave === null
			? concernOf(rollout, effective, fleet.fleet())
			: concernOfWave(publisher.differencesOf, fleet.fleet())
	}

	/** Says more than that its proxies have not ACKed. */
	function waitingLag(): string | null {
		for (const [groupKey, { connected }] of fleet.fleet()) {
			const [first] = connected > 0 ? publisher.waitsOf(groupKey) : []
			if (first !== undefined) return first
		}
		return null
	}

	function exclude(state: ControllerState): void {
		excluded = excludedProxies(state.excluded)
		fleet.exclude(excluded)
	}

	/** Moves proxies between the cohorts when a wave is reached, or all go back. */
	function assign(wave: Rollout | null): void {
		const isMoving = wave !== null && hasCandidates(wave)
		const rule = isMoving ? [wave.id, wave.step, wave.wave?.first].join(' ') : ''
		if (rule === assigned) return
		assigned = rule
		fleet.assign((proxy) => (isMoving && isCandidate(wave, proxy) ? 'candidate' : 'stable'))
	}

	function proxyStanding(proxyKey: string): ReturnType<Serving['proxyStanding']> {
		const connected = proxies.get(proxyKey)
		if (connected !== undefined) return connected.instance === null ? 'unjoined' : 'known'
		const missing = [...fleet.fleet().values()].flatMap((view) => [...view.gone, ...view.excluded])
		return excluded.has(proxyKey) || missing.some(({ proxy }) => proxy === proxyKey) ? 'known' : 'unknown'
	}

	const proxyOf = (proxyKey: string) => proxies.get(proxyKey)
	const returning = () => clock.monotonicMs() < returningUntilMs

	return {
		begin(state, { applied, meshNamed }) {
			exclude(state)
			const whole = meshNamed(state.servedWhole ?? '')
			const wave = runningWave(state.rollouts)
			const candidate = meshNamed(wave?.wave?.candidate ?? '')
			assign(wave)
			if (whole !== undefined) publisher.remember(effectiveMesh(whole, state.rollouts))
			if (state.applied !== null) returningUntilMs = clock.monotonicMs() + limits.bootHoldMs
			bootHold = createBootHold({ rollouts: state.rollouts, applied, candidate, fleet, clock })
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
					evidence.arrived(event.proxy.key)
					bootHold?.greet(event.proxy)
					adoption?.arrived(event.proxy)
					return
				case 'left':
					// It may be here already with its new group.
					if (proxies.get(event.proxy.key)?.groupKey !== event.proxy.groupKey) return
					proxies.delete(event.proxy.key)
					evidence.forget(event.proxy.key)
					return
				case 'progressed':
					return
			}
		},
		publish(state, { applied, meshNamed }) {
			if (applied === undefined) return
			const wave = runningWave(state.rollouts)
			const mesh = meshNamed(wave?.wave?.candidate ?? '')
			const isOtherMesh = effective?.resources !== applied.resources || candidate?.resources !== mesh?.resources
			effective = effectiveMesh(applied, state.rollouts)
			candidate = mesh === undefined ? null : effectiveMesh(mesh, state.rollouts)
			if (isOtherMesh) {
				const followed = [...Object.values(applied.resources), ...Object.values(mesh?.resources ?? {})]
				discovery.follow(wantedOf(followed))
			}
			stranded.pin(state.rollouts, concern)
			publisher.publish(effective, candidate)
			assign(wave)
			adoption?.applied()
			if (state.adoption === null && wasAsked) adoption?.release()
			wasAsked = state.adoption !== null
		},
		rediscover() {
			if (effective !== null) publisher.publish(effective, candidate)
		},
		follow(state) {
			exclude(state)
			bootHold?.expire(state.rollouts)
			publisher.forgetDeserted()
			stranded.pin(state.rollouts, concern)
			evidence.watch(watchesOf(state.rollouts, concern, { fleet, publisher, proxyOf, excluded }))
		},
		fleetLags() {
			if (returning())
				return `proxies may still come back: the daemon has started less than ${limits.bootHoldMs / 1000} s ago`
			return publisher.behind() ?? waitingLag() ?? fleetLagOf(fleet.fleet())
		},
		foundBack: () => bootHold?.foundEnded() ?? [],
		isFinding: () => bootHold?.isFinding() ?? false,
		isWhole: () => !returning() && publisher.isWhole(),
		proxyOf,
		proxyStanding,
		concernOf: concern,
		clustersOf: (targets) => targets.map((target) => egressClusterName(target, effective?.resources ?? {})),
		effective: () => effective,
		placeOf(rejection, origins) {
			for (const id of publisher.suspectsOf(rejection.version)) {
				const origin = origins[id]?.['/spec'] ?? origins[id]?.['']
				if (origin !== undefined) return `${origin.file}:${origin.line}`
			}
			return ''
		},
		facts: {
			holdsShares: (proxy, about) => holdsShares(proxy, about, { fleet, publisher }),
			standingOf: publisher.standingOf,
			waitsOf: publisher.waitsOf,
			strandedOf: stranded.of,
			foundBack: (rollout, about) => bootHold?.foundBack(rollout, about) ?? false,
			returning,
		},
	}
}
