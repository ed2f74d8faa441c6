import { beforeEach, describe, expect, test } from 'vitest'
import { createMetrics } from '#api/metrics.ts'
import { renderStatus } from '#cli/status-text.ts'
import { hookNoticesOf } from '#controller/hook-calls.ts'
import type { HookPoint, HookSpec } from '#mesh/hook-spec.ts'
import { defaultHook } from '#mesh/rollout-policy.ts'
import type { HookAnswer } from '#rollout/hook-state.ts'
import type { JournalEntry } from '#store/store.ts'
import { type DaemonInMemory, startInMemory, twoSteps } from '../../fixtures/daemon-in-memory.ts'

let daemon: DaemonInMemory

beforeEach(async () => {
	daemon = await startInMemory()
})

const hook = (point: HookPoint): HookSpec => ({ name: point, point, url: 'http://h/', secret: 's', ...defaultHook })

function start(...points: HookPoint[]): void {
	daemon.commit({ weights: [1, 1], policy: { ...twoSteps, hooks: points.map(hook) } })
}

/** Answers the call of this hook that is wanted now. */
function answer(point: HookPoint, said: HookAnswer): void {
	const call = daemon.called().find(({ hook }) => hook.point === point)
	if (call === undefined) throw new Error(`${point} is not called`)
	daemon.controller.takeHook({
		kind: 'hook',
		rollout: call.rollout,
		hook: point,
		call: call.id,
		step: call.step,
		answer: said,
	})
}

const points = () => daemon.called().map(({ hook }) => hook.point)
const rollout = () => daemon.face.status().rollouts[0]
const events = async () => (await daemon.face.readJournal(0, 500)).map(({ entry }) => entry)
const yes: HookAnswer = { kind: 'allow' }

describe('who is called', () => {
	test('a gate when the step is due, with what is in force and what would be', async () => {
		start('start', 'promotion')
		await daemon.pass(2_000)
		expect(daemon.called()).toEqual([
			{
				rollout: 'B/B#1',
				hook: hook('start'),
				id: expect.stringMatching(/^[0-9a-f]{32}$/),
				step: -1,
				about: {
					rollout: expect.objectContaining({
						id: 'B/B#1',
						phase: 'pending',
						step: 0,
						steps: 2,
						reason: null,
						lanes: [
							{
								routes: ['mesh/apps/virtualRouter/B/route/B'],
								shares: {
									now: [
										{ virtualNode: 'B', port: 80, sharePpm: 1_000_000 },
										{ virtualNode: 'Bv2', port: 80, sharePpm: 0 },
									],
									next: [
										{ virtualNode: 'B', port: 80, sharePpm: 900_000 },
										{ virtualNode: 'Bv2', port: 80, sharePpm: 100_000 },
									],
									good: expect.anything(),
									target: expect.anything(),
								},
							},
						],
					}),
				},
			},
		])
		answer('start', yes)
		await daemon.pass(1_000)
		expect([rollout()?.step, points()]).toEqual([1, []])
		await daemon.pass(20_000)
		expect([rollout()?.step, points()]).toEqual([1, ['promotion']])
	})

	test('nobody while it is paused, and by its gates none that was promoted', async () => {
		start('start')
		await daemon.pass(2_000)
		const by = { rollout: 'B/B#1', actor: 'ada', reason: 'r' }
		await daemon.command({ kind: 'pause', ...by })
		expect(points()).toEqual([])
		await daemon.command({ kind: 'resume', ...by })
		expect(points()).toEqual(['start'])
		await daemon.command({ kind: 'promote', ...by })
		expect([rollout()?.step, points()]).toEqual([1, []])
	})

	test('who watches for as long as canaries have a share; then who hears of the end', async () => {
		start('watch', 'ended')
		await daemon.pass(2_000)
		expect(points()).toEqual(['watch'])
		answer('watch', { kind: 'rollBack', reason: 'orders are lost' })
		await daemon.pass(2_000)
		expect(rollout()).toMatchObject({ phase: 'rolledBack', cause: { by: 'hook', reason: 'watch: orders are lost' } })
		expect(daemon.called().map(({ about }) => about.rollout)).toMatchObject([
			{ phase: 'rolledBack', reason: 'watch: orders are lost', lanes: [{ shares: { next: null } }] },
		])
		answer('ended', yes)
		await daemon.pass(1_000)
		expect(points()).toEqual([])
		await daemon.restart()
		await daemon.pass(15_000)
		expect(points(), 'who has heard it is not told again').toEqual([])
	})

	test('after a restart the same gate, by the same id', async () => {
		start('start')
		await daemon.pass(2_000)
		const [before] = daemon.called()
		await daemon.restart()
		await daemon.pass(15_000)
		expect(daemon.called().map(({ id }) => id)).toEqual([before?.id])
		answer('start', yes)
		await daemon.pass(1_000)
		expect(rollout()?.step).toBe(1)
	})
})

describe('what an answer does', () => {
	test('a no holds, in the words of the hook, and the journal has it', async () => {
		start('start')
		await daemon.pass(2_000)
		answer('start', { kind: 'hold', reason: 'CHG-1 is not approved' })
		await daemon.pass(1_000)
		expect(rollout()?.holds).toEqual([{ code: 'HOOK', text: 'start: CHG-1 is not approved' }])
		expect(renderStatus(daemon.face.status(), { color: false })).toContain(
			'hook      start (start): CHG-1 is not approved',
		)
		answer('start', yes)
		await daemon.pass(1_000)
		const told = (await events()).filter(({ event }) => event === 'rollout.hook')
		expect(told.map(({ reason, rollout }) => [rollout, reason])).toEqual([
			['B/B#1', 'start does not allow step 1: CHG-1 is not approved'],
			['B/B#1', 'start allows step 1'],
		])
	})

	test('a canary that fails goes back while every hook hangs', async () => {
		start('promotion', 'watch')
		await daemon.pass(3_000)
		daemon.failCanary(1)
		await daemon.pass(6_000)
		expect(rollout()).toMatchObject({ phase: 'rolledBack', cause: { by: 'guard' } })
		expect(points()).toEqual([])
	})

	test('that it goes back is heard though others come after it before the turn, and though the disk is full', async () => {
		start('watch')
		await daemon.pass(2_000)
		daemon.fillDisk()
		answer('watch', { kind: 'rollBack', reason: 'orders are lost' })
		answer('watch', yes)
		await daemon.pass(1_000)
		expect(rollout()?.text).toMatch(/^rolled back, not yet durable/)
	})

	test('metrics count each call', async () => {
		const metrics = createMetrics({ face: daemon.face, version: '1' })
		daemon.observe({ kind: 'hook', hook: 'gate', point: 'step', outcome: 'failed' })
		expect(await metrics.render()).toContain('sluice_hook_calls_total{hook="gate",point="step",outcome="failed"} 1')
	})
})

test('each record about the rollout is told to who wants to hear it, once, by an id of its own', async () => {
	start('event', 'ended')
	await daemon.pass(3_000)
	const entries = await events()
	const { rollouts } = daemon.controller.view().state
	const notices = entries.flatMap((entry: JournalEntry) => hookNoticesOf(entry, rollouts))
	expect(notices.map(({ about }) => (about.event as JournalEntry).event)).toEqual([
		'rollout.started',
		'rollout.advanced',
	])
	expect(notices[0]).toMatchObject({
		rollout: 'B/B#1',
		hook: { point: 'event' },
		about: { event: { actor: 'sluice', time: expect.stringMatching(/Z$/) }, rollout: { id: 'B/B#1' } },
	})
	expect(new Set(notices.map(({ id }) => id)).size).toBe(2)
})
