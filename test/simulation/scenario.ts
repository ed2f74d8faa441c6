import type { Random } from '#base/random.ts'
import type { RolloutPolicySpec } from '#mesh/mesh.ts'
import { defaultRolloutStep } from '#mesh/rollout-policy.ts'
import { type Extra, extras, withExtra } from './extras.ts'
import type { SecondRoute, Weights } from './simulated-mesh.ts'

// What a seed stands for: one canary or two, their quality, their traffic, and what goes wrong around them.

export type Quality =
	| { readonly kind: 'healthy' }
	/** Errors from the given share on, of all requests or of those that one proxy, or the proxies of one zone, send. */
	| { readonly kind: 'failing'; readonly fromPpm: number; readonly errorShare: number; readonly at: Where }
	/** Takes requests and never answers. */
	| { readonly kind: 'stalling' }
	/** Its name does not resolve. */
	| { readonly kind: 'unresolved' }

export type Where = 'everywhere' | 'oneProxy' | 'oneZone'

export const faultKinds = [
	'crash',
	'crashBeforeCommit',
	'crashAfterCommit',
	'crashAfterPublish',
	'crashWhileStarting',
	'storeFull',
	'storeFlaky',
	'storeSlow',
	'silence',
	'lateFlushes',
	'lostFlushes',
	'disconnect',
	'envoyRestarts',
	'leaves',
	'joins',
	'refuse',
	'refuseCluster',
	'slowAck',
	'hostsGone',
	'lastGoodGone',
	'sharedIncident',
	'revert',
	'retarget',
	'newCanary',
	'newBaseline',
	'newPort',
	'dropStable',
	'moveSecond',
	'unrelatedCommit',
	'unrelatedDeleted',
	'twoCommits',
	'syntaxError',
	'clockJump',
	'abort',
	'abortByRamp',
	'promote',
	'promoteFull',
	'pause',
	'retry',
	'freeze',
	'rollback',
	'newTreatment',
	'oldTreatment',
	'approve',
	'figureBad',
	'figureLost',
	'figureNaN',
	'figureHangs',
] as const
export type FaultKind = (typeof faultKinds)[number]

/** Drawn apart from the others, for lives that have something to do with them. */
const treatments: readonly FaultKind[] = ['newTreatment', 'oldTreatment']
const ownFaults = [...treatments, 'approve', 'figureBad', 'figureLost', 'figureNaN', 'figureHangs']
const plainFaults = faultKinds.filter((kind) => !ownFaults.includes(kind))

export type Fault = {
	readonly kind: FaultKind
	/** At a time, or so long after the canary has been raised for the so-manieth time. */
	readonly at: { readonly ms: number } | { readonly raise: number; readonly afterMs: number }
	readonly forMs: number
	readonly proxy: number
}

export type Scenario = {
	readonly seed: number
	readonly policy: RolloutPolicySpec
	readonly from: Weights
	readonly to: Weights
	/** Whether there is a second route. */
	readonly second: SecondRoute['kind'] | undefined
	readonly secondQuality: Quality
	readonly proxies: number
	readonly requestsPerSecond: number
	readonly baseErrorShare: number
	readonly quality: Quality
	/** A change that is none of shares, which goes out by waves. */
	readonly treatment?: Treatment
	/** What its policy has beyond steps. */
	readonly extra?: Extra
	readonly faults: readonly Fault[]
}

export type Treatment = {
	/** Share of requests that fail where it is in force. */
	readonly errorShare: number
	/** Whether weights change in the same commit. */
	readonly weights: 'same' | 'other'
}

export function scenarioOf(seed: number, random: Random): Scenario {
	const plain = plainScenario(seed, random)
	const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
	const between = (from: number, to: number) => Math.round(from + random() * (to - from))
	const own = pick(['waves', 'waves', 'extra', 'extra', ...Array(4).fill('none')])
	if (own === 'waves') return withWaves(plain, pick, between)
	return own === 'extra' ? withExtra(plain, pick(extras), { pick, between }) : plain
}

type PickOne = <T>(list: readonly T[]) => T
type Between = (from: number, to: number) => number

function withWaves(plain: Scenario, pick: PickOne, between: Between): Scenario {
	const faults = Array.from({ length: pick([0, 0, 1]) }, (): Fault => {
		return { kind: pick(treatments), at: { ms: between(3_000, 40_000) }, forMs: 0, proxy: 0 }
	})
	const sharesPpm = pick<readonly number[]>([[], [500_000], [300_000, 600_000]])
	return {
		...plain,
		policy: { ...plain.policy, waves: { sharesPpm, minDurationMs: pick([0, between(1000, 5000)]) } },
		proxies: pick([1, 2, 3, 4]),
		treatment: { errorShare: pick([0, 0, 0, 1, 0.3]), weights: pick<Treatment['weights']>(['same', 'same', 'other']) },
		faults: [...plain.faults, ...faults],
	}
}

function plainScenario(seed: number, random: Random): Scenario {
	const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
	const between = (from: number, to: number) => Math.round(from + random() * (to - from))
	const faultCount = pick([0, 0, 1, 2, 3, 4, 5, 6])
	const faults = Array.from({ length: faultCount }, (): Fault => {
		const at = pick([{ ms: between(2_500, 30_000) }, { raise: between(1, 3), afterMs: between(0, 9_000) }])
		return { kind: pick(plainFaults), at, forMs: between(500, 12_000), proxy: between(0, 3) }
	})
	const qualities: readonly Quality[] = [
		{ kind: 'healthy' },
		{ kind: 'healthy' },
		{ kind: 'healthy' },
		{ kind: 'healthy' },
		{ kind: 'failing', fromPpm: 0, errorShare: 1, at: pick(['everywhere', 'oneProxy', 'oneZone']) },
		{ kind: 'failing', fromPpm: 400_000, errorShare: pick([0.6, 1]), at: 'everywhere' },
		{ kind: 'failing', fromPpm: 0, errorShare: 0.1, at: pick(['everywhere', 'oneProxy']) },
		{ kind: 'stalling' },
		{ kind: 'unresolved' },
	]
	const ways: readonly (readonly [Weights, Weights])[] = [
		[
			[100, 0],
			[0, 100],
		],
		[
			[100, 0],
			[75, 25],
		],
		[
			[75, 25],
			[0, 100],
		],
		[
			[3, 1],
			[1, 3],
		],
	]
	const [from, to] = pick(ways)
	return {
		seed,
		policy: policyOf(pick, between),
		from,
		to,
		second: pick<Scenario['second']>([undefined, undefined, undefined, 'independent', 'chained']),
		secondQuality: pick(qualities.slice(3, 6)),
		proxies: pick([1, 1, 2, 3]),
		requestsPerSecond: pick([200, 500, 1000]),
		baseErrorShare: pick([0, 0.001, 0.01]),
		quality: pick(qualities),
		faults,
	}
}

/** A canary with hardly any requests at some step, or nobody to be proven by but what is held back. */
export function isThin(scenario: Pick<Scenario, 'policy' | 'requestsPerSecond' | 'from' | 'to'>): boolean {
	const { policy, requestsPerSecond, from, to } = scenario
	const shares = policy.steps.map(({ sharePpm }) => sharePpm).filter((sharePpm) => sharePpm > 0)
	const [least, most] = [from, to].map(([stable, canary]) => (canary / (stable + canary)) * 1_000_000)
	const hasStep = shares.some((share) => share > (least ?? 0) && share < (most ?? 0))
	if (policy.holdBackPpm > 0 && !hasStep) return true
	return (Math.min(1_000_000, ...shares) / 1_000_000) * requestsPerSecond < 5
}

/** A scenario that was written down; what policies have had no field for then is as `scenarioOf` would first have it. */
export function readScenario(text: string): Scenario {
	const written = JSON.parse(text) as Scenario
	const plain = policyOf(
		<T>(list: readonly T[]) => list[0] as T,
		(from) => from,
	)
	return { ...written, policy: { ...plain, ...written.policy } }
}

/** What the simulated proxies always have some of. */
const testers = {
	kind: 'http',
	headers: [{ name: 'x-tester', invert: false, match: { kind: 'present' } }],
	queryParameters: [],
} as const

function policyOf(pick: PickOne, between: Between): RolloutPolicySpec {
	const ladders: readonly (readonly number[])[] = [
		[100_000, 500_000],
		[250_000],
		[100_000, 250_000, 500_000, 750_000],
		[1_000, 300_000],
		[],
	]
	const steps = pick(ladders).map((sharePpm) => ({
		...defaultRolloutStep,
		sharePpm,
		// None, some, and more than the first look of a step takes.
		minDurationMs: pick([0, between(0, 4000), between(7000, 12_000)]),
		minRequests: pick([0, 0, 50]),
	}))
	const beside = pick(['nothing', 'nothing', 'front', 'front alone first', 'mirror'] as const)
	const first = { ...defaultRolloutStep, sharePpm: 0, minDurationMs: between(0, 4000) }
	return {
		match: { virtualRouter: null, route: null },
		steps: beside === 'nothing' || beside === 'front' ? steps : [first, ...steps],
		front: beside === 'nothing' || beside === 'mirror' ? [] : [testers],
		mirrorPpm: beside === 'mirror' ? 250_000 : 0,
		sticky: pick([null, null, { kind: 'header', name: 'x-user' }] as const),
		holdBackPpm: pick([0, 0, 0, 10_000]),
		guards: [
			{
				kind: 'errors',
				alpha: 0.01,
				toleranceRatio: 1.25,
				tolerancePpm: 500,
				absoluteLimitPpm: 50_000,
				hardLimitPpm: 500_000,
			},
		],
		unguarded: null,
		deadlineMs: 600_000,
		onDeadline: 'hold',
		onNoTraffic: 'hold',
		onInconclusive: 'hold',
		onNoEvidence: pick(['hold', 'hold', 'rollBack']),
		onSharedIncident: 'hold',
		bakeMs: pick([between(1000, 6000), between(7000, 12_000)]),
		warmUpMs: pick([0, 1000, 3000]),
		waves: null,
		group: 'join',
		windows: [],
		hooks: [],
	}
}
