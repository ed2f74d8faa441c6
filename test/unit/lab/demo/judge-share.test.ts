import { expect, test } from 'vitest'
import { judgeShare } from '#lab/demo/judge-share.ts'

test.for([
	{ what: 'exactly the weight', weightPpm: 250_000, answers: 10_000, canaryAnswers: 2500, verdict: 'within' },
	// √(0.25 × 0.75 / 10,000) = 0.433 %: 4σ are 1.732 %.
	{ what: 'just inside 4σ', weightPpm: 250_000, answers: 10_000, canaryAnswers: 2673, verdict: 'within' },
	{ what: 'just outside 4σ', weightPpm: 250_000, answers: 10_000, canaryAnswers: 2674, verdict: 'outside' },
	{ what: 'below the weight', weightPpm: 250_000, answers: 10_000, canaryAnswers: 2326, verdict: 'outside' },
	{ what: 'nothing at 0 %', weightPpm: 0, answers: 6000, canaryAnswers: 0, verdict: 'within' },
	{ what: 'a stray answer at 0 %', weightPpm: 0, answers: 6000, canaryAnswers: 1, verdict: 'outside' },
	{ what: 'all at 100 %', weightPpm: 1_000_000, answers: 6000, canaryAnswers: 6000, verdict: 'within' },
	{ what: 'a stray answer at 100 %', weightPpm: 1_000_000, answers: 6000, canaryAnswers: 5999, verdict: 'outside' },
	{ what: 'hardly any answers', weightPpm: 500_000, answers: 499, canaryAnswers: 250, verdict: 'tooFew' },
	{ what: 'no answers', weightPpm: 500_000, answers: 0, canaryAnswers: 0, verdict: 'tooFew' },
])('$what is $verdict', ({ weightPpm, answers, canaryAnswers, verdict }) => {
	expect(judgeShare({ weightPpm, answers, canaryAnswers }).verdict).toBe(verdict)
})
