import { nameOf } from '#plan/split.ts'
import { neededWithoutWorst } from './leave-one-out.ts'
import type {
	Alarm,
	ArmCounts,
	BlamedEndpoint,
	Counts,
	EvidenceNumbers,
	GuardParameters,
	ShareFinding,
} from './look.ts'
import type { Measure, Rate } from './measures.ts'

// The guard's numbers in words: for status, the journal and the reason of a way back.

/** `canary 12/830 errors (1.4 %) against baseline 9/15,800 (0.06 %); evidence 41 of 100 needed`. */
export function describeEvidence(numbers: EvidenceNumbers): string {
	const { canary, baseline, metric, edgeMs, limitPpm, evidence, needed } = numbers
	const errors = nameOfErrors(metric, edgeMs)
	const other = limitPpm === undefined ? '' : `a limit of ${formatPercent(limitPpm / 1_000_000)}, beside `
	const shown = `canary ${formatCounts(canary, errors)} against ${other}${describeBaseline(baseline)}`
	return `${shown}; evidence ${formatEvidence(evidence)} of ${formatEvidence(Math.ceil(needed))} needed`
}

export function describeAlarm({ kind, by, canary, proxy, counts }: Alarm): string {
	const way = { shares: '', front: 'by what is in front, ', mirror: 'by copies, ' }[by]
	const place = `${way}${proxy === null ? 'over all proxies' : `at ${proxy}`}`
	const baseline = describeBaseline(counts.baseline)
	switch (kind) {
		case 'errors':
			return `${canary} fails ${place}: ${formatCounts(counts.canary, 'errors')} against ${baseline}`
		case 'stall':
			return `${canary} answers nothing ${place}: ${groupDigits(counts.canary.requests)} requests begun, none answered; ${baseline}`
	}
}

function nameOfErrors(metric: EvidenceNumbers['metric'], edgeMs: number | null): string {
	switch (metric) {
		case 'final':
			return 'errors'
		case 'attempts':
			return 'failed attempts'
		case 'latency':
			return `slower than ${edgeMs} ms`
	}
}

/** `both fail: canary 30/100 errors (30 %), baseline 250/1,000 (25 %)`. */
export function describeIncident({ canary, baseline }: ArmCounts): string {
	return `both fail: canary ${formatCounts(canary, 'errors')}, ${describeBaseline(baseline)}`
}

/** `serviceBv2 had 12 of 4,000 requests (0.30 %) where the weights say 5 %`, of it and the baseline. */
export function describeShare({ target, canary, baseline, expected }: ShareFinding): string {
	const total = canary + baseline
	const share = formatPercent(total === 0 ? 0 : canary / total)
	return `${target} had ${groupDigits(canary)} of ${groupDigits(total)} requests (${share}) where the weights say ${formatPercent(expected)}`
}

/** `without mesh/apps/virtualNode/Bv2#host-2, which had 40 of 41 failures of 3 endpoints, 2 of 10`. */
export function describeBlamed({ endpoint, errors, ofErrors, endpoints }: BlamedEndpoint, left: number): string {
	const failures = `${groupDigits(errors)} of ${groupDigits(ofErrors)} failures of ${endpoints} endpoints`
	return `without ${endpoint}, which had ${failures}, ${formatEvidence(left)} of ${neededWithoutWorst}`
}

function describeBaseline(counts: Counts): string {
	return counts.requests === 0 ? 'no baseline' : `baseline ${formatCounts(counts, '')}`
}

function formatCounts({ requests, errors }: Counts, noun: string): string {
	const share = requests === 0 ? '' : ` (${formatPercent(errors / requests)})`
	return `${groupDigits(errors)}/${groupDigits(requests)}${noun === '' ? '' : ` ${noun}`}${share}`
}

/** A share as percent, with no more digits than it deserves; never 0 or 100 unless it is. */
function formatPercent(share: number): string {
	const percent = share * 100
	if (percent === 0 || percent === 100) return `${percent} %`
	if (percent < 0.01) return '< 0.01 %'
	if (percent > 99) return `${Math.min(percent, 99.99).toFixed(2)} %`
	return `${percent.toFixed(percent < 1 ? 2 : percent < 10 ? 1 : 0)} %`
}

/** Whole numbers in groups of three: 15,800. */
function groupDigits(value: number): string {
	return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Rounded down, so that what is not reached never looks reached. */
function formatEvidence(evidence: number): string {
	if (evidence >= 1_000_000) return 'more than 1,000,000'
	return evidence < 10 ? String(Math.floor(evidence * 10) / 10) : groupDigits(Math.floor(evidence))
}

/** `about 4 min`: no more exact than it is known. */
export function formatWait(ms: number): string {
	const [unit, size] = ms < 90_000 ? ['s', 1000] : ms < 5_400_000 ? ['min', 60_000] : ['h', 3_600_000]
	return `about ${groupDigits(Math.ceil(ms / (size as number)))} ${unit}`
}

/** `serviceBv2:80 errors: 1.4 % (0.8 to 2.5) against 0.06 % (0.03 to 0.11), proven no worse`. */
export function describeMeasure(measure: Measure, drawn: GuardParameters['drawn']): string {
	const { target, metric, edgeMs, canary, baseline, proven } = measure
	const rates = `${describeRate(canary)} against ${describeRate(baseline)}`
	const finding = proven ? `, ${drawn === 'users' ? findingOfUsers(metric) : 'proven no worse'}` : ''
	return `${nameOf(target)} ${nameOfErrors(metric, edgeMs)}: ${rates}${finding}`
}

/** Versions that have other users are not comparable: what is proven is the limit. */
function findingOfUsers(metric: Measure['metric']): string {
	return metric === 'final' ? 'proven to be below the limit' : 'no worse by these users'
}

/** In percent, with where it lies. */
function describeRate({ share, low, high }: Rate): string {
	if (share === null) return 'no requests'
	const bound = (value: number) => formatPercent(value).replace(/ %$/, '')
	return `${formatPercent(share)} (${bound(low)} to ${bound(high)})`
}

/** Two digits, rounded up: 758 is shown as 760. */
export function formatAbout(count: number): string {
	const unit = 10 ** Math.max(0, String(Math.ceil(count)).length - 2)
	return groupDigits(Math.ceil(count / unit) * unit)
}
