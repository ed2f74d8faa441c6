// `npm test`: types, lint, unused code, then every test, in that order and whatever the earlier ones say. The last line
// is `N passed, N failed`; each of the first three counts as one. `npm test -- PATTERN …` hands its arguments to vitest
// and runs only that.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunTotals } from '../test/reporter.ts'
import { runTool } from './run-tool.ts'

const checks = [
	{ name: 'types', tool: 'tsc', parameters: ['--noEmit'] },
	{ name: 'lint', tool: 'biome', parameters: ['check', '--error-on-warnings', '--max-diagnostics=100'] },
	{ name: 'unused code', tool: 'knip', parameters: [] },
] as const

function main(given: readonly string[]): number {
	const checked = given.length === 0 ? runChecks() : { passed: 0, failed: 0 }
	const tested = runTests(given)
	const passed = checked.passed + tested.passed
	const failed = checked.failed + tested.failed
	console.log(`${passed} passed, ${failed} failed`)
	return failed === 0 ? 0 : 1
}

function runChecks(): RunTotals {
	let failed = 0
	for (const { name, tool, parameters } of checks) {
		const code = runTool(tool, parameters)
		console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${tool})`)
		if (code !== 0) failed += 1
	}
	return { passed: checks.length - failed, failed }
}

/** Runs vitest. A run that ended without totals, or badly in spite of them, counts as one more failure. */
function runTests(given: readonly string[]): RunTotals {
	const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'))
	const file = join(folder, 'totals.json')
	const code = runTool('vitest', ['run', ...given], { SLUICE_TEST_TOTALS: file })
	const totals = readTotals(file)
	rmSync(folder, { recursive: true })
	if (code === 0 || totals.failed > 0) return totals
	console.log(`FAIL vitest ended with ${code}`)
	return { ...totals, failed: 1 }
}

function readTotals(file: string): RunTotals {
	try {
		return JSON.parse(readFileSync(file, 'utf8'))
	} catch (error) {
		console.log(`FAIL the test run left no totals: ${error instanceof Error ? error.message : error}`)
		return { passed: 0, failed: 1 }
	}
}

process.exitCode = main(process.argv.slice(2))
