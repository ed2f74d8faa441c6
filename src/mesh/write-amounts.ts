/** As people write it: to four decimal places. */
export function ppmToPercent(ppm: number): number {
	return ppm / 10_000
}

const units = [
	['h', 3_600_000],
	['m', 60_000],
	['s', 1000],
	['ms', 1],
] as const

/** Such as `1h30m`; `0s` for nothing. */
export function msToText(ms: number): string {
	let rest = ms
	let text = ''
	for (const [unit, size] of units) {
		const count = Math.floor(rest / size)
		rest -= count * size
		if (count > 0) text += `${count}${unit}`
	}
	return text === '' ? '0s' : text
}
