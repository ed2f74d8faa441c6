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

/**
 * Failures of endpoints in the last looks, each look's worth a tenth less with every later one: about those of the last
 * minute. Whoever failed most in one look alone is chance where failures are few, and leaving him out of each look would
 * leave nothing of a version that is bad at all of its endpoints.
 */
export type LateFailures = ReadonlyMap<string, number>

export const noLateFailures: LateFailures = new Map()

const keptByLook = 0.9
/** Less than that of one failure is forgotten. */
const leastKept = 0.01

/** After a look in which endpoints counted this. */
export function afterLook(before: LateFailures, endpoints: EndpointTotals): LateFailures {
	const after = new Map<string, number>()
	for (const [endpoint, failures] of before)
		if (failures * keptByLook >= leastKept) after.set(endpoint, failures * keptByLook)
	for (const [endpoint, { errors }] of endpoints)
		if (errors > 0) after.set(endpoint, (after.get(endpoint) ?? 0) + errors)
	return after
}

/**
 * The endpoint with most failures of late, if there are two or more in the look and they account for what the callers
 * sent. Where it has no more of them than chance gives one of so many, nothing is left out with it: a version that is bad
 * at all of its endpoints would lose half of what speaks against it.
 * @param late after the look
 */
export function findWorstEndpoint(endpoints: EndpointTotals, sent: number, late: LateFailures): WorstEndpoint | null {
	const failures = (endpoint: string) => late.get(endpoint) ?? 0
	const sorted = [...endpoints].sort(([left], [right]) => failures(right) - failures(left) || (left < right ? -1 : 1))
	const [first] = sorted
	if (first === undefined || sorted.length < 2) return null
	const all = sorted.reduce((sum, [, counts]) => addCounts(sum, counts), noCounts)
	if (all.requests === 0 || all.requests < reportedShare * sent) return null
	const [endpoint, counts] = first
	const total = sorted.reduce((sum, [name]) => sum + failures(name), 0)
	const part = counts.requests / all.requests
	const isByChance = sorted.length * chanceOf({ most: failures(endpoint), total, part }) > byChance
	return { endpoint, counts: isByChance ? noCounts : counts, all, endpoints: sorted.length }
}

/** What is less likely than this, over all endpoints, is no chance any more. */
const byChance = 0.1

/** Chernoff's bound of the chance that so many of all failures fall to one that has this part of the requests. */
function chanceOf({ most, total, part }: { most: number; total: number; part: number }): number {
	const share = total === 0 ? 0 : most / total
	if (share <= part || part === 0) return 1
	const others = share === 1 ? 0 : (1 - share) * Math.log((1 - share) / (1 - part))
	return Math.exp(-total * (share * Math.log(share / part) + others))
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
