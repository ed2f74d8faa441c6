import { beforeEach, describe, expect, test } from 'vitest'
import type { ControllerCommand } from '#controller/commands.ts'
import { type DaemonInMemory, startInMemory } from '../../fixtures/daemon-in-memory.ts'

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

test('what is not paused cannot be resumed', async () => {
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(1_000)
	expect(await ask('resume')).toEqual({ kind: 'refused', code: 'NOT_POSSIBLE', text: 'B/B#1 is not paused' })
})
