import { sha256Hex } from '#base/hash.ts'
import { limits } from '#base/limits.ts'
import type { Look } from '#guard/look.ts'
import type { Guard, ResourceId, RolloutPolicySpec, WavesSpec } from '#mesh/mesh.ts'
import { asksOfRoute, defaultErrorsGuard, defaultRolloutStep } from '#mesh/rollout-policy.ts'
import { type Target, wholePpm } from '#plan/plan.ts'
import { formatShare, shareOfAll } from '#plan/split.ts'
import type { FleetFacts } from './fleet-facts.ts'
import { isLastStep, splitInForce } from './ladder.ts'
import { isRunning, type Rollout, type RolloutStepResult, type Wave } from './rollout.ts'
import { startRollout } from './start-rollout.ts'

// A change that is none of shares goes out by waves: one proxy has it first, then some, then all (rules §4). It is a
// rollout like any other. What it shifts is proxies and not requests: from the cohort `stable` to the cohort `candidate`.

const stable: Target = { virtualNode: 'cohort/stable' as ResourceId, port: 0 }
const candidate: Target = { virtualNode: 'cohort/candidate' as ResourceId, port: 0 }

/** The share of the first wave: it stands for one proxy, however many there are. */
const oneProxyPpm = 1

export type WaveStart = {
	readonly id: string
	readonly mesh: ResourceId
	/** Hash of the mesh that candidates are served. */
	readonly candidate: string
	readonly changes: readonly ResourceId[]
	readonly policy: RolloutPolicySpec
	readonly waves: WavesSpec
	readonly quarantineKey: string
	readonly revision: string
	readonly wallMs: number
}

/** A rollout by waves that no proxy has anything of yet. */
export function startWaves({
	id,
	mesh,
	changes,
	policy,
	waves,
	quarantineKey,
	...start
}: WaveStart): Rollout & { readonly wave: Wave } {
	const step = { ...defaultRolloutStep, minDurationMs: waves.minDurationMs }
	const steps = [oneProxyPpm, ...waves.sharesPpm].map((sharePpm) => ({ ...step, sharePpm }))
	const shift = {
		kind: 'shift' as const,
		route: mesh,
		before: [{ ...stable, sharePpm: wholePpm }],
		after: [{ ...candidate, sharePpm: wholePpm }],
		rising: [candidate],
		falling: [stable],
		unit: 'requests' as const,
		policy: { ...policy, steps, sticky: null, holdBackPpm: 0, guards: guardsOfWave(policy) },
		quarantineKey,
	}
	const group = { ...shift, shifts: [shift] as const, overflow: 0 }
	const wave = { candidate: start.candidate, changes: changes.slice(0, limits.holdNames), first: null }
	return { ...startRollout({ id, group, revision: start.revision, wallMs: start.wallMs }), wave }
}

/** A wave has no canary that a query could name, and how long its requests take is not compared. Where no other guard is left, proof is asked for as by default. */
function guardsOfWave({ guards, unguarded }: RolloutPolicySpec): readonly Guard[] {
	const left = guards.filter((guard) => guard.kind === 'errors' || (guard.kind === 'threshold' && !asksOfRoute(guard)))
	return left.length === 0 && unguarded === null ? [defaultErrorsGuard] : left
}

/** The rollout by waves that is under way; there is one at most. */
export function runningWave(rollouts: readonly Rollout[]): Rollout | null {
	return rollouts.find((rollout) => isRunning(rollout) && rollout.wave !== null) ?? null
}

/** Whether candidates are served something of their own: it has begun, and is not on its way back. */
export function hasCandidates(rollout: Rollout): boolean {
	return rollout.wave !== null && isRunning(rollout) && rollout.phase.kind !== 'rollingBack' && rollout.step >= 0
}

export type WaveMember = {
	/** `mesh/apps/virtualNode/a#host-1`. */
	readonly key: string
	/** Null: it goes by its connection, and would be somebody else when it comes back. */
	readonly instance: string | null
}

/**
 * Whether a proxy is in a wave that has been reached. It depends on nothing but the proxy's own name, so it is the same
 * after a reconnect and a restart, and no wave gives a proxy back that an earlier one had.
 */
export function isCandidate(rollout: Rollout, proxy: WaveMember): boolean {
	if (rollout.wave === null || !hasCandidates(rollout)) return false
	if (isLastStep(rollout) || proxy.key === rollout.wave.first) return true
	if (rollout.step === 0 || proxy.instance === null) return false
	return placeInWaves(rollout.id, proxy.key) < (rollout.stepsPpm[rollout.step] ?? 0)
}

/** 0 … 999,999: evenly spread over proxies, and for each rollout otherwise. */
export function placeInWaves(rollout: string, proxyKey: string): number {
	return Math.floor((Number.parseInt(sha256Hex(`${rollout} ${proxyKey}`).slice(0, 12), 16) / 2 ** 48) * wholePpm)
}

/** Whoever would hold it is not there, and not expected: nobody can be harmed, and there is nothing to watch. */
export function isHeldByNobody({ wave }: Rollout, { expected, returning }: FleetFacts): boolean {
	return wave !== null && expected === 0 && !returning
}

/** Of waves it is whether the other proxies answered anything: where none is left, or all are idle, nothing can be compared. */
export function hasBaseline(rollout: Rollout, { canaries }: Look): boolean {
	if (rollout.lanes.some((lane) => shareOfAll(splitInForce(rollout, lane), rollout.baseline) === 0)) return false
	return rollout.wave === null || Object.values(canaries).some(({ final }) => final.baseline.requests > 0)
}

/**
 * Who had the change first has gone for good: another takes its place, and is given it, since without it a wave may have
 * nobody who would show anything. Null where nobody has gone; just after a start nobody is known to.
 */
export function replaceFirst(
	rollout: Rollout,
	{ firstCandidate = null, returning }: FleetFacts,
): RolloutStepResult | null {
	const { wave } = rollout
	if (wave === null || firstCandidate === null || returning) return null
	if (!hasCandidates(rollout) || isLastStep(rollout)) return null
	if (wave.first === firstCandidate) return null
	const reason = `${firstCandidate} is the first one now: ${wave.first ?? 'who was'} has gone`
	return {
		rollout: { ...rollout, wave: { ...wave, first: firstCandidate }, confirmed: false },
		notes: [{ event: 'rollout.firstReplaced', actor: 'sluice', reason, numbers: { first: firstCandidate } }],
	}
}

/** `one proxy`, `10 % of the proxies`, `all proxies`. */
export function describeWave(rollout: Rollout, step: number): string {
	if (step < 0) return 'no proxy'
	if (step === rollout.stepsPpm.length - 1) return 'all proxies'
	return step === 0 ? 'one proxy' : `${formatShare(rollout.stepsPpm[step] ?? 0)} of the proxies`
}
