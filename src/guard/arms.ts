import type { ArmCounts, Counts, FourCounts } from './look.ts'

/** What both arms counted: of a look, a stratum, a proxy's part of it, or a window of flushes. */
export type Arms = ArmCounts

export const noCounts: Counts = { requests: 0, errors: 0 }
export const noArms: Arms = { canary: noCounts, baseline: noCounts }

export function addCounts(left: Counts, right: Counts): Counts {
	return { requests: left.requests + right.requests, errors: left.errors + right.errors }
}

export function addArms(left: Arms, right: Arms): Arms {
	return { canary: addCounts(left.canary, right.canary), baseline: addCounts(left.baseline, right.baseline) }
}

export function armsOfFour([canaryRequests, canaryErrors, baselineRequests, baselineErrors]: FourCounts): Arms {
	return {
		canary: { requests: canaryRequests, errors: canaryErrors },
		baseline: { requests: baselineRequests, errors: baselineErrors },
	}
}

export function fourOfArms({ canary, baseline }: Arms): FourCounts {
	return [canary.requests, canary.errors, baseline.requests, baseline.errors]
}

export const noFour: FourCounts = [0, 0, 0, 0]
