import type { RolloutWindow } from '#mesh/mesh.ts'
import { weekdays } from '#mesh/weekdays.ts'
import { minuteToText } from '#mesh/write-rollout-policy.ts'

// Whether rollouts may go forward at a moment, by the clocks of the windows' own time zones. Whoever works out a turn
// asks; the pure rooms know no calendar.

/** True without windows. A time zone that this machine does not know is never open. */
export function isWithin(windows: readonly RolloutWindow[], wallMs: number): boolean {
	return windows.length === 0 || windows.some((window) => isOpen(window, wallMs))
}

/** Such as `monday, friday 22:00–04:30 Europe/Berlin`. */
export function describeWindow({ days, fromMinute, toMinute, timeZone }: RolloutWindow): string {
	const named = days.length === weekdays.length ? 'daily' : days.map((day) => weekdays[day]).join(', ')
	return `${named} ${minuteToText(fromMinute)}–${minuteToText(toMinute)} ${timeZone}`
}

/** Whether this machine knows the clocks of a place. */
export function isTimeZone(name: string): boolean {
	return clockOf(name) !== null
}

function isOpen({ days, fromMinute, toMinute, timeZone }: RolloutWindow, wallMs: number): boolean {
	const now = localTime(timeZone, wallMs)
	if (now === null) return false
	const yesterday = (now.day + 6) % 7
	if (toMinute > fromMinute) return days.includes(now.day) && now.minute >= fromMinute && now.minute < toMinute
	return (days.includes(now.day) && now.minute >= fromMinute) || (days.includes(yesterday) && now.minute < toMinute)
}

function localTime(timeZone: string, wallMs: number): { readonly day: number; readonly minute: number } | null {
	const parts = new Map(
		clockOf(timeZone)
			?.formatToParts(wallMs)
			.map(({ type, value }) => [type, value]),
	)
	if (parts.size === 0) return null
	const day = shortDays.indexOf(parts.get('weekday') ?? '')
	return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) }
}

const shortDays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const clocks = new Map<string, Intl.DateTimeFormat | null>()

/** To make one takes longer than all else in here. There are as many as an accepted mesh names. */
function clockOf(timeZone: string): Intl.DateTimeFormat | null {
	const known = clocks.get(timeZone)
	if (known !== undefined) return known
	const made = makeClock(timeZone)
	if (clocks.size < 1000) clocks.set(timeZone, made)
	return made
}

function makeClock(timeZone: string): Intl.DateTimeFormat | null {
	try {
		return new Intl.DateTimeFormat('en-US', {
			timeZone,
			weekday: 'short',
			hour: '2-digit',
			minute: '2-digit',
			hourCycle: 'h23',
		})
	} catch (error) {
		if (error instanceof RangeError) return null
		throw error
	}
}
