import { addCounts, noCounts } from './arms.ts'
import type { BlamedEndpoint, Counts, WorstEndpoint } from './look.ts'

// Is it a bad version, or one bad endpoint? An alarm of the comparison is taken only if it also holds, at a lower level,
// without the canary's endpoint that failed most. Callers do not know which endpoint answered; the endpoints' own Envoys
// do: their ingress counters say who had which part of the requests and of the failures, and that part is taken out of
// what the callers counted. What no endpoint explains stays with the version.

/** What each endpoint of a canary counted in a look, by the key of its proxy. */
export type EndpointTotals = ReadonlyMap<string, Counts>

/** Evidence that must be left without the worst endpoint: a level of 0.1. */
export const neededWithoutWorst = 10

/** A minute without another alarm that is its doing: then an endpoint is taken to be mended. */
export const quietLooks = 12

/** Endpoints must have counted this part of what callers sent, or who is worst is not known. Flushes are not in step. */
const reportedShare = 0.8

/** The endpoint with most failures in a look, if there are two or more and they account for what the callers sent. */
export function findWorstEndpoint(endpoints: EndpointTotals, sent: number): WorstEndpoint | null {
	const sorted = [...endpoints].sort(
		([left, { errors: few }], [right, { errors: many }]) => many - few || (left < right ? -1 : 1),
	)
	const [first] = sorted
	if (first === undefined || sorted.length < 2) return null
	const all = sorted.reduce((sum, [, counts]) => addCounts(sum, counts), noCounts)
	if (all.requests === 0 || all.requests < reportedShare * sent) return null
	const [endpoint, counts] = first
	return { endpoint, counts, all, endpoints: sorted.length }
}

/** The part that is not the worst endpoint's, of counts that may be higher than what the endpoints counted. */
export function shareWithout({ counts, all }: WorstEndpoint, total: Counts): { requests: number; errors: number } {
	const without = (worst: number, sum: number) => (sum === 0 ? 1 : 1 - worst / sum)
	return {
		requests: without(counts.requests, Math.max(all.requests, total.requests)),
		errors: without(counts.errors, Math.max(all.errors, total.errors)),
	}
}

/** Errors stay within the requests, though the endpoint that is out may have had few of the ones and most of the others. */
export function scaleCounts({ requests, errors }: Counts, by: { requests: number; errors: number }): Counts {
	const left = requests * by.requests
	return { requests: left, errors: Math.min(errors * by.errors, left) }
}

/** Whom the failures of several looks are blamed on: he stays for as long as nobody else has more in fewer looks. */
export function blameAfter(before: BlamedEndpoint | null, seen: WorstEndpoint | null): BlamedEndpoint | null {
	if (seen === null || seen.counts.errors === 0) return before
	const { endpoint, counts, all, endpoints } = seen
	const blamed = { endpoint, errors: counts.errors, ofErrors: all.errors, endpoints }
	if (before === null) return blamed
	if (before.endpoint !== endpoint) {
		const errors = before.errors - counts.errors
		return errors < 0 ? blamed : { ...before, errors }
	}
	return { ...blamed, errors: before.errors + counts.errors, ofErrors: before.ofErrors + all.errors }
}
