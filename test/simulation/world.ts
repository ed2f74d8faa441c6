import { limits } from '#base/limits.ts'
import { type Random, seededRandom } from '#base/random.ts'
import type { ProxyGroup } from '#compile/compiled.ts'
import type { CommandReply, ControllerCommand, RolloutVerb } from '#controller/commands.ts'
import type { RevisionReader } from '#controller/ports.ts'
import { parseStored } from '#controller/state.ts'
import type { Measurement } from '#guard/look.ts'
import type { Mesh } from '#mesh/mesh.ts'
import { nameOf } from '#plan/split.ts'
import { splitInForce } from '#rollout/ladder.ts'
import { isRunning, laneOf, type Phase, type Rollout, routesOf } from '#rollout/rollout.ts'
import type { Revision } from '#source/revision.ts'
import type { JournalEntry } from '#store/store.ts'
import { noData } from '#telemetry/measurement.ts'
import { type Consistency, canaryShareOf, createConsistency } from './consistency.ts'
import { createFakeFleet, type FakeFleet } from './fake-fleet.ts'
import { type FakeProxy, timeoutAt } from './fake-proxy.ts'
import { createIncarnation, type Incarnation } from './incarnation.ts'
import { createInvariants, type Invariants } from './invariants.ts'
import { createPolicyInvariants } from './policy-invariants.ts'
import { createReports } from './reports.ts'
import { type FaultKind, isThin, type Quality, type Scenario } from './scenario.ts'
import { nodeOfCluster } from './shares.ts'
import { firstPair, type Pair, pairsOf, plainWish, simulatedMesh, type Weights, type Wish } from './simulated-mesh.ts'
import { createSimulatedStore } from './simulated-store.ts'
import { type FigureMood, person, type Struck, strike } from './strike.ts'
import { createVirtualClock } from './virtual-clock.ts'
import { createWaveInvariants } from './wave-invariants.ts'

// One simulated life: a commit, a rollout or two, what goes wrong. The controller is the real one; Git, Envoys, traffic,
// time and the disk are simulated. The same scenario always ends the same way.

export type Violation = { readonly invariant: string; readonly atMs: number; readonly text: string }

export type Outcome = {
	readonly seed: number
	readonly violations: readonly Violation[]
	readonly faults: readonly FaultKind[]
	readonly phases: readonly Phase['kind'][]
	/** Phase of the first route's newest rollout at the end, or null when there was none. */
	readonly ended: Phase['kind'] | null
	readonly holds: readonly string[]
	/** Phase of the newest rollout by waves at the end, or null when there was none. */
	readonly endedWaves: Phase['kind'] | null
	/** Highest share that a proxy ever held of the canary. */
	readonly reachedPpm: number
	readonly rollouts: number
	readonly crashes: number
	readonly errors: readonly string[]
	readonly turns: number
}

const treatedMs = 5_000
/** Time in which a person or a freeze holds a rollout does not count, and time away is told by the wall clock. */
const stopsDeadlines: readonly FaultKind[] = ['pause', 'freeze', 'clockJump', 'retarget', 'twoCommits', 'moveSecond']
/** Clusters of B and of Bv2. */
const ofFirstPair = 'cds_egress_apps_B'

const group: ProxyGroup = {
	identity: { mesh: 'apps', kind: 'virtualNode', name: 'A' },
	cohort: 'stable',
	capture: { mode: 'explicit', bind: '127.0.0.1', egressPort: 15001, app: { address: '127.0.0.1', port: null } },
	envoyMinor: '1.40',
	secrets: 'daemon',
}

/** `told`: each entry of the journal, when it is durable. */
export async function simulate(
	scenario: Scenario,
	told: (atMs: number, entry: JournalEntry) => void = () => undefined,
): Promise<Outcome> {
	const random: Random = seededRandom(scenario.seed ^ 0x5eed)
	const clock = createVirtualClock(1_790_000_000_000)
	const nowMs = clock.monotonicMs
	const disk = createSimulatedStore(clock)
	const pairs = pairsOf(scenario.second)
	const reports = createReports(pairs, nowMs)
	const incident = { shared: false }
	const figure: Struck['figure'] = { mood: 'figureGood' }
	const meshes = new Map<string, Mesh>()
	const errors: string[] = []
	const violations: Violation[] = []
	const phases = new Set<Phase['kind']>()
	const faults: FaultKind[] = []
	let wish: Wish = {
		weights: scenario.from,
		...secondRoute([1, 0]),
		policy: scenario.policy,
		...plainWish,
	}
	/** What it is all about. */
	function asWanted(): Partial<Wish> {
		const weights = { weights: scenario.to, ...secondRoute([1, 3]) }
		if (scenario.treatment === undefined) return weights
		return { timeoutMs: treatedMs, ...(scenario.treatment.weights === 'other' ? weights : {}) }
	}

	function secondRoute(weights: Weights): Pick<Wish, 'second'> {
		return scenario.second === undefined ? {} : { second: { kind: scenario.second, weights } }
	}

	let unanswered = 0
	let commits = 0
	let newest: Revision | null = null
	let crashes = 0
	let bootedMs = 0
	/** The process dies when it has published a way back, or soon after its next start. */
	let crashAt: 'no' | 'afterPublish' | 'starting' = 'no'
	let current: Incarnation | null = null
	let reachedPpm = 0
	let raises = 0
	let turns = 0

	function violate(invariant: string, text: string): void {
		violations.push({ invariant, atMs: nowMs(), text })
	}

	const storeMs = () => disk.answerMs()
	const invariants = new Map(
		pairs.map((pair) => [
			pair.host,
			createInvariants({
				pair,
				nowMs,
				proxies: () => fleet.proxies,
				reports,
				policy: scenario.policy,
				storeMs,
				violate,
			}),
		]),
	)
	const fleet: FakeFleet = createFakeFleet({
		clock,
		random,
		group,
		proxies: scenario.proxies,
		traffic: {
			requestsPerSecond: scenario.requestsPerSecond,
			errorShare(cluster, sharePpm, target) {
				if (incident.shared) return 0.6
				const ofVersion = errorShareOf(qualityOf(scenario, cluster), sharePpm, target) ?? scenario.baseErrorShare
				const isTreated = timeoutAt(target, firstPair.host) === treatedMs && cluster.startsWith(ofFirstPair)
				return isTreated ? Math.max(ofVersion, scenario.treatment?.errorShare ?? 0) : ofVersion
			},
			stalls: (cluster) => qualityOf(scenario, cluster)?.kind === 'stalling',
		},
		watcher: {
			published(host, before, after) {
				ofHost(host)?.published(before, after)
				consistency.published(host, after, disk.stored())
				if (host === firstPair.host && before !== null)
					noteMove(before.get(firstPair.canary) ?? 0, after.get(firstPair.canary) ?? 0)
			},
			fronted: (host) => consistency.fronted(host, disk.stored()),
			delivered(target, host, before, after) {
				reports.changed(target, host)
				ofHost(host)?.delivered(target, before, after)
				consistency.delivered(host, after)
				if (host === firstPair.host) reachedPpm = Math.max(reachedPpm, after.get(firstPair.canary) ?? 0)
			},
			treated(target, beforeMs, afterMs) {
				waves.treated(target, { beforeMs, afterMs }, disk.stored())
			},
			placed(_, cohort) {
				if (cohort === 'stable') mayCrash()
			},
			flushed: reports.flushed,
			left(target) {
				reports.left(target)
				for (const pair of pairs) ofHost(pair.host)?.left()
				waves.left()
			},
		},
	})
	const consistency: Consistency = createConsistency({
		pairs,
		fleet,
		reports,
		nowMs,
		wallMs: clock.wallMs,
		storeMs,
		violate,
	})
	const policies = createPolicyInvariants({
		policy: scenario.policy,
		nowMs,
		wallMs: clock.wallMs,
		storeMs,
		areDeadlinesSteady: scenario.faults.every(({ kind }) => !stopsDeadlines.includes(kind)),
		violate,
	})
	const waves = createWaveInvariants({ proxies: () => fleet.proxies, reports, nowMs, storeMs, violate })
	if (scenario.quality.kind === 'unresolved')
		for (const target of fleet.proxies) target.healthy.set(firstPair.canary, 0)

	function ofHost(host: string) {
		return invariants.get(host)
	}

	/** The first route's canary was given another share. */
	function noteMove(before: number, after: number): void {
		if (after > before) noteRaise()
		// Where a way back is to be expected, that is the publication which it takes a crash to test.
		if (after < before || scenario.quality.kind === 'healthy') mayCrash()
	}

	function noteRaise(): void {
		raises += 1
		for (const fault of scenario.faults)
			if ('raise' in fault.at && fault.at.raise === raises) clock.setTimer(fault.at.afterMs, () => befall(fault))
	}

	/** Something was published that it takes a crash to test. */
	function mayCrash(): void {
		if (crashAt !== 'afterPublish') return
		crashAt = 'no'
		disk.mood = 'hangs'
		current?.stalls()
		clock.setTimer(300, () => {
			disk.mood = 'well'
			crash()
		})
	}

	const readRevision: RevisionReader = async (revision) => {
		const mesh = meshes.get(revision.id)
		if (mesh !== undefined) return { kind: 'ok', mesh, origins: {}, expectations: [], warnings: [] }
		return { kind: 'refused', diagnostics: [syntaxError] }
	}

	function boot(): void {
		const incarnation = createIncarnation({
			clock,
			disk,
			fleet,
			readRevision,
			crash,
			random,
			figures: { ask: async (_, signal) => answerOf(figure.mood, signal) },
			answered: ({ rollout, measurement }) => policies.answered(rollout, measurement),
			told(entry) {
				told(nowMs(), entry)
				const about = current?.controller.view().state.rollouts.find(({ id }) => id === entry.rollout)
				policies.told(entry, about)
				if (entry.event === 'rollout.steppedBack' && about !== undefined) watchingOf(about)?.steppedBack()
				if (entry.event === 'rollout.ramping' && about !== undefined) noteRamp(about, Number(entry.numbers.partsLeft))
				notePromotion(entry)
				noteStart(entry)
				if (entry.event === 'rollout.advanced' && entry.rollout?.includes('/waves#')) noteRaise()
			},
			violate,
			errors,
		})
		current = incarnation
		bootedMs = nowMs()
		if (crashAt === 'starting') {
			crashAt = 'no'
			clock.setTimer(random() * 1_500, () => incarnation === current && crash())
		}
		void incarnation.controller.start().then(() => {
			if (newest !== null && incarnation.isAlive())
				incarnation.controller.takeSource({ kind: 'revision', revision: newest })
		})
	}

	function crash(): void {
		if (current === null || !current.isAlive()) return
		crashes += 1
		turns += current.controller.view().turns
		current.dies()
		consistency.died()
		fleet.daemonDied()
		clock.setTimer(200 + random() * 3000, () => {
			reports.restarted()
			for (const pair of pairs) {
				ofHost(pair.host)?.restarted(hasEnded(pair) ? 'settled' : 'moving')
				if (hasSteppedBack(pair)) ofHost(pair.host)?.steppedBack()
				const ramping = storedOf(pair)
				if (ramping?.phase.kind === 'ramping') noteRamp(ramping, ramping.phase.ramp.partsLeft)
			}
			consistency.restarted(disk.stored())
			waves.restarted()
			policies.restarted()
			boot()
		})
	}

	function commit(change: Partial<Wish>): void {
		const before = wish
		wish = { ...wish, ...change }
		commits += 1
		const id = `commit-${commits}`
		waves.asked()
		meshes.set(id, simulatedMesh(wish))
		const changed = [
			...((['hostname', 'port', 'tls'] as const).some((part) => wish[part] !== before[part]) ? ['Bv2'] : []),
			...(wish.baseline === before.baseline ? [] : ['B']),
		]
		for (const pair of pairs) {
			const moving = movingOf(pair)
			const good = moving === undefined ? null : canaryShareOf(pair, laneOf(moving, pair.route)?.good)
			const isReplaced = moving?.canaries.some(({ virtualNode }) => changed.includes(nameOf(virtualNode)))
			if (isReplaced) ofHost(pair.host)?.replaced()
			ofHost(pair.host)?.respecified(changed)
			const weights = pair === firstPair ? change.weights : change.second?.weights
			const kept = pair === firstPair ? wish.weights : (wish.second?.weights ?? [1, 0])
			const isOther = pair === firstPair && wish.timeoutMs !== before.timeoutMs
			if (weights !== undefined || isOther || changed.includes(pair.canary))
				ofHost(pair.host)?.asked(weights ?? kept, good)
		}
		deliverRevision(id)
	}

	function deliverRevision(id: string): void {
		newest = { id, author: 'simulation', message: id, timeMs: clock.wallMs(), files: new Map() }
		if (current?.isAlive()) current.controller.takeSource({ kind: 'revision', revision: newest })
	}

	function askRollout(kind: RolloutVerb): void {
		const running = newestRollout()
		if (running === undefined) return
		const watching = watchingOf(running)
		if (kind === 'retry') watching?.retried()
		if (kind === 'retry') waves.asked()
		const asked = ask({ kind, rollout: running.id, ...person })
		if (kind !== 'promote' && kind !== 'promoteFull') return
		const reach = kind === 'promote' ? 'step' : 'target'
		watching?.asksToPromote()
		consistency.promoted()
		waves.promoted()
		void asked.then((reply) => watching?.answersPromote(reach, reply === null ? 'unknown' : 'known'))
	}

	function rampDown(overMs: number): void {
		const running = newestRollout()
		if (running !== undefined) void ask({ kind: 'abortByRamp', rollout: running.id, overMs, ...person })
	}

	/** What a part of a ramp leaves may be held from now on. */
	function noteRamp(rollout: Rollout, partsLeft: number): void {
		const pair = pairs.find(({ route }) => laneOf(rollout, route) !== null)
		const lane = pair === undefined ? null : laneOf(rollout, pair.route)
		if (pair === undefined || lane === null) return
		const share = canaryShareOf(pair, splitInForce(rampingAt(rollout, partsLeft), lane))
		ofHost(pair.host)?.ramped(share)
	}

	function notePromotion({ event, rollout, numbers }: JournalEntry): void {
		if (event !== 'rollout.promote') return
		const promoted = current?.controller.view().state.rollouts.find(({ id }) => id === rollout)
		if (promoted !== undefined) watchingOf(promoted)?.promoted(numbers.reach === 'target' ? 'target' : 'step')
	}

	function noteStart({ event, rollout: id }: JournalEntry): void {
		if (event !== 'rollout.started') return
		const started = current?.controller.view().state.rollouts.find((rollout) => rollout.id === id)
		const [canary] = started?.canaries ?? []
		if (started !== undefined && canary !== undefined) watchingOf(started)?.begins(nameOf(canary.virtualNode))
	}

	function watchingOf(rollout: Rollout): Invariants | undefined {
		return ofHost(pairs.find(({ route }) => laneOf(rollout, route) !== null)?.host ?? '')
	}

	/** Null: the daemon is not there, or dies before it answers. */
	async function ask(command: ControllerCommand): Promise<CommandReply | null> {
		if (current === null || !current.isAlive()) return null
		unanswered += 1
		policies.asks(command)
		if (command.kind === 'resume' || command.kind === 'unfreeze') consistency.goesOn(command)
		const stops = command.kind === 'pause' || command.kind === 'freeze' ? consistency.asksToStop(command) : null
		const reply = await current.command(command)
		unanswered -= 1
		if (reply?.kind === 'done') stops?.()
		return reply
	}

	function newestRollout(): Rollout | undefined {
		return current?.isAlive() ? current.controller.view().state.rollouts.at(-1) : undefined
	}

	/** The store knows of no rollout of this route that has not ended well. */
	function hasEnded({ route }: Pair): boolean {
		const stored = disk.stored()?.state ?? null
		const ofRoute =
			stored === null ? [] : parseStored(stored).state.rollouts.filter((rollout) => laneOf(rollout, route) !== null)
		return ofRoute.at(-1)?.phase.kind === 'succeeded'
	}

	/** A precaution was written down, and the daemon may have died before it told. */
	function hasSteppedBack(pair: Pair): boolean {
		const last = storedOf(pair)
		if (last === undefined || last.elapsed.sinceForwardMs !== null) return false
		return isRunning(last) && last.phase.kind !== 'rollingBack'
	}

	/** The newest rollout of a route, as the store has it. */
	function storedOf({ route }: Pair): Rollout | undefined {
		const stored = disk.stored()?.state ?? null
		const known = stored === null ? [] : parseStored(stored).state.rollouts
		return known.findLast((rollout) => routesOf(rollout).includes(route))
	}

	/** The rollout that is under way: in the daemon, or in the store of one that only starts. */
	function movingOf(pair: Pair): Rollout | undefined {
		const stored = disk.stored()?.state ?? null
		const known = stored === null ? [] : parseStored(stored).state.rollouts
		const rollouts = [...known, ...(current?.controller.view().state.rollouts ?? [])]
		return rollouts.find(
			(rollout) =>
				laneOf(rollout, pair.route) !== null &&
				rollout.step >= 0 &&
				['stepping', 'held', 'paused', 'ramping'].includes(rollout.phase.kind),
		)
	}

	function befall(fault: Scenario['faults'][number]): void {
		faults.push(fault.kind)
		strike(fault, {
			scenario,
			clock,
			random,
			fleet,
			disk,
			incident,
			figure,
			wish: () => wish,
			commit,
			commitBroken: () => deliverRevision('broken'),
			crash,
			crashAt: (moment) => {
				crashAt = moment
			},
			askRollout,
			rampDown,
			ask,
		})
	}

	const settle = async () => {
		if (!current?.isAlive()) return
		await current.settles()
		if (!current.isAlive()) return
		const view = current.controller.view()
		for (const { phase } of view.state.rollouts) phases.add(phase.kind)
		if (disk.mood === 'hangs') return
		consistency.settled(view)
		waves.settled(view)
		policies.settled(view)
	}

	function findLost(): Parameters<typeof violate> | null {
		if (current === null || !current.isAlive()) return null
		const { state } = current.controller.view()
		if (unanswered > 0) return ['a command has an answer', `${unanswered} have none`]
		const known = [state.accepted?.info.id, state.refused?.info?.id]
		return known.includes(newest?.id) ? null : ['a commit is taken in or refused', `${newest?.id} is neither`]
	}

	for (const pair of pairs) ofHost(pair.host)?.asked(pair === firstPair ? scenario.from : [1, 0], null)
	boot()
	commit({})
	clock.setTimer(2_000, () => commit(asWanted()))
	for (const fault of scenario.faults) if ('ms' in fault.at) clock.setTimer(fault.at.ms, () => befall(fault))
	await clock.runUntil(5_000, settle)
	const endMs = lifeMsOf(scenario)
	while (nowMs() < endMs && errors.length === 0 && violations.length === 0) {
		await clock.runUntil(nowMs() + 2_000, settle)
		// What a daemon finds out of its start comes when all have had time to come back.
		if (nowMs() > Math.max(32_000, bootedMs + limits.bootHoldMs + 2_000) && isQuiet(current)) break
	}
	// What was asked for just now may wait for the store, or for a daemon that only starts.
	const heardByMs = nowMs() + 20_000
	while (findLost() !== null && nowMs() < heardByMs) await clock.runUntil(nowMs() + 2_000, settle)
	const lost = findLost()
	if (errors.length === 0 && violations.length === 0 && lost !== null) violate(...lost)
	const view = current === null ? null : (current as Incarnation).controller.view()
	const last = view?.state.rollouts.findLast((rollout) => laneOf(rollout, firstPair.route) !== null)
	return {
		seed: scenario.seed,
		violations,
		faults,
		phases: [...phases],
		ended: last?.phase.kind ?? null,
		endedWaves: view?.state.rollouts.findLast(({ wave }) => wave !== null)?.phase.kind ?? null,
		holds: last?.holds.map(({ code }) => code) ?? [],
		reachedPpm,
		rollouts: view?.state.rolloutCount ?? 0,
		crashes,
		errors,
		turns: turns + (view?.turns ?? 0),
	}
}

function rampingAt(rollout: Rollout, partsLeft: number): Rollout {
	const cause = { by: 'command', ...person } as const
	return { ...rollout, phase: { kind: 'ramping', cause, ramp: { partsLeft, overMs: 1 } } }
}

/** Where nothing goes wrong and traffic is not too thin, a canary is given the time that its proof takes. */
function lifeMsOf({ faults, quality, ...scenario }: Scenario): number {
	const isLong = faults.length === 0 && quality.kind !== 'unresolved' && !isThin(scenario)
	return isLong ? 300_000 : 120_000
}

async function answerOf(mood: FigureMood, signal: AbortSignal): Promise<Measurement> {
	switch (mood) {
		case 'figureGood':
			return { kind: 'value', value: 0.01, ageMs: 0 }
		case 'figureBad':
			return { kind: 'value', value: 0.5, ageMs: 0 }
		case 'figureNaN':
			return { kind: 'value', value: Number.NaN, ageMs: 0 }
		case 'figureLost':
			return noData('simulated')
		case 'figureHangs':
			return new Promise((resolve) => signal.addEventListener('abort', () => resolve(noData('given up'))))
	}
}

/** Nothing runs any more: the rest of the time would be more of the same. */
function isQuiet(incarnation: Incarnation | null): boolean {
	if (incarnation === null || !incarnation.isAlive()) return false
	const { state, durable } = incarnation.controller.view()
	return durable && state.rollouts.length > 0 && state.rollouts.every(({ endedWallMs }) => endedWallMs !== null)
}

/** Null: a version that was there before, and that is as it was. */
function qualityOf({ quality, secondQuality }: Scenario, cluster: string): Quality | null {
	switch (nodeOfCluster(cluster)) {
		case 'Bv2':
			return quality
		case 'Dv2':
			return secondQuality
		default:
			return null
	}
}

/** Null: as all others. */
function errorShareOf(quality: Quality | null, sharePpm: number, { proxy }: FakeProxy): number | null {
	if (quality?.kind !== 'failing' || sharePpm < quality.fromPpm) return null
	switch (quality.at) {
		case 'everywhere':
			return quality.errorShare
		case 'oneProxy':
			return proxy.instance === 'i0' ? quality.errorShare : null
		case 'oneZone':
			return proxy.zone === 'a' ? quality.errorShare : null
	}
}

const syntaxError = {
	code: 'SL0101',
	severity: 'error',
	message: 'simulated',
	file: 'a.yaml',
	line: 1,
	column: 1,
	hint: null,
	frame: [],
} as const
