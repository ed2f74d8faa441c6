import { expect, test } from 'vitest'
import { createReadings, type Reading } from '#telemetry/readings.ts'

test('a list that is filled again says what it was filled with last', () => {
	const readings = createReadings()
	const all = () => {
		const told: Reading[] = []
		readings.each((reading) => told.push({ ...reading }))
		return told
	}
	readings.add('a', 0, 1)
	readings.add('b', 1, 2)
	expect(all()).toEqual([
		{ cluster: 'a', slot: 0, value: 1 },
		{ cluster: 'b', slot: 1, value: 2 },
	])
	readings.clear()
	expect(all()).toEqual([])
	readings.add('c', 2, 3)
	expect(all()).toEqual([{ cluster: 'c', slot: 2, value: 3 }])
})
