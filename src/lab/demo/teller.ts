import pc from 'picocolors'
import type { Clock } from '#base/clock.ts'

export type Palette = 'colour' | 'plain'

/** Tells the demo as it happens, one line at a time, each with the seconds since the start. */
export type Teller = {
	title(text: string): void
	chapter(text: string): void
	tell(text: string): void
	/** Something that must hold, and does. */
	good(text: string): void
	/** Something that must hold, and does not. */
	bad(text: string): void
	/** Without a time: tables, commands. */
	plain(text: string): void
	/** Since the last line. */
	quietMs(): number
	elapsedMs(): number
}

export type TellerOptions = {
	readonly clock: Clock
	readonly palette: Palette
	readonly say: (line: string) => void
}

export function createTeller({ clock, palette, say }: TellerOptions): Teller {
	const paint = pc.createColors(palette === 'colour')
	const startMs = clock.monotonicMs()
	let lastMs = startMs

	function line(mark: string, text: string): void {
		lastMs = clock.monotonicMs()
		const [first = '', ...rest] = text.split('\n')
		say(`${paint.dim(formatElapsed(lastMs - startMs))} ${mark} ${first}`)
		for (const more of rest) say(`${' '.repeat(11)} ${more}`)
	}

	return {
		title: (text) => say(paint.bold(text)),
		chapter: (text) => say(`\n${paint.bold(text)}`),
		tell: (text) => line(' ', text),
		good: (text) => line(paint.green('✓'), text),
		bad: (text) => line(paint.red('✗'), paint.red(text)),
		plain: say,
		quietMs: () => clock.monotonicMs() - lastMs,
		elapsedMs: () => clock.monotonicMs() - startMs,
	}
}

/** `  12.3 s`, eight characters wide up to an hour. */
export function formatElapsed(ms: number): string {
	return `${(ms / 1000).toFixed(1).padStart(6)} s`
}
