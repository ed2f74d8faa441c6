import { beforeEach, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { healthOf } from '#controller/health.ts'
import { type DaemonInMemory, startInMemory } from '../../fixtures/daemon-in-memory.ts'

let daemon: DaemonInMemory
beforeEach(async () => {
	daemon = await startInMemory()
})

test('a daemon with nothing to do is alive, however long ago its last turn is', async () => {
	await daemon.pass(10 * limits.aliveMs)
	expect(daemon.face.health()).toEqual({ stuck: null, notReady: null })
})

test('a main loop that stood still is told', () => {
	const nowMs = daemon.clock.monotonicMs()
	const health = healthOf({
		view: daemon.controller.view(),
		nowMs,
		beatMs: nowMs - limits.aliveMs - 1,
		serving: 'serving',
	})
	expect(health.stuck).toContain('the main loop stood still for 15 s')
})

test('a rollout without turns is told', async () => {
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(2_000)
	const nowMs = daemon.clock.monotonicMs() + limits.aliveMs + 1
	expect(healthOf({ view: daemon.controller.view(), nowMs, beatMs: nowMs, serving: 'serving' }).stuck).toContain(
		'no turn for 15 s',
	)
})

test('Git out of reach changes neither', async () => {
	daemon.controller.takeSource({ kind: 'unreachable', code: 'SL0001', message: 'no route to host', retryInMs: 1 })
	await daemon.pass(1_000)
	expect(daemon.face.health()).toEqual({ stuck: null, notReady: null })
	expect(daemon.face.status().source).toMatchObject({ kind: 'unreachable', text: 'SL0001: no route to host' })
})

test('a daemon that stops is alive and not ready', () => {
	daemon.stopFace()
	expect(daemon.face.health()).toEqual({ stuck: null, notReady: 'the daemon is stopping' })
})
