import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { lastLine, runCommand } from '#lab/run-command.ts'

test.for<[string, string, string[], object]>([
	[
		'a good end',
		'/bin/sh',
		['-c', 'echo out; echo err >&2'],
		{ kind: 'exited', code: 0, stdout: 'out\n', stderr: 'err\n' },
	],
	['a bad end', '/bin/sh', ['-c', 'exit 4'], { kind: 'exited', code: 4 }],
	['no such program', '/nowhere/at-all', [], { kind: 'notStarted', reason: 'ENOENT' }],
	['not executable', fileURLToPath(import.meta.url), [], { kind: 'notStarted', reason: 'EACCES' }],
	['killed from outside', '/bin/sh', ['-c', 'kill -9 $$'], { kind: 'killed' }],
	['past its deadline', '/bin/sh', ['-c', 'echo late >&2; exec sleep 60'], { kind: 'killed', stderr: 'late\n' }],
])('%s', async ([, file, parameters, expected]) => {
	expect(await runCommand(file, parameters, { deadlineMs: 500 })).toMatchObject(expected)
})

test('runs with the environment it is given and no other', async () => {
	const outcome = await runCommand('/usr/bin/env', [], { environment: { A: 'b' } })
	expect(outcome).toMatchObject({ kind: 'exited', stdout: 'A=b\n' })
})

test('the last line that says something', () => {
	expect(lastLine('one\ntwo \n\n')).toBe('two')
	expect(lastLine('')).toBe('')
})
