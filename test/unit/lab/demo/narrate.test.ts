import { expect, test } from 'vitest'
import type { JournalTold } from '#lab/demo/daemon-api.ts'
import { narrate } from '#lab/demo/narrate.ts'

function entry(event: string, numbers: JournalTold['numbers'] = {}): JournalTold {
	return { sequence: 1, time: '', event, rollout: 'r#1', actor: 'sluice', reason: 'because', numbers }
}

test.for<[JournalTold, string | null]>([
	[entry('revision.accepted', { revision: '0123456789abcdef' }), 'sluice: commit 0123456 is read and valid: because'],
	[entry('rollout.advanced', { split: 'a 50 % · b 50 %' }), 'sluice: because: a 50 % · b 50 %'],
	[entry('rollout.rollingBack', { from: 'b 50 %', to: 'b 25 %' }), 'sluice: GOES BACK from b 50 % to b 25 %: because'],
	[entry('rollout.somethingNew'), 'sluice: rollout.somethingNew: because'],
	[entry('store.compacted'), null],
])('%j', ([told, sentence]) => {
	expect(narrate(told)).toBe(sentence)
})
