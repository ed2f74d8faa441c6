import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { describeInForce } from '#rollout/describe-step.ts'
import { frontOf } from '#rollout/front.ts'
import type { Rollout, RolloutEvent } from '#rollout/rollout.ts'
import { stepRollout } from '#rollout/step-rollout.ts'
import { alarm, badLook, codesOf, fresh, look, play, turn } from './played.ts'

const command = { actor: 'dana', reason: 'B has been scaled down' }
const overMs = 90_000
const byRamp: RolloutEvent = { kind: 'abortByRamp', command, overMs }
/** At 50 %. */
const stepped = () => play(fresh(), turn(100), look(0, 2000), turn(10_500))
const partsLeft = ({ phase }: Rollout) => (phase.kind === 'ramping' ? phase.ramp.partsLeft : null)

test('it goes down in equal parts, and is aborted within its time when all have confirmed', () => {
	let rollout = play(stepped(), byRamp)
	const shares: string[] = []
	let elapsedMs = 0
	while (rollout.phase.kind === 'ramping') {
		shares.push(describeInForce(rollout))
		rollout = play(rollout, turn(10_000))
		elapsedMs += 10_000
	}
	expect(shares).toEqual(
		[45, 40, 35, 30, 25, 20, 15, 10, 5].map((percent) => `B ${100 - percent} % · Bv2 ${percent} %`),
	)
	expect(elapsedMs).toBe(overMs)
	expect(rollout.phase).toEqual({ kind: 'rollingBack', cause: { by: 'command', ...command } })
	expect(play(rollout, turn(100)).phase.kind).toBe('aborted')
})

test('each move is told with what it leads from and to, and by whom', () => {
	const { rollout, notes } = stepRollout(stepped(), byRamp, 1)
	const numbers = { from: 'B 50 % · Bv2 50 %', to: 'B 55 % · Bv2 45 %', partsLeft: 9, parts: 10, overMs }
	expect(notes).toEqual([{ event: 'rollout.ramping', ...command, numbers }])
	const between = stepRollout(rollout, turn(100), 1)
	expect([between.notes, partsLeft(between.rollout)]).toEqual([[], 9])
})

test('the journal has all of the reason, and the state as much of it as there is room for', () => {
	const reason = 'r'.repeat(limits.apiReasonChars)
	const { rollout, notes } = stepRollout(
		stepped(),
		{ kind: 'abortByRamp', command: { actor: 'dana', reason }, overMs },
		1,
	)
	expect(notes[0]?.reason).toBe(reason)
	expect(rollout.phase).toMatchObject({ cause: { reason: `${'r'.repeat(limits.holdTextChars)}…` } })
})

test('nothing takes it forward any more: no proof, no promotion, no resume', () => {
	const wishes: RolloutEvent[] = (['promote', 'promoteFull', 'approve', 'pause', 'resume'] as const).map((kind) => ({
		kind,
		command,
	}))
	const rollout = play(stepped(), byRamp, ...wishes, look(1, 90_000), turn(9_000), look(1, 90_000))
	expect([rollout.phase.kind, describeInForce(rollout)]).toEqual(['ramping', 'B 55 % · Bv2 45 %'])
	expect(describeInForce(play(rollout, turn(1_500)))).toBe('B 60 % · Bv2 40 %')
})

describe('the rest goes back at once', () => {
	test.for<{ why: string; events: () => RolloutEvent[]; by: string }>([
		{ why: 'an alarm', events: () => [alarm], by: 'guard' },
		{ why: 'the tests', events: () => [badLook(1), badLook(1), badLook(1), badLook(1)], by: 'guard' },
		{ why: 'another abort', events: () => [{ kind: 'abort', command }], by: 'command' },
		{ why: 'proxies that refuse a part', events: () => [turn(100, { rejectedShare: 0.6 })], by: 'rejected' },
	])('by $why', ({ events, by }) => {
		const ramping = play(stepped(), byRamp)
		const rollout = play(ramping, ...events())
		expect(rollout.phase).toMatchObject({ kind: 'rollingBack', cause: { by } })
		expect(describeInForce(rollout)).toBe('B 100 % · Bv2 0 %')
	})

	test('before the first step, where there is nothing to go down by', () => {
		expect(play(fresh(), byRamp).phase.kind).toBe('rollingBack')
	})
})

describe('a part waits, and the end does not', () => {
	test.for<{ why: string; held: (elapsedMs: number) => RolloutEvent; code: string }>([
		{ why: 'the store does not answer', held: (ms) => turn(ms, {}, false), code: 'NOT_DURABLE' },
		{
			why: 'last good has no healthy host',
			held: (ms) => turn(ms, { stranded: ['p1'] }),
			code: 'LAST_GOOD_UNHEALTHY',
		},
	])('while $why', ({ held, code }) => {
		const rollout = play(stepped(), byRamp, held(10_000))
		expect([partsLeft(rollout), codesOf(rollout)]).toEqual([9, [code]])
		const later = play(rollout, turn(20_000))
		expect([partsLeft(later), codesOf(later)]).toEqual([6, []])
		expect(play(rollout, held(overMs)).phase.kind).toBe('rollingBack')
	})
})

test('its time goes on while the daemon is away', () => {
	const rollout = play(stepped(), byRamp, { kind: 'boot', downMs: 30_000 }, turn(100))
	expect(partsLeft(rollout)).toBe(6)
	expect(play(rollout, { kind: 'boot', downMs: overMs }, turn(100)).phase.kind).toBe('rollingBack')
})

test('neither freezes nor windows hold it', () => {
	const frozen = { code: 'FROZEN', text: 'frozen' } as const
	expect(partsLeft(play(stepped(), byRamp, turn(10_000, {}, true, [frozen])))).toBe(8)
})

test('what is in front goes with the first move', () => {
	const front = [{ kind: 'http' as const, headers: [], queryParameters: [] }]
	const withFront = (rollout: Rollout): Rollout => ({ ...rollout, policy: { ...rollout.policy, front } })
	const standing = (rollout: Rollout) => frontOf(withFront(rollout), rollout.lanes[0])?.standing
	expect([standing(stepped()), standing(play(stepped(), byRamp))]).toEqual(['routed', 'beside'])
})

test('what is said with it has its place in the state', () => {
	const long = { actor: 'a'.repeat(limits.apiActorChars), reason: 'r'.repeat(limits.apiReasonChars) }
	const stranded = Array.from({ length: 500 }, (_, index) => `mesh/apps/virtualNode/frontend#ip-10-0-0-${index}`)
	const rollout = play(stepped(), { kind: 'abortByRamp', command: long, overMs }, turn(10_000, { stranded }))
	expect(codesOf(rollout)).toEqual(['LAST_GOOD_UNHEALTHY'])
	expect(JSON.stringify(rollout).length).toBeLessThanOrEqual(limits.rolloutStateBytes)
})
