import { expect, test } from 'vitest'
import { createPauses } from '#telemetry/pauses.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'

function setUp() {
	const clock = createManualClock()
	const pauses = createPauses({ clock, lengthMs: 10 })
	const ended: string[] = []
	const over = (name: string) => () => void ended.push(`${name} at ${clock.monotonicMs()}`)
	return { clock, pauses, ended, over }
}

test('a pause ends after its length, or at most twice that, and one timer does for all', () => {
	const { clock, pauses, ended, over } = setUp()
	pauses.begin(over('a'))
	clock.advance(3)
	pauses.begin(over('b'))
	pauses.begin(over('c'))
	expect(clock.pendingMs()).toHaveLength(1)
	clock.advance(100)
	expect(ended).toEqual(['a at 10', 'b at 20', 'c at 20'])
	expect(clock.pendingMs()).toEqual([])
	pauses.begin(over('d'))
	clock.advance(10)
	expect(ended.at(-1)).toBe('d at 113')
})

test('one that begins anew is put off, one that is cancelled does not end', () => {
	const { clock, pauses, ended, over } = setUp()
	const [again, never] = [over('again'), over('never')]
	pauses.begin(again)
	pauses.begin(never)
	clock.advance(9)
	pauses.begin(again)
	pauses.cancel(never)
	clock.advance(10)
	expect(ended).toEqual([])
	clock.advance(10)
	expect(ended).toEqual(['again at 20'])
})
