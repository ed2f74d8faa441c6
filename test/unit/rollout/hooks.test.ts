import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import type { HookPoint, HookSpec } from '#mesh/hook-spec.ts'
import { defaultHook } from '#mesh/rollout-policy.ts'
import type { HookAnswer } from '#rollout/hook-state.ts'
import { hookCallId, unheardOf } from '#rollout/hooks.ts'
import { retargetRollout } from '#rollout/retarget-rollout.ts'
import type { Rollout, RolloutEvent, RolloutNote } from '#rollout/rollout.ts'
import { startRollout } from '#rollout/start-rollout.ts'
import { stepRollout } from '#rollout/step-rollout.ts'
import { takeBackEnded } from '#rollout/take-back-ended.ts'
import { shiftGroup } from '../../fixtures/shift-group.ts'
import { badLook, codesOf, look, play, policy, shift, split, turn } from './played.ts'

const hook = (point: HookPoint, name: string = point): HookSpec => ({
	name,
	point,
	url: 'https://hooks.example/',
	secret: 's',
	...defaultHook,
})

function hooked(...hooks: HookSpec[]): Rollout {
	return startRollout({
		id: 'B/B#1',
		group: shiftGroup({ ...shift, policy: { ...policy, hooks } }),
		revision: 'c1',
		wallMs: 0,
	})
}

/** What a hook answers to the call about the step in force. */
function answer(rollout: Rollout, name: string, said: HookAnswer): RolloutEvent {
	const asked = rollout.policy.hooks.find((each) => each.name === name)
	if (asked === undefined) throw new Error(`there is no hook ${name}`)
	return { kind: 'hook', hook: name, call: hookCallId(rollout, asked), step: rollout.step, answer: said }
}

function hear(rollout: Rollout, name: string, said: HookAnswer): Rollout {
	return play(rollout, answer(rollout, name, said))
}

function notesOf(rollout: Rollout, event: RolloutEvent): readonly RolloutNote[] {
	return stepRollout(rollout, event, 1).notes
}

const yes: HookAnswer = { kind: 'allow' }
const no: HookAnswer = { kind: 'hold', reason: 'the ticket is not approved' }
const silence: HookAnswer = { kind: 'failed', reason: 'no answer within 10 s' }
const goBack: HookAnswer = { kind: 'rollBack', reason: 'orders are lost' }

describe('a gate', () => {
	test('is asked when nothing else is missing, and opens with the first yes', () => {
		const waiting = play(hooked(hook('start')), turn(100, { connected: 0, current: 0 }))
		expect(waiting.hooks, 'nobody is asked about what could not be done').toEqual({})
		const asked = play(waiting, turn(100))
		expect([asked.step, asked.phase.kind, asked.hooks]).toEqual([-1, 'pending', { start: { kind: 'asked', forMs: 0 } }])
		expect(play(hear(asked, 'start', yes), turn(100)).step).toBe(0)
	})

	test('that does not answer soon is told of; that says no, in its own words', () => {
		const asked = play(hooked(hook('start')), turn(100), turn(limits.ackGraceMs))
		expect(asked.holds).toEqual([{ code: 'HOOK', text: 'start has not answered yet' }])
		const closed = play(hear(asked, 'start', no), turn(100))
		expect([closed.step, closed.phase.kind, closed.holds]).toEqual([
			-1,
			'held',
			[{ code: 'HOOK', text: 'start: the ticket is not approved' }],
		])
		expect(play(hear(closed, 'start', silence), turn(100)).holds).toEqual([
			{ code: 'HOOK', text: 'start: no answer within 10 s' },
		])
		expect(play(hear(closed, 'start', yes), turn(100)).step).toBe(0)
	})

	test.for<{ point: HookPoint; before: readonly number[] }>([
		{ point: 'start', before: [1] },
		{ point: 'step', before: [1, 2, 3] },
		{ point: 'promotion', before: [3] },
		{ point: 'watch', before: [] },
		{ point: 'ended', before: [] },
		{ point: 'event', before: [] },
	])('$point is asked before the steps $before, and none after the last', ({ point, before }) => {
		const asked: number[] = []
		let rollout = hooked(hook(point))
		for (let turns = 0; turns < 40 && rollout.phase.kind !== 'succeeded'; turns += 1) {
			if (rollout.step >= 0) rollout = play(rollout, look(rollout.step, 2_000))
			if (point === 'watch' && rollout.step >= 0) rollout = hear(rollout, point, yes)
			rollout = play(rollout, turn(5_000))
			if (point === 'watch' || rollout.hooks[point]?.kind !== 'asked') continue
			asked.push(rollout.step + 2)
			rollout = hear(rollout, point, yes)
		}
		expect([rollout.phase.kind, asked]).toEqual(['succeeded', before])
	})

	test('its yes is for one step', () => {
		const first = hear(play(hooked(hook('step')), turn(100)), 'step', yes)
		const next = play(first, turn(100), look(0, 2_000), turn(11_000))
		expect([next.step, next.hooks]).toEqual([0, { step: { kind: 'asked', forMs: 0 } }])
		const late = answer(first, 'step', yes)
		expect(play(next, late, turn(100)).step, 'an answer to the call about the first step').toBe(0)
	})

	test('all of several must say yes', () => {
		const asked = play(hooked(hook('start'), hook('step')), turn(100))
		const half = play(hear(asked, 'start', yes), turn(100))
		expect([half.step, half.hooks.start]).toEqual([-1, { kind: 'allowed' }])
		expect(play(hear(half, 'step', yes), turn(100)).step).toBe(0)
	})

	test('a person may pass over it, and not over who takes back', () => {
		const asked = hear(play(hooked(hook('start')), turn(100)), 'start', no)
		const promoted = play(asked, { kind: 'promote', command: { actor: 'ada', reason: 'r' } }, turn(100))
		expect(promoted.step).toBe(0)
		expect(hear(asked, 'start', goBack).phase).toMatchObject({
			kind: 'rollingBack',
			cause: { by: 'hook', reason: 'start: orders are lost' },
		})
	})

	test('waiting for it counts for the deadline of its step, and not for that of the rollout', () => {
		const open = play(hear(play(hooked(hook('start')), turn(100)), 'start', no), turn(100))
		const days = play(open, ...Array.from({ length: 48 }, () => turn(3_600_000)))
		expect([days.phase.kind, codesOf(days), days.elapsed.totalMs < policy.deadlineMs]).toEqual(['held', ['HOOK'], true])
		const steps = policy.steps.map((step) => ({ ...step, deadlineMs: 60_000 }))
		const impatient = { ...policy, steps, onDeadline: 'rollBack' as const, hooks: [hook('promotion')] }
		const rollout = startRollout({
			id: 'B/B#1',
			group: shiftGroup({ ...shift, policy: impatient }),
			revision: 'c1',
			wallMs: 0,
		})
		const second = play(rollout, turn(100), look(0, 2_000), turn(11_000), look(1, 2_000), turn(11_000))
		expect([second.step, second.hooks.promotion?.kind]).toEqual([1, 'asked'])
		const late = play(hear(second, 'promotion', silence), look(1, 2_000), turn(60_000))
		expect(late.phase).toMatchObject({ kind: 'rollingBack', cause: { by: 'deadline' } })
	})

	test('a step that its policy takes for want of requests still waits for it', () => {
		const steps = policy.steps.map((step) => ({ ...step, deadlineMs: 60_000 }))
		const bold = { ...policy, steps, onNoTraffic: 'advance' as const, onDeadline: 'rollBack' as const }
		const hooks = [hook('promotion')]
		const shifted = { ...shift, policy: { ...bold, hooks } }
		let rollout = startRollout({ id: 'B/B#1', group: shiftGroup(shifted), revision: 'c1', wallMs: 0 })
		const idle = (step: number) => [turn(56_000), look(step, 0), turn(5_000)]
		rollout = play(rollout, turn(100), ...idle(0), ...idle(1), look(1, 0), turn(5_000))
		expect([rollout.step, rollout.phase.kind, codesOf(rollout)]).toEqual([1, 'held', ['HOOK']])
		expect(play(hear(rollout, 'promotion', yes), look(1, 0), turn(100)).step).toBe(2)
	})

	test('after a restart it is asked again about the same', () => {
		const asked = play(hooked(hook('start')), turn(100))
		const restarted = play(asked, { kind: 'boot', downMs: 1_000 })
		expect(restarted.hooks).toEqual({})
		const again = play(restarted, turn(100))
		expect(again.hooks).toEqual({ start: { kind: 'asked', forMs: 0 } })
		expect(hookCallId(again, hook('start'))).toBe(hookCallId(asked, hook('start')))
	})

	test('what it said of another commit does not count', () => {
		const asked = play(hooked(hook('step')), turn(100))
		const change = { after: split(20, 80), policy: { ...policy, hooks: [hook('step')] }, quarantineKey: 'k2' }
		const other = retargetRollout(asked, shiftGroup({ ...shift, ...change }), 'c2')
		if (other === null) throw new Error('nothing has moved, so it can be led elsewhere')
		expect([other.hooks, play(other, answer(asked, 'step', yes), turn(100)).step]).toEqual([{}, -1])
	})

	test('the journal hears of the first no and of the yes, not of each', () => {
		const asked = play(hooked(hook('start')), turn(100))
		const [first] = notesOf(asked, answer(asked, 'start', no))
		expect(first).toEqual({
			event: 'rollout.hook',
			actor: 'sluice',
			reason: 'start does not allow step 1: the ticket is not approved',
			numbers: { hook: 'start', point: 'start', answer: 'hold', step: 0 },
		})
		const closed = hear(asked, 'start', no)
		expect(notesOf(closed, answer(closed, 'start', silence))).toEqual([])
		expect(notesOf(closed, answer(closed, 'start', yes))[0]?.reason).toBe('start allows step 1')
	})
})

describe('who watches', () => {
	const stepped = () => play(hooked(hook('watch')), turn(100))

	test('is asked from the first step on, and takes it back in every phase', () => {
		expect(hear(hooked(hook('watch')), 'watch', goBack).phase.kind).toBe('pending')
		const paused = play(stepped(), { kind: 'pause', command: { actor: 'ada', reason: 'r' } })
		for (const rollout of [stepped(), paused]) {
			expect(hear(rollout, 'watch', goBack).phase).toMatchObject({ kind: 'rollingBack', cause: { by: 'hook' } })
		}
	})

	test('no answer is no good news: without one of this step there is no next one', () => {
		const without = play(stepped(), look(0, 2_000), turn(11_000))
		expect([without.step, without.holds]).toEqual([0, [{ code: 'HOOK', text: 'watch: no answer yet' }]])
		expect(play(hear(without, 'watch', yes), turn(100)).step).toBe(1)
		const lost = play(hear(hear(without, 'watch', yes), 'watch', silence), turn(100))
		expect([lost.step, lost.holds[0]?.text]).toEqual([0, 'watch: no answer within 10 s'])
	})

	test('what it said of the step before is no yes to this one, and a demand all the same', () => {
		const first = stepped()
		const next = play(hear(first, 'watch', yes), look(0, 2_000), turn(11_000))
		expect([next.step, next.hooks]).toEqual([1, {}])
		expect(play(next, answer(first, 'watch', yes)).hooks).toEqual({})
		expect(play(next, answer(first, 'watch', goBack)).phase.kind).toBe('rollingBack')
	})

	test('one that is lost counts for the deadline of the rollout', () => {
		const lost = play(stepped(), look(0, 2_000), turn(11_000), look(0, 2_000))
		const late = play(lost, ...Array.from({ length: 40 }, () => [turn(60_000), look(0, 2_000)]).flat())
		expect(codesOf(late)).toContain('DEADLINE')
	})
})

describe('a way back', () => {
	test('waits for no hook, whatever it has said', () => {
		for (const said of [no, silence]) {
			const first = hear(play(hooked(hook('start'), hook('step'), hook('watch')), turn(100)), 'start', yes)
			const stepped = play(hear(first, 'step', yes), turn(100))
			expect(stepped.step).toBe(0)
			const closed = hear(hear(stepped, 'watch', said), 'watch', said)
			const back = play(closed, badLook(0), badLook(0), badLook(0), badLook(0))
			expect([back.phase.kind, back.hooks]).toEqual(['rollingBack', {}])
			expect(play(back, turn(100)).phase.kind).toBe('rolledBack')
			expect(hear(back, 'watch', goBack)).toBe(back)
		}
	})
})

describe('the end', () => {
	const ended = () =>
		play(hooked(hook('ended')), turn(100), { kind: 'abort', command: { actor: 'a', reason: 'r' } }, turn(100))

	test('is told until somebody has heard it, and not again after a restart', () => {
		expect([ended().phase.kind, unheardOf(ended()).map(({ name }) => name)]).toEqual(['aborted', ['ended']])
		const told = hear(ended(), 'ended', no)
		expect(unheardOf(told), 'any answer is one').toEqual([])
		expect(play(told, { kind: 'boot', downMs: 5 })).toBe(told)
		expect(notesOf(ended(), answer(ended(), 'ended', yes))[0]?.reason).toBe('ended was told of the end')
		expect(hear(told, 'ended', yes)).toBe(told)
	})

	test('that nobody hears is given up, and the journal says so', () => {
		const [note] = notesOf(ended(), answer(ended(), 'ended', silence))
		expect(note?.reason).toBe('ended was not told of the end, and is called no more: no answer within 10 s')
		expect(unheardOf(hear(ended(), 'ended', silence))).toEqual([])
	})

	test('of what is taken back after it had succeeded is told once more', () => {
		let rollout = play(hooked(hook('ended')), turn(100))
		for (const step of [0, 1, 2])
			rollout = play(rollout, look(step, 2_000), turn(11_000), look(step, 2_000), turn(10_000))
		expect(rollout.phase.kind).toBe('succeeded')
		const told = hear(rollout, 'ended', yes)
		const back = takeBackEnded(told, { by: 'rollback', actor: 'ada', reason: 'r' }, told.lanes).rollout
		const over = play(back, turn(100))
		expect([over.phase.kind, unheardOf(over).length]).toEqual(['rolledBack', 1])
		expect(play(over, answer(rollout, 'ended', yes)), 'that it succeeded was another end').toBe(over)
	})
})

test('with loud hooks, as many as there may be, the state stays small', () => {
	const hooks = ['a', 'b', 'c', 'd', 'e'].map((letter) => hook('start', letter.repeat(32)))
	const asked = play(hooked(...hooks), turn(100))
	const words: HookAnswer = { kind: 'hold', reason: 'x'.repeat(10_000) }
	const loud = play(
		hooks.reduce((rollout, { name }) => hear(rollout, name, words), asked),
		turn(100),
	)
	expect(codesOf(loud)).toHaveLength(5)
	const written = JSON.stringify(hooks).length + JSON.stringify(loud.hooks).length
	expect(JSON.stringify(loud.hooks).length).toBeLessThan(1_000)
	expect(JSON.stringify(loud).length - written).toBeLessThanOrEqual(limits.rolloutStateBytes)
})
