import { expect, test } from 'vitest'
import { readEvent } from '#lab/demo/daemon-api.ts'

test('an event is read from its data, and a block without any is none', () => {
	const told = { sequence: 7, event: 'rollout.started' }
	expect(readEvent(`id: 7\nevent: journal\ndata: ${JSON.stringify(told)}`)).toEqual([told])
	expect(readEvent('retry: 2000')).toEqual([])
	expect(readEvent(': heartbeat')).toEqual([])
})
