import type { Random } from '#base/random.ts'
import type { ControllerCommand, RolloutVerb } from '#controller/commands.ts'
import type { FakeFleet } from './fake-fleet.ts'
import { type FakeProxy, sharesAt } from './fake-proxy.ts'
import type { Fault, Scenario } from './scenario.ts'
import { firstPair, type Wish } from './simulated-mesh.ts'
import type { SimulatedStore } from './simulated-store.ts'
import type { VirtualClock } from './virtual-clock.ts'

// What a fault does when its time has come. Git's and people's wishes count as faults too: they come when nobody expects
// them.

export type FigureMood = 'figureGood' | 'figureBad' | 'figureLost' | 'figureNaN' | 'figureHangs'

export type Struck = {
	readonly scenario: Scenario
	readonly clock: VirtualClock
	readonly random: Random
	readonly fleet: FakeFleet
	readonly disk: SimulatedStore
	/** Both versions fail, and it is nobody's fault. */
	readonly incident: { shared: boolean }
	/** What somebody else measures. */
	readonly figure: { mood: FigureMood }
	wish(): Wish
	commit(change: Partial<Wish>): void
	/** A commit that no one can read. */
	commitBroken(): void
	crash(): void
	crashAt(moment: 'afterPublish' | 'starting'): void
	/** A command about the newest rollout, if a daemon is there that has one. */
	askRollout(verb: RolloutVerb): void
	/** The newest rollout is to go back within so long. */
	rampDown(overMs: number): void
	/** What a person asks for, if a daemon is there. */
	ask(command: ControllerCommand): void
}

export function strike({ kind, forMs, proxy: index }: Fault, world: Struck): void {
	const { scenario, clock, random, fleet, disk } = world
	const target = fleet.proxies[index % fleet.proxies.length]
	const commits = () => `${clock.fired}`
	const later = (undo: () => void) => clock.setTimer(forMs, undo)
	const isSentTo = (node: string) =>
		fleet.proxies.some((proxy) => [...sharesAt(proxy).values()].some((shares) => (shares.get(node) ?? 0) > 0))
	const untilLater = (change: Partial<FakeProxy>, undo: Partial<FakeProxy>) => {
		if (target === undefined) return
		Object.assign(target, change)
		later(() => Object.assign(target, undo))
	}
	switch (kind) {
		case 'crash':
			return world.crash()
		case 'crashBeforeCommit':
			disk.crashAt = 'beforeCommit'
			return
		case 'crashAfterCommit':
			disk.crashAt = 'afterCommit'
			return
		case 'crashAfterPublish':
			return world.crashAt('afterPublish')
		case 'crashWhileStarting':
			world.crashAt('starting')
			return world.crash()
		case 'storeFull':
			disk.mood = (['full', 'fullAtStep', 'fullAtBack'] as const)[Math.floor(random() * 3)] ?? 'full'
			if (disk.mood !== 'full') return
			later(() => {
				disk.mood = 'well'
			})
			return
		case 'storeFlaky':
			disk.mood = 'flaky'
			later(() => {
				disk.mood = 'well'
			})
			return
		case 'storeSlow':
			disk.speed = 'slow'
			return
		case 'silence':
			return untilLater({ silent: true }, { silent: false })
		case 'lateFlushes':
			return untilLater({ flushDelayMs: 1_000 + Math.round(random() * 6_000) }, { flushDelayMs: 0 })
		case 'lostFlushes':
			return untilLater({ losesFlushes: true }, { losesFlushes: false })
		case 'disconnect':
			if (target === undefined) return
			fleet.disconnect(target)
			later(() => fleet.connect(target))
			return
		case 'envoyRestarts':
			if (target !== undefined) fleet.restart(target, 200 + Math.round(random() * 3_000))
			return
		case 'leaves':
			if (target !== undefined && fleet.proxies.length > 1) fleet.drain(target)
			return
		case 'joins': {
			const joined = fleet.join()
			if (scenario.quality.kind === 'unresolved') joined.healthy.set(firstPair.canary, 0)
			return
		}
		case 'refuse':
			return untilLater({ refuseRoutes: true }, { refuseRoutes: false })
		case 'refuseCluster':
			return untilLater({ refuseClusters: true }, { refuseClusters: false })
		case 'slowAck':
			// Longer than the first look of a step takes.
			return untilLater({ ackDelayMs: 9_000 }, { ackDelayMs: 5 })
		case 'hostsGone':
		case 'lastGoodGone': {
			const node = kind === 'hostsGone' ? firstPair.canary : firstPair.stable
			const before = target?.healthy.get(node) ?? 1
			target?.healthy.set(node, 0)
			later(() => target?.healthy.set(node, before))
			return
		}
		case 'sharedIncident':
			world.incident.shared = true
			later(() => {
				world.incident.shared = false
			})
			return
		case 'revert':
			return world.commit({ weights: scenario.from, stable: 'kept' })
		case 'retarget':
			return world.commit({ weights: [60, 40], stable: 'kept' })
		case 'newCanary':
			return world.commit({ hostname: `b2-${commits()}.local` })
		case 'newBaseline':
			return world.commit({ baseline: `b1-${commits()}.local` })
		case 'newPort':
			// With traffic the port would move by a rollout within the node: what is checked here is by node. A proxy that has
			// just restarted holds no shares that would tell.
			if (scenario.from[1] > 0 || scenario.second === 'chained' || isSentTo(firstPair.canary))
				return world.commit({ tls: world.wish().tls === 'none' ? 'strict' : 'none' })
			return world.commit({ port: world.wish().port === 80 ? 8080 : 80 })
		case 'dropStable':
			// Somebody is still to let go when the others have.
			if (target !== undefined) target.ackDelayMs = 3000
			return world.commit({ weights: [0, 1], stable: 'dropped' })
		case 'moveSecond':
			if (scenario.second === undefined) return
			return world.commit({ second: { kind: scenario.second, weights: random() < 0.5 ? [1, 1] : [1, 0] } })
		case 'unrelatedCommit':
			return world.commit({ unrelated: clock.fired })
		case 'unrelatedDeleted':
			return world.commit({ unrelated: null })
		case 'twoCommits':
			world.commit({ hostname: `b2-${commits()}.local` })
			return world.commit({ weights: random() < 0.5 ? scenario.from : [60, 40], stable: 'kept', hostname: 'b2.local' })
		case 'syntaxError':
			return world.commitBroken()
		case 'clockJump':
			return clock.jumpWall(random() < 0.5 ? -3_600_000 : 3_600_000)
		case 'pause':
			later(() => world.askRollout('resume'))
			return world.askRollout(kind)
		case 'abortByRamp':
			return world.rampDown(forMs)
		case 'abort':
		case 'promote':
		case 'promoteFull':
		case 'retry':
			return world.askRollout(kind)
		case 'freeze':
			later(() => world.ask({ kind: 'unfreeze', scope: everything, ...person }))
			return world.ask({ kind, scope: everything, untilWallMs: clock.wallMs() + 2 * forMs, ...person })
		case 'newTreatment':
			return world.commit({ timeoutMs: 6_000 + clock.fired })
		case 'oldTreatment':
			return world.commit({ timeoutMs: null })
		case 'approve':
			return world.askRollout(kind)
		case 'figureBad':
		case 'figureLost':
		case 'figureNaN':
		case 'figureHangs':
			world.figure.mood = kind
			return void later(() => {
				world.figure.mood = 'figureGood'
			})
		case 'rollback':
			return world.ask({ kind, scope: { mesh: 'apps', router: 'B', route: 'B' }, ...person })
	}
}

export const person = { actor: 'person', reason: 'simulated' }
const everything = { mesh: null, router: null, route: null }
