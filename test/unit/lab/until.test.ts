import { expect, test } from 'vitest'
import { systemClock } from '#base/system-clock.ts'
import { until, withDeadline } from '#lab/until.ts'

const never = new Promise<never>(() => {})
const deadline = { clock: systemClock, deadlineMs: 60, what: 'the door opens' }

test('looks until there is something to see', async () => {
	let looks = 0
	const seen = await until(deadline, async () => {
		looks += 1
		return looks === 3 ? 'open' : null
	})
	expect([seen, looks]).toEqual(['open', 3])
})

test('names what did not happen in time', async () => {
	const expected = { code: 'deadline', message: 'the door opens: not within 60 ms' }
	await expect(until(deadline, async () => null)).rejects.toMatchObject(expected)
	await expect(withDeadline(never, deadline)).rejects.toMatchObject(expected)
})

test('hands on values and errors', async () => {
	expect(await withDeadline(Promise.resolve(4), deadline)).toBe(4)
	await expect(withDeadline(Promise.reject(new Error('jammed')), deadline)).rejects.toThrow('jammed')
	await expect(until(deadline, () => Promise.reject(new Error('jammed')))).rejects.toThrow('jammed')
})
