import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const passing = "test('passes', () => {})"

const runs = [
	{ name: 'a passing test', body: passing, last: '1 passed, 0 failed', code: 0, says: 'slowest:' },
	{
		name: 'a failing test',
		body: "test('fails', () => expect(1).toBe(2))",
		last: '0 passed, 1 failed',
		code: 1,
		says: 'expected 1 to be 2',
	},
	{
		name: 'a skipped test',
		body: `${passing}\ntest.skip('idle', () => {})`,
		last: '1 passed, 1 failed',
		code: 1,
		says: 'idle: was not run (skip)',
	},
	{
		name: 'a test that skips itself',
		body: `${passing}\ntest('idle', (context) => context.skip())`,
		last: '1 passed, 1 failed',
		code: 1,
		says: 'idle: was not run',
	},
	{
		name: 'a todo',
		body: `${passing}\ntest.todo('idle')`,
		last: '1 passed, 1 failed',
		code: 1,
		says: 'idle: was not run (todo)',
	},
	{
		name: 'an only',
		body: `${passing}\ntest.only('alone', () => {})`,
		last: /, [1-9]\d* failed$/,
		code: 1,
		says: '.only',
	},
	{
		name: 'a skipped suite',
		body: `describe.skip('idle', () => { ${passing} })`,
		last: '0 passed, 2 failed',
		code: 1,
		says: 'no test was run',
	},
	{ name: 'a file without a test', body: '', last: /^0 passed, [1-9]\d* failed$/, code: 1, says: 'sample.test.ts' },
	{
		name: 'a file that throws',
		body: "throw new Error('broken file')",
		last: /^0 passed, [1-9]\d* failed$/,
		code: 1,
		says: 'broken file',
	},
	{
		name: 'a hook that throws',
		body: `beforeAll(() => { throw new Error('broken hook') })\n${passing}`,
		last: /^0 passed, [1-9]\d* failed$/,
		code: 1,
		says: 'broken hook',
	},
	{
		name: 'a promise that nobody awaits',
		body: `test('passes', () => { Promise.reject(new Error('lost')) })`,
		last: '1 passed, 1 failed',
		code: 1,
		says: 'lost',
	},
]

let folder = ''
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'sluice-reporter-'))
	symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
	const reporter = JSON.stringify(join(root, 'test/reporter.ts'))
	writeFileSync(
		join(folder, 'vitest.config.ts'),
		`import { createReporter } from ${reporter}
export default { test: { reporters: [createReporter()], allowOnly: false } }`,
	)
})
afterEach(() => rmSync(folder, { recursive: true }))

test.for(runs)('$name', ({ body, last, code, says }) => {
	const imports = "import { beforeAll, describe, expect, test } from 'vitest'"
	writeFileSync(join(folder, 'sample.test.ts'), `${imports}\n${body}\n`)
	const { SLUICE_TEST_TOTALS: _, ...env } = process.env
	const run = spawnSync(join(root, 'node_modules/.bin/vitest'), ['run'], { cwd: folder, env, encoding: 'utf8' })
	const lines = run.stdout.trimEnd().split('\n')
	expect(lines.at(-1)).toMatch(last)
	expect(run.stdout + run.stderr).toContain(says)
	expect(run.status).toBe(code)
})
