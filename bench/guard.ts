// The rules that take canaries back, ours and those of others, on the same traffic. Theirs are models, written from
// their sources and documents, with the settings that those show; whoever tunes one for a level of traffic does better
// there and worse elsewhere. A rollout of the same number is made of the same random numbers for each rule.

import { steady } from '../test/statistics/failures.ts'
import { defaultParameters, guardRule, shippedParameters, strictParameters } from '../test/statistics/guard-rule.ts'
import { tableLadder } from '../test/statistics/ladder.ts'
import { medianOfBack, type Repeated, repeatRule } from '../test/statistics/repeat.ts'
import type { Rule } from '../test/statistics/rule.ts'
import { onePlace } from '../test/statistics/traffic.ts'
import { type Bench, type Figures, rounded } from './report.ts'
import { argoRule } from './rules/argo.ts'
import { flaggerRule } from './rules/flagger.ts'
import { kayentaRule } from './rules/kayenta.ts'
import { peekingRule } from './rules/z-test.ts'

const whole = { ladder: tableLadder, warmUpSeconds: 15, advance: 'clock', watches: 'whole' } as const

type Contender = { readonly name: string; readonly setting: string; readonly rule: Rule }

const contenders: readonly Contender[] = [
	{
		name: 'Flagger',
		setting: 'its documented check: 99 % success, threshold 5, interval 60 s; a failed check keeps the weight',
		rule: flaggerRule({ shares: tableLadder.shares, intervalSeconds: 60, threshold: 5, leastSuccess: 0.99 }),
	},
	{
		name: 'Argo Rollouts',
		setting: '99 % success, interval 60 s, failureLimit 0, which is its default',
		rule: argoRule({
			ladder: tableLadder,
			intervalSeconds: 60,
			windowSeconds: 60,
			failureLimit: 0,
			leastSuccess: 0.99,
		}),
	},
	{
		name: 'Argo, its example',
		setting: 'the example of its documents: 95 %, interval 5 min, failureLimit 3, steps 20, 40, 60, 80 % of 10 min',
		rule: argoRule({
			ladder: { shares: [0.2, 0.4, 0.6, 0.8], stepSeconds: 600 },
			intervalSeconds: 300,
			// `irate` looks at the last two scrapes, which come once a minute unless something else is set.
			windowSeconds: 60,
			failureLimit: 3,
			leastSuccess: 0.95,
		}),
	},
	{
		name: 'z-test',
		setting: 'a one-sided test of two shares at 1 %, over all counts so far, looked at each 5 s',
		rule: peekingRule({ ladder: tableLadder, lookSeconds: 5 }),
	},
	{
		name: 'Kayenta',
		setting: 'Mann–Whitney at 98 %, tolerance 0.25, judged at the end of each step on points of 5 s',
		rule: kayentaRule({ ladder: tableLadder, pointSeconds: 5 }),
	},
	{
		name: 'Sluice, strict',
		setting: 'the whole guard, warm-ups of 15 s, toleranceRatio 1, tolerance 0, φ 1',
		rule: guardRule({ ...whole, parameters: strictParameters }),
	},
	{
		name: 'Sluice, φ 1',
		setting: 'the whole guard with the defaults of a policy (1.25 times, 0.05 points), φ measured as 1',
		rule: guardRule({ ...whole, parameters: defaultParameters }),
	},
	{
		name: 'Sluice, φ 3',
		setting: 'the same where φ is not measured',
		rule: guardRule({ ...whole, parameters: shippedParameters }),
	},
]

const bases = [0.001, 0.01]
const rates = [10, 100, 1000]
const rows = bases.flatMap((base) => rates.map((rps) => ({ base, rps })))

/** Longer than any of the rules takes. */
const mostSeconds = 3600

export const benchGuard: Bench = (say, { runs, seed }) => {
	const figures: Record<string, Figures[string]> = {}
	say(
		`${runs} rollouts a cell, seed ${seed}. Steps of a minute at 5, 10, 25, 50 and 75 %, unless something else is said.`,
	)
	for (const { name, setting } of contenders) say(`- ${name}: ${setting}`)

	sayHead('healthy canary: % taken back')
	for (const { base, rps } of rows) compare({ base, canary: base, rps }, falseCell)
	compare({ base: 0.01, canary: 0.01, rps: 0 }, falseCell)

	sayHead('bad canary: % taken back / median s of those / errors above the baseline')
	for (const { base, rps } of rows) {
		for (const canary of [2 * base, 5 * base, 0.5, 1]) compare({ base, canary, rps }, foundCell)
	}
	return figures

	function sayHead(title: string): void {
		say(`\n| ${title} | ${contenders.map(({ name }) => name).join(' | ')} |`)
		say(`| --- |${' --- |'.repeat(contenders.length)}`)
	}

	function compare(scenario: Scenario, cell: (result: Repeated) => string): void {
		const { base, canary, rps } = scenario
		const failures = steady({ baseline: base, canary })
		const traffic = { requestsPerSecond: rps, places: onePlace, failures, flushSeconds: 1 }
		const results = contenders.map(({ rule }) => repeatRule(rule, traffic, { runs, seconds: mostSeconds, seed }))
		const name = nameOf(scenario)
		say(`| ${name} | ${results.map(cell).join(' | ')} |`)
		figures[name] = Object.fromEntries(
			contenders.map(({ name }, index) => [name, rounded(100 * (results[index]?.backShare ?? Number.NaN))]),
		)
	}
}

type Scenario = { readonly base: number; readonly canary: number; readonly rps: number }

function nameOf({ base, canary, rps }: Scenario): string {
	if (rps === 0) return 'no traffic'
	return `${percent(base)} ${canary === base ? '' : `→ ${percent(canary)} `}%, ${rps}/s`
}

function falseCell({ backShare }: Repeated): string {
	return percent(backShare)
}

function foundCell(result: Repeated): string {
	const median = result.backShare === 0 ? '–' : String(medianOfBack(result))
	return `${percent(result.backShare)} / ${median} / ${Math.round(result.meanExcessErrors)}`
}

function percent(share: number): string {
	return String(rounded(100 * share))
}
