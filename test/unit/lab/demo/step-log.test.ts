import { expect, test } from 'vitest'
import type { JournalTold } from '#lab/demo/daemon-api.ts'
import { createStepLog, type SeenRollout } from '#lab/demo/step-log.ts'
import { markAtWall, markNow } from '#lab/mark.ts'

function rollout(brief: Partial<SeenRollout>): SeenRollout {
	const steps = [
		{ text: '10 %', canarySharePpm: 100_000, shares: [] },
		{ text: '25 %', canarySharePpm: 250_000, shares: [] },
	]
	return { id: 'r#1', phase: 'stepping', step: 1, confirmed: true, endedAt: null, steps, ...brief }
}

const begin = markNow()
const at = (ms: number) => markAtWall(begin.wallMs + ms)

function entry(event: string, ms: number): JournalTold {
	const time = new Date(begin.wallMs + ms).toISOString()
	return { sequence: 1, time, event, rollout: 'r#1', actor: 'sluice', reason: '', numbers: {} }
}

test('a step lasts from its confirmation to the next decision', () => {
	const log = createStepLog()
	log.noteStatus([rollout({ confirmed: false })], at(100))
	expect(log.records()).toEqual([])
	log.noteStatus([rollout({})], at(200))
	log.noteStatus([rollout({})], at(300))
	log.noteEntry(entry('rollout.held', 400))
	expect(log.find('r#1', 1)).toMatchObject({ steps: 2, canarySharePpm: 100_000, until: null })
	log.noteEntry(entry('rollout.advanced', 3000))
	log.noteStatus([rollout({ step: 2 })], at(3100))
	log.noteEntry(entry('rollout.succeeded', 8000))
	const spans = log.records().map(({ step, from, until }) => ({
		step,
		from: Math.round(from.wallMs - begin.wallMs),
		until: Math.round((until?.wallMs ?? 0) - begin.wallMs),
	}))
	expect(spans).toEqual([
		{ step: 1, from: 200, until: 3000 },
		{ step: 2, from: 3100, until: 8000 },
	])
})

test('what is confirmed of a rollout on its way back or at its end is no step', () => {
	const log = createStepLog()
	log.noteStatus([rollout({ phase: 'rollingBack' })], at(0))
	log.noteStatus([rollout({ phase: 'rolledBack', endedAt: '2026-01-01T00:00:00Z' })], at(100))
	log.noteStatus([rollout({ step: 0 })], at(200))
	expect(log.records()).toEqual([])
})

test('a decision that comes late does not end the step that followed it', () => {
	const log = createStepLog()
	log.noteStatus([rollout({})], at(0))
	log.noteStatus([rollout({ step: 2 })], at(3100))
	log.noteEntry(entry('rollout.advanced', 3000))
	expect(log.find('r#1', 1)?.until).not.toBeNull()
	expect(log.find('r#1', 2)?.until).toBeNull()
})
