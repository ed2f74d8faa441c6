/** How many of the answers came from the canary while it had a certain weight. */
export type ShareCount = {
	/** Share asked for, in ppm. */
	readonly weightPpm: number
	/** Answers of any version, failed ones included. */
	readonly answers: number
	readonly canaryAnswers: number
}

export type ShareJudgement = {
	/** 0 … 1. */
	readonly share: number
	/** How far the share is from the weight, in standard deviations; 0 where both are all or nothing. */
	readonly sigmas: number
	readonly verdict: 'within' | 'outside' | 'tooFew'
}

const allowedSigmas = 4
/** Below this the normal approximation of the binomial says little. */
const fewestAnswers = 500

/**
 * Whether a share is what chance makes of its weight: each request is a draw of its own, so the count is binomial with
 * the standard deviation √(p(1−p)/n). At 0 and 100 % a single stray answer is one too many.
 */
export function judgeShare({ weightPpm, answers, canaryAnswers }: ShareCount): ShareJudgement {
	const weight = weightPpm / 1_000_000
	const share = answers === 0 ? 0 : canaryAnswers / answers
	const deviation = Math.sqrt((weight * (1 - weight)) / Math.max(1, answers))
	const distance = Math.abs(share - weight)
	const sigmas = distance === 0 ? 0 : distance / deviation
	if (answers < fewestAnswers) return { share, sigmas, verdict: 'tooFew' }
	return { share, sigmas, verdict: sigmas <= allowedSigmas ? 'within' : 'outside' }
}
