import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { createGoneSources } from '#telemetry/gone-sources.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'

function setUp() {
	const clock = createManualClock()
	const gone = createGoneSources(clock)
	const leave = (proxy: string, size = 1) => gone.keep({ proxy, size: () => size })
	const known = (...proxies: readonly string[]) => proxies.filter((proxy) => gone.has(proxy))
	return { clock, gone, leave, known }
}

describe('createGoneSources', () => {
	test('gives back who comes again, once', () => {
		const { gone, leave } = setUp()
		leave('a')
		expect(gone.take('a')).toMatchObject({ proxy: 'a' })
		expect([gone.has('a'), gone.take('a')]).toEqual([false, undefined])
	})

	test('forgets who is gone for longer than xDS expects anybody back', () => {
		const { clock, gone, leave, known } = setUp()
		leave('a')
		clock.advance(1)
		leave('b')
		clock.advance(limits.xdsGoneMs)
		expect(gone.take('c')).toBeUndefined()
		expect(known('a', 'b')).toEqual(['b'])
	})

	test('forgets the oldest where they are too many', () => {
		const { leave, known } = setUp()
		for (let index = 0; index <= limits.xdsProxiesRemembered; index += 1) leave(`p${index}`)
		expect(known('p0', 'p1')).toEqual(['p1'])
	})

	test('or where they have counted too much', () => {
		const { gone, leave, known } = setUp()
		const third = limits.goneCounters / 3
		for (const proxy of ['a', 'b', 'c', 'b', 'd']) leave(proxy, third)
		expect(known('a', 'b', 'c', 'd')).toEqual(['b', 'c', 'd'])
		gone.take('c')
		leave('e', third)
		expect(known('b', 'd', 'e')).toEqual(['b', 'd', 'e'])
	})
})
