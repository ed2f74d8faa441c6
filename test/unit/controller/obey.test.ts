import { beforeEach, describe, expect, test } from 'vitest'
import type { ControllerCommand } from '#controller/commands.ts'
import { type DaemonInMemory, startInMemory, twoSteps } from '../../fixtures/daemon-in-memory.ts'

let daemon: DaemonInMemory
beforeEach(async () => {
	daemon = await startInMemory()
})

const rollout = 'B/B#1'
const who = { actor: 'dana', reason: 'INC-311' }
const ask = (kind: Exclude<ControllerCommand['kind'], 'accept' | 'adopt'>) =>
	daemon.command({ kind, rollout, ...who } as ControllerCommand)
const newest = () => daemon.face.status().rollouts[0]

async function journalled(event: string) {
	const journal = await daemon.face.readJournal(0, 1000)
	return journal.map(({ entry }) => entry).filter((entry) => entry.event === event)
}

describe('pause', () => {
	beforeEach(async () => {
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(4_000)
		expect(await ask('pause')).toMatchObject({ kind: 'done' })
	})

	test('stops it where it is, and says who and why', async () => {
		await daemon.pass(60_000)
		const { headline } = daemon.face.status()
		expect(newest()).toMatchObject({ phase: 'paused', step: 1, pausedBy: who })
		expect(headline).toEqual({
			level: 'held',
			text: expect.stringMatching(/^B\/B#1: paused by dana \(INC-311\), step 1/),
		})
		expect(await journalled('rollout.paused')).toMatchObject([{ rollout, ...who }])
	})

	test('the guard goes on: a canary that fails is taken back', async () => {
		daemon.failCanary(1)
		await daemon.pass(15_000)
		expect(newest()).toMatchObject({ phase: 'rolledBack', cause: { by: 'guard' }, pausedBy: null })
	})

	test('resume lets it go on to the end', async () => {
		await daemon.pass(20_000)
		expect(await ask('resume')).toMatchObject({ kind: 'done' })
		await daemon.pass(40_000)
		expect(newest()?.phase).toBe('succeeded')
		expect(await journalled('rollout.resumed')).toMatchObject([{ rollout, ...who }])
	})

	test.for([
		{ kind: 'pause', code: 'NOT_POSSIBLE', text: 'B/B#1 is paused already, by dana: INC-311' },
		{ kind: 'promote', code: 'PAUSED', text: 'B/B#1 is paused by dana (INC-311): resume it first' },
		{ kind: 'promoteFull', code: 'PAUSED', text: 'B/B#1 is paused by dana (INC-311): resume it first' },
	] as const)('$kind is refused: $code', async ({ kind, code, text }) => {
		expect(await ask(kind)).toEqual({ kind: 'refused', code, text })
	})
})

describe('promote to the target', () => {
	test('takes all steps without the proof, and then bakes', async () => {
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(1_000)
		expect(newest()).toMatchObject({ step: 1, phase: 'stepping' })
		expect(await ask('promoteFull')).toMatchObject({ kind: 'done' })
		expect(newest()).toMatchObject({ step: 2, endedAt: null, promotedBy: null })
		expect(await ask('promoteFull')).toMatchObject({ kind: 'refused', code: 'NOT_POSSIBLE' })
		expect(await journalled('rollout.promote')).toMatchObject([{ ...who, numbers: { reach: 'target' } }])
	})
})

describe('approve', () => {
	const [step] = twoSteps.steps

	test('opens the gate, which alone kept it', async () => {
		if (step === undefined) throw new Error('there is one')
		daemon.commit({ weights: [1, 1], policy: { ...twoSteps, steps: [{ ...step, gate: 'person' }] } })
		await daemon.pass(60_000)
		expect(newest()).toMatchObject({ step: 1, phase: 'held', holds: [{ code: 'GATE' }], approvedBy: null })
		expect(await ask('approve')).toMatchObject({ kind: 'done' })
		expect(newest()).toMatchObject({ step: 2, approvedBy: null })
		expect(await journalled('rollout.approved')).toMatchObject([{ rollout, ...who }])
		expect((await journalled('rollout.advanced')).at(-1)?.numbers).toMatchObject({ approvedBy: 'dana' })
	})

	test('is refused where there is no gate, and a second time', async () => {
		if (step === undefined) throw new Error('there is one')
		daemon.commit({ weights: [1, 1], policy: { ...twoSteps, steps: [{ ...step, gate: 'person' }] } })
		await daemon.pass(1_000)
		expect(await ask('approve')).toMatchObject({ kind: 'done' })
		expect(newest()?.approvedBy).toBe('dana')
		expect(await ask('approve')).toMatchObject({ text: 'B/B#1: dana has approved step 1 already' })
		await ask('promote')
		expect(await ask('approve')).toMatchObject({ text: 'B/B#1 waits at no gate: step 2 has none' })
	})
})

describe('windows', () => {
	test('nothing starts and nothing steps outside them', async () => {
		// It is 14:13 UTC on a Monday when the clock of these tests begins.
		const hours = { days: [1], fromMinute: 14 * 60 + 15, toMinute: 14 * 60 + 16, timeZone: 'UTC' }
		daemon.commit({ weights: [1, 1], policy: { ...twoSteps, windows: [hours] } })
		await daemon.pass(30_000)
		const { rollouts, heldBack, headline } = daemon.face.status()
		expect(rollouts).toEqual([])
		expect(heldBack).toMatchObject([{ code: 'WINDOW', reason: 'outside its windows: monday 14:15–14:16 UTC' }])
		expect(headline.level).toBe('held')
		while (daemon.face.status().rollouts.length === 0) await daemon.pass(5_000)
		expect(new Date(daemon.clock.wallMs()).toISOString()).toMatch(/T14:15:0/)
		await daemon.command({ kind: 'pause', rollout, ...who })
		await daemon.pass(60_000)
		await daemon.command({ kind: 'resume', rollout, ...who })
		await daemon.pass(30_000)
		expect(newest()).toMatchObject({ step: 1, phase: 'held', holds: [{ code: 'WINDOW' }] })
		daemon.failCanary(1)
		await daemon.pass(15_000)
		expect(newest()?.phase).toBe('rolledBack')
	})
})

test('what is not paused cannot be resumed', async () => {
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(1_000)
	expect(await ask('resume')).toEqual({ kind: 'refused', code: 'NOT_POSSIBLE', text: 'B/B#1 is not paused' })
})

describe('abort by a ramp', () => {
	const byRamp = () => daemon.command({ kind: 'abortByRamp', rollout, overMs: 90_000, ...who })
	beforeEach(async () => {
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(4_000)
	})

	test('it goes down part by part, says so, and is in quarantine when it is over', async () => {
		expect(await byRamp()).toMatchObject({ kind: 'done' })
		await daemon.pass(35_000)
		const text =
			/^B\/B#1: going back by a ramp over 90 s, 60 % of the way left: B .* · Bv2 .*, 2\/2 proxies confirmed: INC-311$/
		expect(daemon.face.status().headline).toMatchObject({ level: 'moving', text: expect.stringMatching(text) })
		await daemon.pass(60_000)
		expect(newest()).toMatchObject({ phase: 'aborted', quarantined: true, cause: who })
		expect(await journalled('rollout.ramping')).toHaveLength(9)
	})

	test('a canary that fails meanwhile is taken back at once', async () => {
		await byRamp()
		daemon.failCanary(1)
		await daemon.pass(10_000)
		expect(newest()).toMatchObject({ phase: 'rolledBack', cause: { by: 'guard' } })
	})

	test.for([
		{ change: { weights: [1, 0] as const, stable: 'kept' as const }, what: 'a revert' },
		{ change: { weights: [0, 1] as const }, what: 'another target' },
		{ change: { hostname: 'b2-new.local' }, what: 'another canary' },
	])('$what in Git does not end it: it would jump where a person wants it to go slowly', async ({ change }) => {
		await byRamp()
		daemon.commit(change)
		await daemon.pass(30_000)
		expect(newest()).toMatchObject({ id: rollout, phase: 'ramping' })
		await daemon.pass(70_000)
		const ended = daemon.face.status().rollouts.find(({ id }) => id === rollout)
		expect(ended?.phase).toBe('aborted')
	})

	test('a daemon that dies meanwhile goes on with it', async () => {
		await byRamp()
		await daemon.pass(30_000)
		await daemon.restart()
		await daemon.pass(15_000)
		expect(newest()).toMatchObject({ phase: 'ramping' })
		await daemon.pass(60_000)
		expect(newest()?.phase).toBe('aborted')
	})

	test('all that is left to ask for is that it goes back at once', async () => {
		await byRamp()
		const text = 'B/B#1 goes back by a ramp already, by dana (INC-311): abort it to go back at once'
		for (const kind of ['pause', 'promote', 'promoteFull', 'resume', 'approve'] as const)
			expect(await ask(kind)).toEqual({ kind: 'refused', code: 'NOT_POSSIBLE', text })
		expect(await byRamp()).toEqual({ kind: 'refused', code: 'NOT_POSSIBLE', text })
		expect(await ask('retry')).toMatchObject({ kind: 'refused', code: 'NOT_RUNNING' })
		expect(await ask('abort')).toMatchObject({ kind: 'done' })
		await daemon.pass(1_000)
		expect(newest()?.phase).toBe('aborted')
	})

	test('what gets lost without the store is refused: an abort at once is not', async () => {
		daemon.fillDisk()
		await daemon.pass(2_000)
		expect(await byRamp()).toMatchObject({ kind: 'refused', code: 'NOT_DURABLE' })
		expect(await ask('abort')).toMatchObject({ kind: 'done' })
	})
})
