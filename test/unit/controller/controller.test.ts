import { expect, test } from 'vitest'
import { startInMemory } from '../../fixtures/daemon-in-memory.ts'

test('a way back has left the process before its journal is written, however long that takes', async () => {
	const daemon = await startInMemory()
	const { publish } = daemon.fleetPort
	let hasLeft = false
	Object.assign(daemon.fleetPort, {
		publish(...given: Parameters<typeof publish>) {
			// What is written to a socket goes out when the loop comes round, and a commit of SQLite holds the loop up.
			hasLeft = false
			setImmediate(() => {
				hasLeft = true
			})
			publish(...given)
		},
	})
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(8_000)
	const seen: boolean[] = []
	daemon.controller.onJournal(({ event }) => {
		if (event === 'rollout.rollingBack') seen.push(hasLeft)
	})
	await daemon.command({ kind: 'abort', rollout: 'B/B#1', actor: 'ada', reason: 'INC-311' })
	expect(seen).toEqual([true])
})
