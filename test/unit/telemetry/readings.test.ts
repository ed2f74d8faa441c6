import { expect, test } from 'vitest'
import { createReadings, type Reading } from '#telemetry/readings.ts'

test('a list that is filled again says what it was filled with last', () => {
	const readings = createReadings()
	const all = () => {
		const told: Reading[] = []
		readings.each((reading) => told.push({ ...reading }))
		return told
	}
	readings.add('a', 'completed', 1)
	readings.add('b', 'errors', 2)
	expect(all()).toEqual([
		{ cluster: 'a', metric: 'completed', value: 1 },
		{ cluster: 'b', metric: 'errors', value: 2 },
	])
	readings.clear()
	expect(all()).toEqual([])
	readings.add('c', 'open', 3)
	expect(all()).toEqual([{ cluster: 'c', metric: 'open', value: 3 }])
})
