// The project's own test reporter: one line a file as it ends, the failures, the ten slowest tests, and last a line
// `N passed, N failed`. A test that was skipped, marked `todo` or `only`, or a file in which nothing ran, fails the run:
// what a green run says, it has looked at.
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { TestError } from 'vitest'
import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node'

const slowestShown = 10

/** What a run came to. `failed` counts failed tests and everything else that makes the run worthless. */
export type RunTotals = { readonly passed: number; readonly failed: number }

/** With `SLUICE_TEST_TOTALS` in the environment the totals go to that file and the caller prints the last line. */
export function createReporter(): Reporter {
	let vitest: Vitest | null = null
	return {
		onInit(started) {
			vitest = started
		},
		onUserConsoleLog({ content }) {
			say(content.trimEnd())
		},
		onTestModuleEnd(file) {
			sayFile(file)
		},
		onTestRunEnd(files, unhandled, reason) {
			// A run by `-t NAME` leaves tests out on purpose.
			const isNarrowed = vitest?.config.testNamePattern !== undefined
			const objections = [
				...(isNarrowed ? [] : files.flatMap(objectionsTo)),
				...(files.length === 0 ? ['no test file was found'] : []),
				...(reason === 'interrupted' ? ['the run was interrupted'] : []),
			]
			for (const error of unhandled) sayError('outside of any test', error)
			saySlowest(files)
			for (const objection of objections) say(`FAIL ${objection}`)
			finish({
				passed: casesOf(files).filter((test) => test.result().state === 'passed').length,
				failed: files.map(failuresIn).reduce((sum, count) => sum + count, unhandled.length + objections.length),
			})
		},
	}
}

function finish(totals: RunTotals): void {
	if (totals.failed > 0) process.exitCode = 1
	const file = process.env.SLUICE_TEST_TOTALS
	if (file === undefined) say(`${totals.passed} passed, ${totals.failed} failed`)
	else writeFileSync(file, JSON.stringify(totals))
}

function sayFile(file: TestModule): void {
	const count = [...file.children.allTests()].length
	const ms = Math.round(file.diagnostic().duration)
	say(
		`${failuresIn(file) === 0 ? 'ok  ' : 'FAIL'} ${nameOf(file)} (${count} ${count === 1 ? 'test' : 'tests'}, ${ms} ms)`,
	)
	for (const error of errorsAround(file)) sayError(nameOf(file), error)
	for (const test of file.children.allTests('failed')) {
		for (const error of test.result().errors ?? []) sayError(`${nameOf(file)} > ${test.fullName}`, error)
	}
}

/** What a file's own code, its suites and their hooks threw. */
function errorsAround(file: TestModule): SerializedError[] {
	return [...file.errors(), ...[...file.children.allSuites()].flatMap((suite) => suite.errors())]
}

function failuresIn(file: TestModule): number {
	return errorsAround(file).length + [...file.children.allTests('failed')].length
}

function objectionsTo(file: TestModule): string[] {
	const tests = [...file.children.allTests()]
	const idle = tests.filter((test) => ['skipped', 'pending'].includes(test.result().state))
	const only = tests.filter((test) => test.options.mode === 'only')
	const ran = tests.length - idle.length
	return [
		...idle.map((test) => `${nameOf(file)} > ${test.fullName}: was not run (${test.options.mode})`),
		...only.map((test) => `${nameOf(file)} > ${test.fullName}: is marked only`),
		...(ran === 0 ? [`${nameOf(file)}: no test was run`] : []),
	]
}

function saySlowest(files: readonly TestModule[]): void {
	const timed = casesOf(files).map((test) => ({ test, ms: test.diagnostic()?.duration ?? 0 }))
	const slowest = timed.sort((left, right) => right.ms - left.ms).slice(0, slowestShown)
	say('', 'slowest:')
	for (const { test, ms } of slowest)
		say(`  ${String(Math.round(ms)).padStart(6)} ms  ${nameOf(test.module)} > ${test.fullName}`)
}

function casesOf(files: readonly TestModule[]): TestCase[] {
	return files.flatMap((file) => [...file.children.allTests()])
}

function nameOf(file: TestModule): string {
	return relative(file.project.config.root, file.moduleId)
}

function sayError(where: string, error: TestError | SerializedError): void {
	say('', `FAIL ${where}`, `${error.name ?? 'Error'}: ${error.message}`)
	if (typeof error.diff === 'string') say(error.diff)
	const frames = (error.stacks ?? []).map(({ file, line, column }) => `    at ${file}:${line}:${column}`)
	say(...frames, '')
}

function say(...lines: string[]): void {
	for (const line of lines) process.stdout.write(`${line}\n`)
}
