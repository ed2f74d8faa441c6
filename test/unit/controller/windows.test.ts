import { expect, test } from 'vitest'
import { describeWindow, isTimeZone, isWithin } from '#controller/windows.ts'
import type { RolloutWindow } from '#mesh/mesh.ts'

const everyDay = [0, 1, 2, 3, 4, 5, 6]
const office: RolloutWindow = { days: [1, 2, 3, 4], fromMinute: 540, toMinute: 960, timeZone: 'Europe/Berlin' }
const night: RolloutWindow = { days: [5], fromMinute: 22 * 60, toMinute: 270, timeZone: 'UTC' }
const wholeDay: RolloutWindow = { days: [0], fromMinute: 0, toMinute: 1440, timeZone: 'America/New_York' }

test.for([
	// 2026-11-30 is a Monday; Berlin is one hour ahead of UTC in winter, and two in summer.
	['a weekday at its beginning', office, '2026-11-30T08:00:00Z', true],
	['a minute before it', office, '2026-11-30T07:59:59Z', false],
	['the last minute', office, '2026-11-30T14:59:59Z', true],
	['its end', office, '2026-11-30T15:00:00Z', false],
	['in summer its clocks are ahead', office, '2026-07-06T07:00:00Z', true],
	['a day that is not named', office, '2026-12-04T10:00:00Z', false],
	['the evening of a window over midnight', night, '2026-12-04T22:00:00Z', true],
	['the morning after it', night, '2026-12-05T04:29:59Z', true],
	['the end of that morning', night, '2026-12-05T04:30:00Z', false],
	['the morning of the day on which it begins', night, '2026-12-04T03:00:00Z', false],
	['a whole day, in its place', wholeDay, '2026-11-29T05:00:00Z', true],
	['a whole day, where it is not that day yet', wholeDay, '2026-11-29T04:59:59Z', false],
	['a whole day, up to its last second', wholeDay, '2026-11-30T04:59:59Z', true],
	['a place that nobody knows', { ...office, days: everyDay, timeZone: 'Europe/Berln' }, '2026-11-30T10:00:00Z', false],
] as const)('%s', ([, window, time, expected]) => {
	expect(isWithin([window], Date.parse(time))).toBe(expected)
})

test('one open window is enough, and without any it is always time', () => {
	const friday = Date.parse('2026-12-04T23:00:00Z')
	expect([isWithin([office], friday), isWithin([office, night], friday), isWithin([], friday)]).toEqual([
		false,
		true,
		true,
	])
})

test('windows in words', () => {
	expect(describeWindow(night)).toBe('friday 22:00–04:30 UTC')
	expect(describeWindow({ ...wholeDay, days: everyDay })).toBe('daily 00:00–24:00 America/New_York')
})

test.for([
	['Europe/Berlin', true],
	['UTC', true],
	['Europe/Berln', false],
] as const)('%s is known: %s', ([name, known]) => {
	expect(isTimeZone(name)).toBe(known)
})
