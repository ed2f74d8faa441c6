import type { RolloutStep } from '#mesh/mesh.ts'
import { wholePpm } from '#plan/plan.ts'
import type { FakeProxy, Shares } from './fake-fleet.ts'
import { canaryCluster, stableCluster } from './simulated-mesh.ts'

// What must always hold (design: "What must always hold"), seen from outside: from what proxies are sent and hold, never
// from what the controller says of itself.

export type Violation = { readonly invariant: string; readonly atMs: number; readonly text: string }

export type Invariants = {
	readonly violations: readonly Violation[]
	violate(invariant: string, text: string): void
	/** Git asked for something: shares may rise again. `goodPpm`: the canary's, where a rollout under way began. */
	asked(weights: readonly [number, number], goodPpm: number | null): void
	/** What was asked for last is another canary than the one under way, which goes back before the new one rises. */
	replaced(): void
	promoted(): void
	published(before: Shares | null, after: Shares): void
	delivered(proxy: FakeProxy, before: Shares | null, after: Shares): void
	restarted(): void
}

export type InvariantOptions = {
	readonly nowMs: () => number
	readonly proxies: () => readonly FakeProxy[]
	readonly sharesOf: (proxy: FakeProxy) => Shares | null
	readonly steps: readonly RolloutStep[]
	/** The hosts of the canary really answer at a proxy. */
	readonly freshMs: number
}

export function createInvariants({ nowMs, proxies, sharesOf, steps, freshMs }: InvariantOptions): Invariants {
	const violations: Violation[] = []
	const stepsPpm = steps.map(({ sharePpm }) => sharePpm)
	// Whichever of the two targets rises, the ladder is in its shares.
	const allowed = new Set(stepsPpm.flatMap((share) => [share, wholePpm - share]))
	/** The lowest share published since something was last asked for, once it had fallen. */
	let ceiling: number | null = null
	let highest: number | null = null
	let mayPromote = false
	/** A step was taken: before that, a share that is also a step's is only where it all began. */
	let raised = false
	/** A fall that makes way for another canary. A crash may undo it before it was written down: then it comes again. */
	let makesWay: 'no' | 'expected' | 'done' = 'no'
	let bootedMs = 0
	let sharesSinceMs = 0
	/** The cluster that Git wants to have more: what is said of a canary is said of it. */
	let rising: string | null = canaryCluster
	let last: Shares | null = null

	function violate(invariant: string, text: string): void {
		violations.push({ invariant, atMs: nowMs(), text })
	}

	return {
		violations,
		violate,
		asked([stable, canary], goodPpm) {
			const wanted = Math.round((canary / (stable + canary)) * wholePpm)
			allowed.add(wanted)
			const from = goodPpm ?? last?.get(canaryCluster) ?? 0
			const wins = wanted < from ? stableCluster : canaryCluster
			// The one that rose falls first, so that the other rises without a step: nothing of this kind can be checked then.
			if (goodPpm === null) rising = wins
			else if (wins !== rising && wanted !== from) rising = null
			ceiling = null
			highest = null
		},
		replaced() {
			makesWay = 'expected'
		},
		promoted() {
			mayPromote = true
		},
		restarted() {
			bootedMs = nowMs()
			if (makesWay === 'done') makesWay = 'expected'
		},
		published(before, after) {
			last = after
			if (rising === null) return
			const share = after.get(rising) ?? 0
			const was = before?.get(rising) ?? highest ?? 0
			if (share < was) raised = false
			if (makesWay === 'expected' && share < was) {
				makesWay = 'done'
				highest = null
			}
			if (highest !== null && share < highest) ceiling = Math.min(ceiling ?? share, share)
			if (before !== null && share > was) {
				checkRaise(rising, was, share)
				raised = true
				if (makesWay === 'done') makesWay = 'no'
			}
			if (share !== was) sharesSinceMs = nowMs()
			highest = Math.max(highest ?? 0, share)
		},
		delivered(proxy, before, after) {
			const sum = [...after.values()].reduce((total, part) => total + part, 0)
			const share = rising === null ? 0 : (after.get(rising) ?? 0)
			const was = rising === null ? 0 : (before?.get(rising) ?? share)
			if (ceiling !== null && share > was && share > ceiling) {
				violate(
					'4: after a way back the canary never rises',
					`${was} → ${share} ppm at ${proxy.proxy.key}, once at ${ceiling}`,
				)
			}
			if (Math.abs(sum - wholePpm) > 5) violate('1: shares sum to the whole', `${sum} ppm at ${proxy.proxy.key}`)
			const canary = after.get(canaryCluster) ?? 0
			if (![...allowed].some((step) => Math.abs(step - canary) <= 1)) {
				violate('1: shares are those of a decided step', `${canary} ppm at ${proxy.proxy.key}`)
			}
		},
	}

	function checkRaise(cluster: string, from: number, to: number): void {
		const promoted = mayPromote
		mayPromote = false
		const present = proxies().filter(({ connected }) => connected)
		// They are few: one that is missing is more than a tenth.
		const missing = proxies().find(({ connected }) => !connected)
		if (missing !== undefined)
			violate('5: no step forward while proxies are missing', `${from} → ${to} ppm without ${missing.proxy.key}`)
		for (const target of present) {
			const held = sharesOf(target)?.get(cluster) ?? 0
			if (held !== from)
				violate('5: no step forward before all have ACKed', `${from} → ${to} ppm, ${target.proxy.key} holds ${held}`)
		}
		const demanded = raised ? (steps.find(({ sharePpm }) => sharePpm === from)?.minDurationMs ?? 0) : 0
		if (!promoted && nowMs() - sharesSinceMs < demanded)
			violate(
				'5: a step lasts as long as it must',
				`${from} → ${to} ppm after ${nowMs() - sharesSinceMs} of ${demanded} ms`,
			)
		for (const { proxy, reportedHealthy, lastFlushMs } of present) {
			if ((reportedHealthy.get(cluster) ?? 0) < 1) {
				const text = `${from} → ${to} ppm while ${proxy.key} has no healthy host`
				violate('3: no weight to a target that is not ready', text)
			}
			if (!promoted && (nowMs() - lastFlushMs > freshMs || lastFlushMs < bootedMs)) {
				const text = `${from} → ${to} ppm, ${proxy.key} silent since ${lastFlushMs}`
				violate('2: no step forward without fresh evidence', text)
			}
		}
		const seen = present.reduce((sum, { canaryRequestsSinceChange }) => sum + canaryRequestsSinceChange, 0)
		if (!promoted && cluster === canaryCluster && from > 0 && ceiling === null && hasStepped(from) && seen === 0) {
			violate('2: no step forward without fresh evidence', `${from} → ${to} ppm with no canary request`)
		}
	}

	/** The share in force is one that a rollout reached, not the one it started from. */
	function hasStepped(share: number): boolean {
		return raised && stepsPpm.includes(share) && highest === share
	}
}
