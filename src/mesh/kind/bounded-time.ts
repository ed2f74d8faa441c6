import { durationToMs } from '../duration.ts'
import { errorAt, type Finding, type Path, pathToText } from '../finding.ts'

/** Both as they are written: `100ms`, `10m`. */
export type TimeBounds = { readonly least: string; readonly most: string }

/** A time that is written lies within its bounds. `path` leads to it. */
export function checkTime(written: string | undefined, { least, most }: TimeBounds, path: Path): Finding[] {
	if (written === undefined) return []
	const ms = durationToMs(written)
	if (ms >= durationToMs(least) && ms <= durationToMs(most)) return []
	return [errorAt(path, 'SL0208', `${pathToText(path)} is "${written}"; expected from ${least} to ${most}`)]
}
