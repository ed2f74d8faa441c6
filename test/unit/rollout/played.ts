// A rollout with two steps and no more in its policy than that, and events for it.
import type { Look, MetricLook } from '#guard/look.ts'
import { resourceId } from '#mesh/mesh.ts'
import { defaultRolloutPolicySpec, defaultRolloutStep } from '#mesh/rollout-policy.ts'
import type { Shift } from '#plan/plan.ts'
import { splitOfWeights, targetKey } from '#plan/split.ts'
import type { FleetFacts } from '#rollout/fleet-facts.ts'
import type { Hold, Rollout, RolloutEvent } from '#rollout/rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import { stepRollout } from '#rollout/step-rollout.ts'
import { calm } from '../../fixtures/calm-fleet.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'

export const stable = { virtualNode: resourceId.virtualNode('apps', 'B'), port: 80 }
export const canary = { virtualNode: resourceId.virtualNode('apps', 'Bv2'), port: 80 }
export const split = (left: number, right: number) =>
	splitOfWeights([
		{ ...stable, weight: left },
		{ ...canary, weight: right },
	])
export const policy = {
	...defaultRolloutPolicySpec,
	steps: [10, 50].map((percent) => ({ ...defaultRolloutStep, sharePpm: percent * 10_000, minDurationMs: 10_000 })),
	bakeMs: 20_000,
	warmUpMs: 2_000,
}
export const shift: Shift = {
	kind: 'shift',
	route: resourceId.route('apps', 'B', 'B'),
	before: split(100, 0),
	after: split(0, 100),
	rising: [canary],
	falling: [stable],
	unit: 'requests',
	policy,
	quarantineKey: 'key',
}

export function fresh(): Rollout {
	return startRollout({ id: 'B/B#1', group: shiftGroup(shift), revision: 'c1', wallMs: 0 })
}

export function play(rollout: Rollout, ...events: RolloutEvent[]): Rollout {
	return events.reduce((state, event) => stepRollout(seen(state, event), event, 1).rollout, rollout)
}

/** What all have ACKed was seen by the turn before: time counts from there. */
function seen(rollout: Rollout, event: RolloutEvent): Rollout {
	const isConfirmed =
		event.kind === 'turn' && event.facts.connected > 0 && event.facts.current === event.facts.connected
	return isConfirmed ? { ...rollout, confirmed: true } : rollout
}

export function turn(
	elapsedMs: number,
	facts: Partial<FleetFacts> = {},
	forward = true,
	bars: Hold[] = [],
): RolloutEvent {
	return { kind: 'turn', elapsedMs, facts: { ...calm, ...facts }, forward, bars }
}

/** A look's canaries, where the one has the same in all of its measures. */
export function atCanary(metric: MetricLook): Look['canaries'] {
	const all = { final: metric, attempts: metric, absolute: metric, latency: [], share: null, withoutWorst: null }
	return { [targetKey(canary)]: all }
}

let sequence = 0

/** Looks are numbered by each boot. */
export function numberAnew(): void {
	sequence = 0
}

/** A look with so many canary requests and no error: enough of them prove that the canary is no worse. */
export function look(step: number, requests: number, change: Partial<Look> = {}): RolloutEvent {
	sequence += 1
	const metric: MetricLook = {
		canary: { requests, errors: 0 },
		baseline: { requests: requests * 9, errors: 0 },
		logFactors: Array.from({ length: 12 }, () => 0),
		proofs: [0, 0.1, 0.25, 0.5, 0.75].map((goodness) => 0.005 * requests * (1 - goodness)),
	}
	const proxies = { expected: 2, fresh: 2, silent: [] }
	return {
		kind: 'look',
		step,
		look: {
			sequence,
			stepStart: false,
			warmingUp: false,
			beside: { requests: 0, errors: 0 },
			baselineTimes: null,
			canaries: atCanary(metric),
			proxies,
			...change,
		},
	}
}

export const alarm: RolloutEvent = {
	kind: 'alarm',
	alarm: {
		kind: 'errors',
		by: 'shares',
		canary: targetKey(canary),
		proxy: 'p',
		counts: { canary: { requests: 40, errors: 40 }, baseline: { requests: 300, errors: 0 } },
	},
}

/** Four of them are evidence enough: none may count for more than a third. */
export function badLook(step: number): RolloutEvent {
	const metric: MetricLook = {
		canary: { requests: 1000, errors: 500 },
		baseline: { requests: 9000, errors: 0 },
		logFactors: Array.from({ length: 12 }, () => 1000),
		proofs: Array.from({ length: 5 }, () => -1000),
	}
	return look(step, 1000, {
		canaries: atCanary(metric),
	})
}

export function silentLook(step: number): RolloutEvent {
	return look(step, 0, { proxies: { expected: 2, fresh: 1, silent: ['p2'] } })
}

export const codesOf = (rollout: Rollout) => rollout.holds.map(({ code }) => code)
