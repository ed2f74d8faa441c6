import { describe, expect, test } from 'vitest'
import type { RolloutPolicySpec, RolloutStep } from '#mesh/mesh.ts'
import type { Hold, Rollout, RolloutEvent } from '#rollout/rollout.ts'
import { codesOf, fresh, look, play, silentLook, turn } from './played.ts'

const command = { actor: 'dana', reason: 'seen it' }
const deadlineMs = 60_000

/** At its first step, which has what is given. */
function stepped(step: Partial<RolloutStep>, change: Partial<RolloutPolicySpec> = {}): Rollout {
	const rollout = fresh()
	const [first, ...others] = rollout.policy.steps
	if (first === undefined) throw new Error('there are steps')
	const policy = { ...rollout.policy, ...change, steps: [{ ...first, ...step }, ...others] }
	return play({ ...rollout, policy }, turn(100))
}

/** Time passes with looks of so many canary requests each. */
function wait(ms: number, requests: number): RolloutEvent[] {
	return Array.from({ length: Math.ceil(ms / 5_000) }, () => [turn(5_000), look(0, requests)]).flat()
}

describe('a gate', () => {
	const gated = () => stepped({ gate: 'person' })

	test('keeps a proven step until somebody opens it', () => {
		const waiting = play(gated(), look(0, 2000), turn(11_000))
		expect([waiting.step, waiting.phase.kind, codesOf(waiting)]).toEqual([0, 'held', ['GATE']])
		const opened = play(waiting, { kind: 'approve', command }, turn(100))
		expect([opened.step, opened.approval]).toEqual([1, null])
	})

	test('may be opened before the proof is there, which is waited for all the same', () => {
		const opened = play(gated(), { kind: 'approve', command }, look(0, 50), turn(11_000))
		expect([opened.step, codesOf(opened)]).toEqual([0, ['MORE_REQUESTS']])
		expect(play(opened, look(0, 2000), turn(100)).step).toBe(1)
	})

	test('is passed by a promote', () => {
		expect(play(gated(), look(0, 2000), turn(11_000), { kind: 'promote', command }, turn(100)).step).toBe(1)
	})

	test('may take longer than the rollout, but not longer than its step', () => {
		const waiting = () => play(stepped({ gate: 'person' }, { deadlineMs: 30_000 }), look(0, 2000), turn(11_000))
		const opened = play(waiting(), turn(100_000), { kind: 'approve', command }, look(0, 10), turn(100))
		expect(opened.step).toBe(1)
		const limited = play(
			stepped({ gate: 'person', deadlineMs }),
			look(0, 2000),
			turn(11_000),
			look(0, 10),
			turn(50_000),
		)
		expect(codesOf(limited)).toContain('DEADLINE')
	})
})

describe('a step that takes longer than it may', () => {
	const cases: [string, Partial<RolloutPolicySpec>, RolloutEvent[], string, string][] = [
		['no request came: hold', {}, wait(65_000, 0), 'held', 'DEADLINE MORE_REQUESTS'],
		['no request came: roll back', { onNoTraffic: 'rollBack' }, wait(65_000, 0), 'rollingBack', 'noTraffic'],
		['no request came: advance', { onNoTraffic: 'advance' }, wait(65_000, 0), 'stepping', '1'],
		['too few came: hold', { onNoTraffic: 'advance' }, wait(65_000, 2), 'held', 'DEADLINE MORE_REQUESTS'],
		['too few came: roll back', { onInconclusive: 'rollBack' }, wait(65_000, 2), 'rollingBack', 'inconclusive'],
		['too few came: advance', { onInconclusive: 'advance' }, wait(65_000, 2), 'stepping', '1'],
		['before it, nothing of the kind', { onInconclusive: 'advance' }, wait(55_000, 2), 'held', 'MORE_REQUESTS'],
	]
	test.for(cases)('%s', ([, change, events, phase, what]) => {
		const rollout = play(stepped({ deadlineMs }, change), ...events)
		const told = { held: codesOf(rollout).sort().join(' '), stepping: String(rollout.step) }
		expect(rollout.phase.kind).toBe(phase)
		if (rollout.phase.kind === 'rollingBack') expect(rollout.phase.cause.by).toBe(what)
		else expect(told[rollout.phase.kind as 'held' | 'stepping']).toBe(what)
	})

	const advancing = { onNoTraffic: 'advance', onInconclusive: 'advance' } as const
	const frozen: Hold[] = [{ code: 'FROZEN', text: 'frozen' }]
	test.for<{ why: string; last: RolloutEvent[] }>([
		{ why: 'silence', last: [turn(66_000)] },
		{ why: 'a look that a proxy had no part in', last: [turn(66_000), silentLook(0), turn(100)] },
		{
			why: 'a proxy that has not ACKed',
			last: [turn(61_000, { current: 1, pending: ['p'] }), look(0, 0), turn(4_000, { current: 1, pending: ['p'] })],
		},
		{ why: 'a target that is not ready', last: [turn(61_000, notReady()), look(0, 0), turn(4_000, notReady())] },
		{ why: 'a freeze', last: [turn(61_000), look(0, 0), turn(4_000, {}, true, frozen)] },
	])('never advances past $why', ({ last }) => {
		const rollout = play(stepped({ deadlineMs }, advancing), ...last)
		expect([rollout.step, rollout.phase.kind]).toEqual([0, 'held'])
	})

	test('never advances past a gate', () => {
		const rollout = play(stepped({ deadlineMs, gate: 'person' }, advancing), ...wait(65_000, 0))
		expect([rollout.step, codesOf(rollout)]).toEqual([0, expect.arrayContaining(['GATE', 'DEADLINE'])])
	})

	test('goes back where the policy says so, whatever it waits for', () => {
		const change = { onDeadline: 'rollBack' } as const
		const unready = play(stepped({ deadlineMs }, change), turn(61_000, notReady()))
		expect(unready.phase).toMatchObject({ kind: 'rollingBack', cause: { by: 'deadline' } })
		const late = play(stepped({}, { ...change, deadlineMs: 30_000 }), turn(31_000))
		expect(late.phase).toMatchObject({ kind: 'rollingBack', cause: { by: 'deadline', reason: 'not done after 30 s' } })
	})

	test('says in the journal that nothing was proven', () => {
		const waiting = play(stepped({ deadlineMs }, advancing), turn(61_000), look(0, 0))
		const next = play(waiting, turn(100))
		expect(next.step).toBe(1)
		expect(play(next, turn(1)).elapsed.stepTotalMs, 'the next step has its own deadline').toBe(1)
	})

	test('counts the time that the daemon was away', () => {
		const rollout = play(stepped({ deadlineMs }), { kind: 'boot', downMs: deadlineMs }, look(0, 2000), turn(11_000))
		expect([rollout.step, codesOf(rollout)]).toEqual([0, ['DEADLINE']])
	})
})

test('a step may have a warm-up of its own', () => {
	const rollout = play(stepped({ warmUpMs: 60_000 }), look(0, 0), turn(30_000), look(0, 0), turn(100))
	expect([rollout.phase.kind, rollout.holds], 'nothing is missing yet').toEqual(['stepping', []])
})

function notReady() {
	return { notReady: [{ proxy: 'p', target: 't', host: 'h', why: 'noHost' as const }] }
}
