import { fail, type Result, succeed } from '#base/result.ts'

const unitMs = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

/** Milliseconds of `30s`, `500ms`, `1m30s`. */
export function parseDuration(text: string): Result<number, string> {
	if (!/^(?:\d+(?:ms|h|m|s))+$/.test(text))
		return fail(`${JSON.stringify(text)} is no duration: write 30s, 500ms or 1m30s`)
	let totalMs = 0
	for (const [, count, unit] of text.matchAll(/(\d+)(ms|h|m|s)/g))
		totalMs += Number(count) * unitMs[unit as keyof typeof unitMs]
	return succeed(totalMs)
}

/** A flag that may be given, as a field in ms of what is sent. Fails in words that name the flag. */
export function durationField(
	field: string,
	{ flag, text }: { readonly flag: string; readonly text: string | undefined },
): Result<Readonly<Record<string, number>>, string> {
	if (text === undefined) return succeed({})
	const duration = parseDuration(text)
	return duration.ok ? succeed({ [field]: duration.value }) : fail(`${flag}: ${duration.error}`)
}

/** `1m 30s`, `14s`, `250ms`: the two largest units. */
export function formatDuration(ms: number): string {
	if (ms < 1_000) return `${Math.round(ms)}ms`
	const parts = [
		[Math.floor(ms / unitMs.h), 'h'],
		[Math.floor((ms % unitMs.h) / unitMs.m), 'm'],
		[Math.floor((ms % unitMs.m) / unitMs.s), 's'],
	] as const
	const shown = parts.filter(([count]) => count > 0).slice(0, 2)
	return shown.map(([count, unit]) => `${count}${unit}`).join(' ')
}
