import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { makeTempDirectory } from '#lab/temp.ts'

const source = fileURLToPath(new URL('../../../src/lab/temp.ts', import.meta.url))

test('a directory of its own, removed with what it holds', () => {
	const first = makeTempDirectory('test')
	using second = makeTempDirectory('test')
	expect(first.path).not.toBe(second.path)
	writeFileSync(join(first.path, 'file'), '')
	first.remove()
	first.remove()
	expect(existsSync(first.path)).toBe(false)
	expect(existsSync(second.path)).toBe(true)
})

test.for<[string, string, { code: number | null; left: 'left' | 'removed' }]>([
	['at the end', '', { code: 0, left: 'removed' }],
	['by process.exit', 'process.exit(3)', { code: 3, left: 'removed' }],
	['by an exception', "throw new Error('on purpose')", { code: 1, left: 'removed' }],
	['by SIGTERM', "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)", { code: 143, left: 'removed' }],
	['by SIGINT', "process.kill(process.pid, 'SIGINT'); setInterval(() => {}, 1000)", { code: 130, left: 'removed' }],
	[
		'by SIGTERM that another listener answers',
		"process.on('SIGTERM', () => process.exit(7)); process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)",
		{ code: 7, left: 'removed' },
	],
	['after keep()', 'directory.keep()', { code: 0, left: 'left' }],
])('when the process ends %s', async ([, words, expected]) => {
	using around = makeTempDirectory('test')
	const program = `
		import { makeTempDirectory } from ${JSON.stringify(source)}
		const directory = makeTempDirectory('child')
		console.log(directory.path)
		${words}
	`
	const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
		env: { ...process.env, TMPDIR: around.path },
		stdio: ['ignore', 'pipe', 'ignore'],
	})
	const printed = once(child.stdout, 'data')
	const [code] = await once(child, 'exit')
	const [path] = await printed
	expect({ code, left: existsSync(String(path).trim()) ? 'left' : 'removed' }).toEqual(expected)
})
