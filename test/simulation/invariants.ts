import { wholePpm } from '#plan/plan.ts'
import type { FakeProxy, Shares } from './fake-fleet.ts'
import { canaryCluster } from './simulated-mesh.ts'

// What must always hold (design: "What must always hold"), seen from outside: from what proxies are sent and hold, never
// from what the controller says of itself.

export type Violation = { readonly invariant: string; readonly atMs: number; readonly text: string }

export type Invariants = {
	readonly violations: readonly Violation[]
	/** Git, or a person, asked for something: shares may rise again. */
	asked(weights: readonly (readonly [number, number])[]): void
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
	readonly stepsPpm: readonly number[]
	/** The hosts of the canary really answer at a proxy. */
	readonly freshMs: number
}

export function createInvariants({ nowMs, proxies, stepsPpm, freshMs }: InvariantOptions): Invariants {
	const violations: Violation[] = []
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

	function violate(invariant: string, text: string): void {
		violations.push({ invariant, atMs: nowMs(), text })
	}

	return {
		violations,
		asked(weights) {
			for (const [stable, canary] of weights) {
				allowed.add(Math.round((canary / (stable + canary)) * wholePpm))
			}
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
			const share = after.get(canaryCluster) ?? 0
			const was = before?.get(canaryCluster) ?? highest ?? 0
			if (makesWay === 'expected' && share < was) {
				makesWay = 'done'
				raised = false
				highest = null
			}
			if (highest !== null && share < highest) ceiling = Math.min(ceiling ?? share, share)
			if (before !== null && share > was) {
				checkRaise(was, share)
				raised = true
				if (makesWay === 'done') makesWay = 'no'
			}
			highest = Math.max(highest ?? 0, share)
		},
		delivered(proxy, before, after) {
			const sum = [...after.values()].reduce((total, share) => total + share, 0)
			const share = after.get(canaryCluster) ?? 0
			const was = before?.get(canaryCluster) ?? share
			if (ceiling !== null && share > was && share > ceiling) {
				violate(
					'4: after a way back the canary never rises',
					`${was} → ${share} ppm at ${proxy.proxy.key}, once at ${ceiling}`,
				)
			}
			if (Math.abs(sum - wholePpm) > 5) violate('1: shares sum to the whole', `${sum} ppm at ${proxy.proxy.key}`)
			if (![...allowed].some((step) => Math.abs(step - share) <= 1)) {
				violate('1: shares are those of a decided step', `${share} ppm at ${proxy.proxy.key}`)
			}
		},
	}

	function checkRaise(from: number, to: number): void {
		const promoted = mayPromote
		mayPromote = false
		const present = proxies().filter(({ connected }) => connected)
		for (const { proxy, reportedHealthy, lastFlushMs } of present) {
			if ((reportedHealthy.get(canaryCluster) ?? 0) < 1) {
				const text = `${from} → ${to} ppm while ${proxy.key} has no healthy host`
				violate('3: no weight to a target that is not ready', text)
			}
			if (!promoted && (nowMs() - lastFlushMs > freshMs || lastFlushMs < bootedMs)) {
				const text = `${from} → ${to} ppm, ${proxy.key} silent since ${lastFlushMs}`
				violate('2: no step forward without fresh evidence', text)
			}
		}
		const seen = present.reduce((sum, { canaryRequestsSinceChange }) => sum + canaryRequestsSinceChange, 0)
		if (!promoted && from > 0 && ceiling === null && hasStepped(from) && seen === 0) {
			violate('2: no step forward without fresh evidence', `${from} → ${to} ppm with no canary request`)
		}
	}

	/** The share in force is one that a rollout reached, not the one it started from. */
	function hasStepped(share: number): boolean {
		return raised && stepsPpm.includes(share) && highest === share
	}
}
