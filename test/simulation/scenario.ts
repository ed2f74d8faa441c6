import type { Random } from '#base/random.ts'
import type { RolloutPolicySpec } from '#mesh/mesh.ts'
import type { Wish } from './simulated-mesh.ts'

// What a seed stands for: one canary, its quality, its traffic, and what goes wrong around it.

export type Quality =
	| { readonly kind: 'healthy' }
	/** Errors from the given share on. */
	| { readonly kind: 'failing'; readonly fromPpm: number; readonly errorShare: number }
	/** Takes requests and never answers. */
	| { readonly kind: 'stalling' }
	/** Its name does not resolve. */
	| { readonly kind: 'unresolved' }

export const faultKinds = [
	'crashBeforeCommit',
	'crashAfterCommit',
	'crashAfterPublish',
	'storeFull',
	'silence',
	'disconnect',
	'refuse',
	'slowAck',
	'revert',
	'retarget',
	'newCanary',
	'newBaseline',
	'newPort',
	'dropStable',
	'unrelatedCommit',
	'syntaxError',
	'clockJump',
	'abort',
	'promote',
	'pause',
	'freeze',
] as const
export type FaultKind = (typeof faultKinds)[number]

export type Fault = { readonly kind: FaultKind; readonly atMs: number; readonly forMs: number; readonly proxy: number }

export type Scenario = {
	readonly seed: number
	readonly policy: RolloutPolicySpec
	readonly from: Wish['weights']
	readonly to: Wish['weights']
	readonly proxies: number
	readonly requestsPerSecond: number
	readonly baseErrorShare: number
	readonly quality: Quality
	readonly faults: readonly Fault[]
}

export function scenarioOf(seed: number, random: Random): Scenario {
	const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
	const between = (from: number, to: number) => Math.round(from + random() * (to - from))
	const ladders: readonly (readonly number[])[] = [
		[100_000, 500_000],
		[250_000],
		[100_000, 250_000, 500_000, 750_000],
		[1_000, 300_000],
		[],
	]
	const ladder = pick(ladders)
	const policy: RolloutPolicySpec = {
		match: { virtualRouter: null, route: null },
		steps: ladder.map((sharePpm) => ({
			sharePpm,
			// None, some, and more than the first look of a step takes.
			minDurationMs: pick([0, between(0, 4000), between(7000, 12_000)]),
			minRequests: pick([0, 0, 50]),
		})),
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
		deadlineMs: 600_000,
		onNoEvidence: pick(['hold', 'hold', 'rollBack']),
		bakeMs: pick([between(1000, 6000), between(7000, 12_000)]),
		warmUpMs: pick([0, 1000, 3000]),
		waves: null,
	}
	const faultCount = pick([0, 0, 1, 1, 2, 3, 4])
	const faults = Array.from({ length: faultCount }, () => ({
		kind: pick(faultKinds),
		atMs: between(2_500, 30_000),
		forMs: between(500, 12_000),
		proxy: between(0, 3),
	}))
	const [from, to] = pick<readonly [Wish['weights'], Wish['weights']]>([
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
	])
	return {
		seed,
		policy,
		from,
		to,
		proxies: pick([1, 1, 2, 3]),
		requestsPerSecond: pick([200, 500, 1000]),
		baseErrorShare: pick([0, 0.001, 0.01]),
		quality: pick<Quality>([
			{ kind: 'healthy' },
			{ kind: 'healthy' },
			{ kind: 'failing', fromPpm: 0, errorShare: 1 },
			{ kind: 'failing', fromPpm: 400_000, errorShare: pick([0.6, 1]) },
			{ kind: 'failing', fromPpm: 0, errorShare: 0.1 },
			{ kind: 'stalling' },
			{ kind: 'unresolved' },
		]),
		faults,
	}
}
