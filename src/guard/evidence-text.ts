import type { Alarm, Counts, EvidenceNumbers } from './look.ts'

// The guard's numbers in words: for status, the journal and the reason of a way back.

/** `canary 12/830 errors (1.4 %) against baseline 9/15,800 (0.06 %); evidence 41 of 100 needed`. */
export function describeEvidence({ canary, baseline, metric, evidence, needed }: EvidenceNumbers): string {
	const errors = metric === 'attempts' ? 'failed attempts' : 'errors'
	const shown = `canary ${formatCounts(canary, errors)} against ${describeBaseline(baseline)}`
	return `${shown}; evidence ${formatEvidence(evidence)} of ${formatEvidence(Math.ceil(needed))} needed`
}

export function describeAlarm({ kind, canary, proxy, counts }: Alarm): string {
	const place = proxy === null ? 'over all proxies' : `at ${proxy}`
	const baseline = describeBaseline(counts.baseline)
	switch (kind) {
		case 'errors':
			return `${canary} fails ${place}: ${formatCounts(counts.canary, 'errors')} against ${baseline}`
		case 'stall':
			return `${canary} answers nothing ${place}: ${groupDigits(counts.canary.requests)} requests begun, none answered; ${baseline}`
	}
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

/** Two digits, rounded up: 758 is shown as 760. */
export function formatAbout(count: number): string {
	const unit = 10 ** Math.max(0, String(Math.ceil(count)).length - 2)
	return groupDigits(Math.ceil(count / unit) * unit)
}
