import { limits } from '#base/limits.ts'
import { wordOf } from '#rollout/judged-look.ts'
import type { Replay, ReplayedLook, WhatIf } from '#rollout/replay-looks.ts'
import { toPrintable } from './printable.ts'
import type { Paint } from './terminal.ts'

export type ShownReplay = {
	readonly rollout: string
	readonly whatIf: WhatIf
	readonly replay: Replay
	/** By the other policy; null where none was asked for. */
	readonly other: Replay | null
}

/** Look by look what the guard knew, what it said, and what it would say. */
export function renderReplay({ rollout, whatIf, replay, other }: ShownReplay, paint: Paint): string {
	if (replay.looks.length === 0 && replay.end === 'whole') return toPrintable(`${rollout}: no look was kept`)
	return [
		...replay.looks.map((look, index) => toPrintable(lineOf(look, { index, other: other?.looks[index] ?? null }))),
		'',
		paint.bold(toPrintable(`${rollout}: ${describeReplay(replay)}`)),
		...(other === null ? [] : [toPrintable(`with ${describeWhatIf(whatIf)}: ${describeOther(other)}`)]),
	].join('\n')
}

type Beside = { readonly index: number; readonly other: ReplayedLook | null }

function lineOf({ judged, verdict, text, differs }: ReplayedLook, { index, other }: Beside): string {
	const time = new Date(judged.wallMs).toISOString().slice(11, 19)
	const now = wordOf(verdict)
	const said = differs ? `${judged.verdict}, TODAY ${now}` : judged.verdict
	const would = other === null || wordOf(other.verdict) === now ? '' : `, would be ${wordOf(other.verdict)}`
	return `${String(index + 1).padStart(4)}  ${time}  step ${judged.step + 1}  ${said}${would}  ${text}`
}

function describeReplay({ looks, end }: Replay): string {
	const count = `${looks.length} ${looks.length === 1 ? 'look' : 'looks'}`
	const first = looks.findIndex(({ differs }) => differs)
	const others = looks.filter(({ differs }) => differs).length
	const said =
		first === -1
			? `${count}, each judged as it was`
			: `${count}, of which today's code judges ${others} otherwise than was recorded, first the ${first + 1}.`
	return `${said}${describeEnd(looks.length, end)}`
}

function describeEnd(count: number, end: Replay['end']): string {
	if (end === 'gap') return '; looks are missing after these, so later ones cannot be replayed'
	return count < limits.looksKept ? '' : `; of a rollout the first ${limits.looksKept} are kept, and no more`
}

function describeOther({ looks }: Replay): string {
	const pooled = looks.filter(({ how }) => how === 'pooled').length
	const about = pooled === 0 ? '' : `; in ${pooled} of the looks proxies are compared by their sum, so about`
	const last = looks.at(-1)
	const fate =
		last?.verdict.kind === 'rollBack' ? `goes back at look ${looks.length}` : 'does not go back in these looks'
	return `${fate}${about}`
}

function describeWhatIf({ alpha, toleranceRatio, tolerancePpm }: WhatIf): string {
	return [
		...(alpha === undefined ? [] : [`alpha ${alpha}`]),
		...(toleranceRatio === undefined ? [] : [`toleranceRatio ${toleranceRatio}`]),
		...(tolerancePpm === undefined ? [] : [`tolerance ${tolerancePpm / 10_000}`]),
	].join(', ')
}
