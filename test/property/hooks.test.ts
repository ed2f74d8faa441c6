// Whatever hooks answer, and whenever: no step without the yes of each gate, no way back but by the word, and none that waits.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HookPoint, HookSpec } from '#mesh/hook-spec.ts'
import { defaultHook } from '#mesh/rollout-policy.ts'
import type { HookAnswer } from '#rollout/hook-state.ts'
import { closedGates, hookCallId, watchHolds } from '#rollout/hooks.ts'
import type { Rollout, RolloutEvent } from '#rollout/rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import { stepRollout } from '#rollout/step-rollout.ts'
import { count, seed } from '../depth.ts'
import { shiftGroup } from '../fixtures/shift-group.ts'
import { alarm, look, policy, shift, turn } from '../unit/rollout/played.ts'

const points: readonly HookPoint[] = ['start', 'step', 'promotion', 'watch', 'ended', 'event']
const hooks: readonly HookSpec[] = points.map((point) => ({
	name: point,
	point,
	url: 'https://hooks.example/',
	secret: 's',
	...defaultHook,
}))
const command = { actor: 'ada', reason: 'r' }

type Move =
	| { readonly kind: 'answers'; readonly hook: number; readonly said: HookAnswer['kind']; readonly stepsAgo: 0 | 1 }
	| { readonly kind: 'looks' | 'fails' | 'promote' | 'pause' | 'resume' | 'restart' | 'abort' }
	| { readonly kind: 'passes'; readonly ms: number }

const answersOf = (...said: HookAnswer['kind'][]) =>
	fc.record({
		kind: fc.constant('answers' as const),
		hook: fc.nat({ max: hooks.length - 1 }),
		said: fc.constantFrom(...said),
		stepsAgo: fc.constantFrom(...([0, 0, 0, 0, 1] as const)),
	})
const moves = fc.array(
	fc.oneof(
		{ weight: 120, arbitrary: answersOf('allow') },
		{ weight: 10, arbitrary: answersOf('hold', 'failed') },
		{ weight: 1, arbitrary: answersOf('rollBack') },
		{ weight: 40, arbitrary: fc.constant({ kind: 'looks' as const }) },
		{
			weight: 80,
			arbitrary: fc.record({ kind: fc.constant('passes' as const), ms: fc.constantFrom(100, 4_000, 11_000) }),
		},
		{
			weight: 2,
			arbitrary: fc.record({
				kind: fc.constantFrom(...(['fails', 'promote', 'pause', 'resume', 'restart', 'abort'] as const)),
			}),
		},
	),
	{ minLength: 60, maxLength: 120 },
)

function eventOf(move: Move, rollout: Rollout): RolloutEvent {
	switch (move.kind) {
		case 'answers': {
			const hook = hooks[move.hook]
			if (hook === undefined) throw new Error('there is such a hook')
			const asked = { ...rollout, step: Math.max(-1, rollout.step - move.stepsAgo) }
			const answer: HookAnswer = move.said === 'allow' ? { kind: 'allow' } : { kind: move.said, reason: 'so' }
			return { kind: 'hook', hook: hook.name, call: hookCallId(asked, hook), step: asked.step, answer }
		}
		case 'looks':
			return look(rollout.step, 2_000)
		case 'fails':
			return alarm
		case 'restart':
			return { kind: 'boot', downMs: 1_000 }
		case 'passes':
			return turn(move.ms)
		case 'promote':
		case 'pause':
		case 'resume':
		case 'abort':
			return { kind: move.kind, command }
	}
}

test('a step has the yes of each gate, and a way back waits for none', () => {
	const shifted = { ...shift, policy: { ...policy, hooks } }
	const seen = { steps: 0, demands: 0, succeeded: 0 }
	fc.assert(
		fc.property(moves, (walk) => {
			let rollout = startRollout({ id: 'B/B#1', group: shiftGroup(shifted), revision: 'c1', wallMs: 0 })
			for (const move of walk) {
				const event = eventOf(move, rollout)
				const { rollout: next } = stepRollout(rollout, event, 1)
				const isRunning = !['rollingBack', 'rolledBack', 'aborted', 'succeeded'].includes(rollout.phase.kind)
				if (next.step > rollout.step || (next.phase.kind === 'succeeded' && isRunning)) {
					seen.steps += 1
					if (next.phase.kind === 'succeeded') seen.succeeded += 1
					expect(event.kind, 'only a turn moves').toBe('turn')
					if (rollout.promotion === null) expect([closedGates(rollout), watchHolds(rollout)]).toEqual([[], []])
				}
				if (next.phase.kind === 'rollingBack' && isRunning && event.kind === 'hook') {
					seen.demands += 1
					expect(event.answer.kind).toBe('rollBack')
				}
				if (event.kind === 'alarm' && isRunning) expect(next.phase.kind).toBe('rollingBack')
				const isDemand = event.kind === 'hook' && event.answer.kind === 'rollBack' && event.hook === 'watch'
				if (isDemand && isRunning && rollout.step >= 0) expect(next.phase.kind).toBe('rollingBack')
				if (next.phase.kind === 'rollingBack') expect(next.hooks).toEqual({})
				rollout = next
			}
		}),
		{ numRuns: count(300, 10_000), seed: seed() },
	)
	expect(Math.min(seen.steps, seen.demands, seen.succeeded), JSON.stringify(seen)).toBeGreaterThan(10)
})
