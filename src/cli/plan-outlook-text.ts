import { unreachable } from '#base/assert.ts'
import type { PlannedChange } from '#controller/preview.ts'
import { formatDuration } from './parse-duration.ts'

// What a plan says of time and of what could be seen, in words.

type Shift = Extract<PlannedChange, { kind: 'shift' }>
type FailureOutlook = NonNullable<Shift['outlook']>['failures'][number]

/** Lines below the steps of a shift. */
export function renderOutlook({ outlook, unit }: Shift): string[] {
	if (outlook === null) {
		return [
			`no traffic is known: the proof supposes that one of 1,000 ${unit} fails. --rps N, or --daemon where proxies count some, says how long it takes and what cannot be seen`,
		]
	}
	const { requestsPerSecond, errorShare, totalMs, deadlineMs, failures } = outlook
	const traffic = `at ${formatNumber(requestsPerSecond)} ${unit}/s, of which ${formatPercent(errorShare)} fail`
	const time = totalMs === null ? 'the proof never comes' : `it takes about ${formatAbout(totalMs)}`
	const late = totalMs === null || totalMs > deadlineMs
	const deadline = late ? `, and the deadline of ${formatDuration(deadlineMs)} will hold it` : ''
	return [`${traffic}, ${time}${deadline}`, ...renderFailures(failures)]
}

/** `: about 25m`, or nothing where no traffic is known. */
export function renderStepTime({ outlook }: Shift, index: number): string {
	const step = outlook?.steps[index]
	if (step === undefined) return ''
	return step.durationMs === null ? ': it never ends' : `: about ${formatAbout(step.durationMs)}`
}

function renderFailures(failures: readonly FailureOutlook[]): string[] {
	const found: string[] = []
	const held: string[] = []
	const letThrough: string[] = []
	for (const { errorShare, fate } of failures) {
		const share = formatPercent(errorShare)
		switch (fate.kind) {
			case 'found':
				found.push(`${share} after about ${formatAbout(fate.afterMs)}, at step ${fate.step + 1}`)
				break
			case 'held':
				held.push(`${share} (it stays at step ${fate.step + 1})`)
				break
			case 'letThrough':
				letThrough.push(share)
				break
			default:
				unreachable(fate)
		}
	}
	return [
		...(found.length === 0 ? [] : [`a canary is found that fails ${found.join('; ')}`]),
		...(held.length === 0 ? [] : [`CANNOT BE FOUND within the deadline: a canary that fails ${held.join(' or ')}`]),
		...(letThrough.length === 0
			? []
			: [`CANNOT BE SEEN at this traffic: a canary that fails ${letThrough.join(' or ')} is let through`]),
	]
}

function formatPercent(share: number): string {
	return `${formatNumber(share * 100)} %`
}

function formatNumber(value: number): string {
	return String(Number(value.toPrecision(2)))
}

/** An estimate has no seconds where it has minutes, and no minutes where it has many hours. */
function formatAbout(ms: number): string {
	const unitMs = ms < 120_000 ? 1_000 : ms < 36_000_000 ? 60_000 : 3_600_000
	return formatDuration(Math.max(1, Math.round(ms / unitMs)) * unitMs)
}
