import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createGitRepository, readFiles } from '#lab/git-repository.ts'
import { makeTempDirectory } from '#lab/temp.ts'

test('the first commit holds the files, on main, by a fixed identity', async () => {
	using repository = await createGitRepository({ 'mesh/a.yaml': 'a: 1\n', 'README.md': 'hello\n' })
	expect(await repository.git('ls-tree', '-r', '--name-only', 'main')).toBe('README.md\nmesh/a.yaml')
	expect(await repository.git('log', '--format=%an <%ae> %s')).toBe('Sluice Lab <lab@sluice.invalid> First version')
	expect(await repository.head()).toMatch(/^[0-9a-f]{40}$/)
})

test('commits write, change and remove files', async () => {
	using repository = await createGitRepository({ 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' })
	const first = await repository.head()
	const second = await repository.commit('Change', { 'a.yaml': 'a: 2\n', 'b.yaml': null, 'deep/er/c.yaml': 'c: 1\n' })
	expect(second).toBe(await repository.head())
	expect(await repository.git('rev-parse', 'main~1')).toBe(first)
	expect(await repository.git('show', '--name-status', '--format=%s', 'main')).toBe(
		'Change\n\nM\ta.yaml\nD\tb.yaml\nA\tdeep/er/c.yaml',
	)
	expect(readFileSync(join(repository.path, 'a.yaml'), 'utf8')).toBe('a: 2\n')
	expect(await repository.commit('Nothing changed', {})).not.toBe(second)
})

test('a path outside the repository is a mistake of the caller', async () => {
	using repository = await createGitRepository({ a: '' })
	await expect(repository.commit('Escape', { '../b': '' })).rejects.toThrow('inside the repository')
})

test('a Git command that fails tells why', async () => {
	using repository = await createGitRepository({ a: '' })
	await expect(repository.git('checkout', 'nowhere')).rejects.toThrow(/git checkout nowhere: .*nowhere/)
})

test('reads a folder, and removes what it made', async () => {
	using folder = makeTempDirectory('test')
	mkdirSync(join(folder.path, 'x'))
	writeFileSync(join(folder.path, 'x/y.yaml'), 'y: 1\n')
	writeFileSync(join(folder.path, 'z.yaml'), '')
	const files = await readFiles(folder.path)
	expect(files).toEqual({ 'x/y.yaml': 'y: 1\n', 'z.yaml': '' })
	const repository = await createGitRepository(files)
	repository.remove()
	expect(existsSync(repository.path)).toBe(false)
})
