import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type DemoResults, findFailures, renderResults, writeReport } from '#lab/demo/results.ts'

const good: DemoResults = {
	requests: 40_000,
	failed: 0,
	countedMs: 80_000,
	versions: [
		{ step: 'a', weightPpm: 0, answers: 6000, canaryAnswers: 0 },
		{ step: 'b 1/2', weightPpm: 100_000, answers: 10_000, canaryAnswers: 1012 },
	],
	commitToLastAckMs: 2700,
	firstErrorToRollbackConfirmedMs: 2100,
	flushesToRollback: 2,
	proxyRestarts: 0,
	findings: [],
}

test('a good run has no failures', () => {
	expect(findFailures(good)).toEqual([])
})

test.for<[Partial<DemoResults>, string]>([
	[{ failed: 1 }, '1 requests failed'],
	[{ requests: 9999, countedMs: 20_000 }, 'only 9999 requests'],
	[{ countedMs: 101_000 }, 'only 396 requests/s'],
	[{ versions: [{ step: 'd 3/3', weightPpm: 1_000_000, answers: 2000, canaryAnswers: 1999 }] }, 'step d 3/3'],
	[{ versions: [{ step: 'b 2/2', weightPpm: 250_000, answers: 20, canaryAnswers: 5 }] }, 'only 20 answers'],
	[{ commitToLastAckMs: null }, 'first step'],
	[{ firstErrorToRollbackConfirmedMs: null }, 'way back'],
	[{ firstErrorToRollbackConfirmedMs: 5001 }, '5001 ms'],
	[{ flushesToRollback: 3 }, 'flush 3'],
	[{ proxyRestarts: 1 }, '1 proxies'],
	[{ findings: ['a claim: no, a problem'] }, 'a problem'],
])('%j is a failure', ([change, text]) => {
	expect(findFailures({ ...good, ...change })).toEqual([expect.stringContaining(text)])
})

test('the table has a line for each step and each figure', () => {
	expect(renderResults(good)).toEqual([
		'  step      weight  share of v2   answers   off by',
		'✓ a            0 %          0 %      6000     0.0σ',
		'✓ b 1/2       10 %      10.12 %     10000     0.4σ',
		'',
		'  requests in a, b, d                 40000, 0 failed, 500/s',
		'  commit to last ACK                  2700 ms',
		'  first error to rollback confirmed   2100 ms (aim 3000 ms), with flush 2 that showed it',
		'  proxies restarted                   0',
	])
})

test('the report has the figures in percent and ms', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'sluice-results-'))
	try {
		await writeReport(join(folder, 'report.json'), good)
		expect(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))).toMatchObject({
			requests: 40_000,
			failed: 0,
			versions: [
				{ step: 'a', weight: 0, share: 0, requests: 6000 },
				{ step: 'b 1/2', weight: 10, share: 10.12, requests: 10_000 },
			],
			commitToLastAckMs: 2700,
			firstErrorToRollbackConfirmedMs: 2100,
			proxyRestarts: 0,
			failures: [],
		})
	} finally {
		rmSync(folder, { recursive: true })
	}
})
