import { execFileSync } from 'node:child_process'
import {
	chmodSync,
	closeSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { createGitSource, type GitSourceOptions } from '#source/git-source.ts'
import type { Source, SourceEvent } from '#source/source.ts'
import { createEventQueue, type EventQueue } from '../../fakes/event-queue.ts'
import { createGitRepository, type GitRepository } from '../../fakes/git-repository.ts'
import { createManualClock, type ManualClock } from '../../fakes/manual-clock.ts'

// Every test runs dozens of git processes.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let home: string
let mirrorDir: string
let repository: GitRepository
let clock: ManualClock
let events: EventQueue<SourceEvent>
/** Commits whose content is refused after they were handed on; all others are accepted. */
let unreadable: Set<string>
const sources: Source[] = []

beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), 'sluice-git-'))
	mirrorDir = join(home, 'mirror')
	repository = createGitRepository(join(home, 'repository'))
	clock = createManualClock()
	events = createEventQueue()
	unreadable = new Set()
})
afterEach(async () => {
	for (const source of sources.splice(0)) await source.close()
	rmSync(home, { recursive: true, force: true })
})

function open(options: Partial<GitSourceOptions> = {}): Source {
	let accepted: string | null = null
	const source = createGitSource({
		url: repository.directory,
		branch: 'main',
		path: '',
		mirrorDir,
		pollMs: 30_000,
		clock,
		random: () => 0.5,
		log: silentLog,
		emit(event) {
			if (event.kind === 'revision' && !unreadable.has(event.revision.id)) accepted = event.revision.id
			events.emit(event)
		},
		accepted: () => accepted,
		...options,
	})
	sources.push(source)
	return source
}

/** Looks once; the event of that look. */
async function look(source: Source): Promise<SourceEvent> {
	await source.poll()
	return events.next()
}

/** What an event says, for comparison: the id or the codes. */
function gist(event: SourceEvent): unknown {
	switch (event.kind) {
		case 'revision':
			return ['revision', event.revision.id]
		case 'unchanged':
			return ['unchanged', event.id]
		case 'refused':
			return ['refused', ...event.diagnostics.map((diagnostic) => diagnostic.code)]
		case 'unreachable':
			return ['unreachable']
	}
}

function textsOf(event: SourceEvent): Record<string, string> {
	if (event.kind !== 'revision') throw new Error(`no revision: ${JSON.stringify(event)}`)
	return Object.fromEntries([...event.revision.files].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]))
}

describe('a branch', () => {
	test('is handed on whole, with who and what', async () => {
		const id = repository.commit({ 'b.yaml': 'b\n', 'a/c.yml': 'c\r\n\u0000' }, 'Shift a quarter\n\nAnd why.')
		const event = await look(open())
		expect(event).toMatchObject({
			kind: 'revision',
			revision: { id, author: 'Ada Author', message: 'Shift a quarter', timeMs: Date.UTC(2024, 0, 2, 3, 4, 6) },
		})
		expect(Object.entries(textsOf(event))).toEqual([
			['a/c.yml', 'c\r\n\u0000'],
			['b.yaml', 'b\n'],
		])
	})

	test('gives the YAML below its path only, and nothing hidden', async () => {
		repository.commit({
			'mesh/a.yaml': 'a',
			'mesh/deep/b.yml': 'b',
			'mesh/README.md': 'no YAML',
			'mesh/.draft.yaml': 'hidden',
			'mesh/.github/ci.yml': 'hidden',
			'mesh-config/c.yaml': 'another folder',
			'd.yaml': 'above',
		})
		expect(Object.keys(textsOf(await look(open({ path: './mesh/' }))))).toEqual(['mesh/a.yaml', 'mesh/deep/b.yml'])
		rmSync(mirrorDir, { recursive: true })
		expect(Object.keys(textsOf(await look(open({ path: '' }))))).toContain('d.yaml')
	})

	test('is unchanged until it moves, and then its newest commit counts', async () => {
		const first = repository.commit({ 'a.yaml': '1' })
		const source = open()
		expect(gist(await look(source))).toEqual(['revision', first])
		expect(gist(await look(source))).toEqual(['unchanged', first])
		repository.commit({ 'a.yaml': '2' })
		const third = repository.commit({ 'a.yaml': '3' })
		const event = await look(source)
		expect(gist(event)).toEqual(['revision', third])
		expect(textsOf(event)).toEqual({ 'a.yaml': '3' })
	})

	test('is not fetched while it stands where the state was made from', async () => {
		const id = repository.commit({ 'a.yaml': '1' })
		expect(gist(await look(open({ accepted: () => id })))).toEqual(['unchanged', id])
		expect(readdirSync(mirrorDir)).toEqual([])
	})

	test('may move on while the daemon is down', async () => {
		const id = repository.commit({ 'a.yaml': '1' })
		const next = repository.commit({ 'a.yaml': '2' })
		expect(gist(await look(open({ accepted: () => id })))).toEqual(['revision', next])
	})

	test('is watched by a timer with jitter', async () => {
		const id = repository.commit({ 'a.yaml': '1' })
		const draws = [0, 0.75]
		open({ random: () => draws.shift() ?? 0 }).start()
		expect(gist(await events.next())).toEqual(['revision', id])
		await untilIdle()
		expect(clock.pendingMs()).toEqual([27_000])
		clock.advance(27_000)
		expect(gist(await events.next())).toEqual(['unchanged', id])
		await untilIdle()
		expect(clock.pendingMs()).toEqual([31_500])
	})

	test('may live in a repository of SHA-256', async () => {
		const modern = createGitRepository(join(home, 'modern'), ['--object-format=sha256'])
		repository.commit({ 'a.yaml': 'sha1' })
		expect(textsOf(await look(open()))).toEqual({ 'a.yaml': 'sha1' })
		const id = modern.commit({ 'a.yaml': 'sha256' })
		expect(id).toHaveLength(64)
		expect(textsOf(await look(open({ url: modern.directory })))).toEqual({ 'a.yaml': 'sha256' })
	})

	test('with as many files as are accepted is read by a handful of processes', async () => {
		const blob = repository.blob('same')
		repository.commit({ 'first.yaml': '' })
		const names = Array.from({ length: limits.revisionFiles }, (_, index) => `${String(index).padStart(5, '0')}.yaml`)
		repository.commitTree(names.map((name) => `100644 blob ${blob}\t${name}`))
		const event = await look(open())
		expect(Object.keys(textsOf(event))).toEqual(names)
		expect(textsOf(event)['09999.yaml']).toBe('same')
	})

	test('takes what steers a terminal out of author and subject', async () => {
		repository.git(['config', 'user.name', 'unused'])
		repository.commit({ 'a.yaml': '1' }, 'a \u001b[31mred\u202e subject')
		expect(await look(open())).toMatchObject({ revision: { message: 'a [31mred subject' } })
	})
})

describe('a rewritten branch', () => {
	let first: string
	let second: string
	let source: Source

	beforeEach(async () => {
		first = repository.commit({ 'a.yaml': '1' })
		second = repository.commit({ 'a.yaml': '2' })
		source = open()
		await look(source)
	})

	function rewrite(): string {
		repository.git(['reset', '--quiet', '--hard', first])
		return repository.commit({ 'a.yaml': 'other' }, 'Another second')
	}

	test('is refused at each look until it is restored', async () => {
		const other = rewrite()
		const refused = await look(source)
		expect(refused).toMatchObject({ kind: 'refused', acceptable: true, revision: { id: other } })
		expect(gist(refused)).toEqual(['refused', 'SL0002'])
		expect(await look(source)).toEqual(refused)
		repository.git(['reset', '--quiet', '--hard', second])
		expect(gist(await look(source))).toEqual(['unchanged', second])
	})

	test('is refused when it goes back to an older commit', async () => {
		repository.git(['reset', '--quiet', '--hard', first])
		expect(gist(await look(source))).toEqual(['refused', 'SL0002'])
	})

	test('is taken when a person accepts that very commit, and then followed', async () => {
		const other = rewrite()
		await look(source)
		await source.accept(second)
		expect(gist(await events.next())).toEqual(['refused', 'SL0002'])
		await source.accept(other)
		expect(gist(await events.next())).toEqual(['revision', other])
		const next = repository.commit({ 'a.yaml': 'next' })
		expect(gist(await look(source))).toEqual(['revision', next])
	})

	test('is followed again when it takes back a commit whose content was refused', async () => {
		const bad = repository.commit({ 'a.yaml': 'bad' })
		unreadable.add(bad)
		expect(gist(await look(source))).toEqual(['revision', bad])
		expect(gist(await look(source)), 'told once').toEqual(['unchanged', bad])
		repository.git(['reset', '--quiet', '--hard', second])
		expect(gist(await look(source))).toEqual(['unchanged', second])
		repository.git(['reset', '--quiet', '--hard', bad])
		expect(gist(await look(source)), 'it is back').toEqual(['revision', bad])
		repository.git(['reset', '--quiet', '--hard', second])
		const next = repository.commit({ 'a.yaml': 'next' })
		expect(gist(await look(source))).toEqual(['revision', next])
	})

	test('is not taken when it moved after the person looked', async () => {
		const seen = rewrite()
		await look(source)
		repository.commit({ 'a.yaml': 'slipped in' })
		await source.accept(seen)
		expect(gist(await events.next())).toEqual(['refused', 'SL0002'])
	})

	test('is refused by a daemon that starts with it', async () => {
		rewrite()
		expect(gist(await look(open({ accepted: () => second })))).toEqual(['refused', 'SL0002'])
		rmSync(mirrorDir, { recursive: true })
		expect(gist(await look(open({ accepted: () => second })))).toEqual(['refused', 'SL0002'])
		expect(gist(await look(open({ accepted: () => 'folder:1234' })))).toEqual(['refused', 'SL0002'])
	})
})

describe('a branch without a mesh', () => {
	test('is refused when it is gone, and goes on where it was', async () => {
		const id = repository.commit({ 'a.yaml': '1' })
		const source = open()
		await look(source)
		repository.git(['branch', '--move', 'main', 'renamed'])
		const refused = await look(source)
		expect(refused).toMatchObject({ kind: 'refused', revision: null, acceptable: false })
		expect(gist(refused)).toEqual(['refused', 'SL0003'])
		repository.git(['branch', '--move', 'renamed', 'main'])
		expect(gist(await look(source))).toEqual(['unchanged', id])
	})

	test('is refused in an empty repository', async () => {
		expect(gist(await look(open()))).toEqual(['refused', 'SL0003'])
	})

	test('is not confused with a longer name that ends like it', async () => {
		repository.commit({ 'a.yaml': '1' })
		repository.git(['update-ref', 'refs/heads/x/refs/heads/main', 'HEAD'])
		repository.git(['checkout', '--quiet', '--detach'])
		repository.git(['branch', '--delete', '--force', 'main'])
		expect(gist(await look(open()))).toEqual(['refused', 'SL0003'])
	})

	test('is refused when its last file is gone, and taken when a person accepts that', async () => {
		repository.commit({ 'a.yaml': '1', 'README.md': 'x' })
		const source = open()
		await look(source)
		const empty = repository.commit({ 'a.yaml': null })
		const refused = await look(source)
		expect(refused).toMatchObject({ kind: 'refused', acceptable: true, revision: { id: empty } })
		expect(gist(refused)).toEqual(['refused', 'SL0003'])
		await source.accept(empty)
		const taken = await events.next()
		expect(gist(taken)).toEqual(['revision', empty])
		expect(textsOf(taken)).toEqual({})
	})

	test('is refused when its path is not there, or no folder', async () => {
		repository.commit({ 'a.yaml': '1' })
		expect(gist(await look(open({ path: 'mesh' })))).toEqual(['refused', 'SL0003'])
		expect(gist(await look(open({ path: 'a.yaml' })))).toEqual(['refused', 'SL0003'])
	})
})

describe('a hostile tree', () => {
	let plain: string
	beforeEach(() => {
		repository.commit({ 'first.yaml': '' })
		plain = repository.blob('plain')
	})

	const places: [string, (blob: string) => string, string, string][] = [
		['a symbolic link', (blob) => `120000 blob ${blob}\tlink.yaml`, 'SL0006', 'link.yaml'],
		['a submodule', () => `160000 commit ${'1'.repeat(40)}\tsub`, 'SL0006', 'sub'],
		['a control character', (blob) => `100644 blob ${blob}\ta\u001b[2J.yaml`, 'SL0006', 'a\\u001b[2J.yaml'],
		['a right-to-left mark', (blob) => `100644 blob ${blob}\ta\u202elmay.yaml`, 'SL0006', 'a\\u202elmay.yaml'],
		['a backslash', (blob) => `100644 blob ${blob}\ta\\..\\b.yaml`, 'SL0006', 'a\\..\\b.yaml'],
		['a decomposed letter', (blob) => `100644 blob ${blob}\tu\u0308.yaml`, 'SL0006', 'u\u0308.yaml'],
	]
	test.for(places)('with %s is refused whole, by name', async ([, line, code, file]) => {
		const id = repository.commitTree([`100644 blob ${plain}\tgood.yaml`, line(plain)])
		const event = await look(open())
		expect(event).toMatchObject({ kind: 'refused', acceptable: false, revision: { id }, diagnostics: [{ code, file }] })
	})

	test('is refused even when a person accepts it', async () => {
		const id = repository.commitTree([`120000 blob ${plain}\tlink.yaml`])
		const source = open()
		await look(source)
		await source.accept(id)
		expect(gist(await events.next())).toEqual(['refused', 'SL0006'])
	})

	test('with links that are no mesh files is read', async () => {
		repository.commitTree([`100644 blob ${plain}\tgood.yaml`, `120000 blob ${plain}\tCLAUDE.md`])
		expect(textsOf(await look(open()))).toEqual({ 'good.yaml': 'plain' })
	})

	test('with a rewrite, a link and a large file is told all of it', async () => {
		const large = repository.blob('x'.repeat(limits.fileBytes + 1))
		repository.commitTree([`100644 blob ${large}\tlarge.yaml`, `120000 blob ${plain}\tlink.yaml`])
		const event = await look(open({ accepted: () => '2'.repeat(40) }))
		expect(gist(event)).toEqual(['refused', 'SL0002', 'SL0005', 'SL0006'])
		expect(event).toMatchObject({ acceptable: false })
	})

	test('with too many files, or too much in them, is refused', async () => {
		const names = Array.from({ length: limits.revisionFiles + 1 }, (_, index) => `${index}.yaml`)
		repository.commitTree(names.map((name) => `100644 blob ${plain}\t${name}`))
		expect(gist(await look(open()))).toEqual(['refused', 'SL0005'])
		const full = repository.blob('x'.repeat(limits.fileBytes))
		repository.commitTree(names.slice(0, 65).map((name) => `100644 blob ${full}\t${name}`))
		expect(gist(await look(open()))).toEqual(['refused', 'SL0005'])
	})

	test('that unfolds without end is refused, not read', async () => {
		let line = `100644 blob ${plain}\tleaf.yaml`
		for (let depth = 0; depth < 8; depth += 1) {
			const lines = Array.from({ length: 12 }, (_, index) => line.replace(/\t.*/, `\t${index}-${'n'.repeat(200)}.yaml`))
			const tree = repository.git(['mktree', '-z'], lines.map((each) => `${each}\0`).join(''))
			line = `040000 tree ${tree}\ttop`
		}
		repository.commitTree([line])
		const source = open()
		expect(gist(await look(source))).toEqual(['refused', 'SL0005'])
		repository.commitTree([`100644 blob ${plain}\tgood.yaml`])
		expect(textsOf(await look(source))).toEqual({ 'good.yaml': 'plain' })
	})

	test('makes git run nothing', async () => {
		const canary = join(home, 'canary')
		const hook = `#!/bin/sh\ntouch '${canary}'\n`
		mkdirSync(join(mirrorDir, 'hooks'), { recursive: true })
		repository.commit({ '.gitattributes': '* filter=evil', '.gitmodules': '', 'a.yaml': '1' })
		const source = open()
		await look(source)
		for (const name of ['reference-transaction', 'post-update', 'pre-auto-gc', 'post-checkout']) {
			mkdirSync(join(mirrorDir, 'hooks'), { recursive: true })
			writeFileSync(join(mirrorDir, 'hooks', name), hook)
			chmodSync(join(mirrorDir, 'hooks', name), 0o755)
		}
		repository.commit({ 'a.yaml': '2' })
		expect(textsOf(await look(source))).toMatchObject({ 'a.yaml': '2' })
		expect(existsSync(canary)).toBe(false)
	})
})

describe('a remote that fails', () => {
	test('is tried again ever later, and works again', async () => {
		const id = repository.commit({ 'a.yaml': '1' })
		renameSync(repository.directory, `${repository.directory}-away`)
		open({ random: () => 0.5 }).start()
		for (const retryInMs of [1000, 2000, 4000]) {
			const event = await events.next()
			expect(event).toMatchObject({ kind: 'unreachable', code: 'SL0001', retryInMs })
			expect(event).toMatchObject({ message: expect.stringContaining(repository.directory) })
			await untilIdle()
			expect(clock.pendingMs()).toEqual([retryInMs])
			if (retryInMs === 4000) renameSync(`${repository.directory}-away`, repository.directory)
			clock.advance(retryInMs)
		}
		expect(gist(await events.next())).toEqual(['revision', id])
		await untilIdle()
		expect(clock.pendingMs()).toEqual([30_000])
	})

	test('tells no secret', async () => {
		// Nothing listens on port 1: the answer is immediate, without a network.
		const source = open({ url: 'https://deploy:s3cr%2Ft@127.0.0.1:1/mesh.git' })
		const event = await look(source)
		expect(event).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('127.0.0.1:1/mesh.git') })
		const credentials = Buffer.from('deploy:s3cr/t').toString('base64')
		expect(JSON.stringify(event)).not.toMatch(/s3cr|deploy/)
		expect(JSON.stringify(event)).not.toContain(credentials)
	})

	test('is told in its own words when git is not there', async () => {
		const event = await look(open({ ambient: { PATH: join(home, 'nowhere') } }))
		expect(event).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('git') })
		expect(event).toMatchObject({ message: expect.stringContaining('ENOENT') })
	})

	test('is given up on at the deadline, and the next look works', async () => {
		const id = repository.commit({ 'a.yaml': '1' })
		const { ambient, started, release, hangAt } = createSshToHere()
		for (const command of [1, 2]) {
			hangAt(command)
			const source = open({ url: `ssh://git@example.invalid${repository.directory}`, ambient })
			const looked = source.poll()
			await started()
			clock.advance(command === 1 ? limits.gitAskDeadlineMs : limits.gitFetchDeadlineMs)
			await looked
			const event = await events.next()
			expect(event).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('took longer than') })
			hangAt(0)
			release()
			expect(gist(await look(source))).toEqual(['revision', id])
			await source.close()
		}
	})

	test('does not keep the source from closing, and nothing is told afterwards', async () => {
		const { ambient, started, release, hangAt } = createSshToHere()
		hangAt(1)
		const source = open({ url: `ssh://git@example.invalid${repository.directory}`, ambient })
		source.start()
		await started()
		await source.close()
		release()
		expect(events.waiting()).toEqual([])
		expect(clock.pendingMs()).toEqual([])
	})
})

describe('a mirror', () => {
	test('is freed of the locks that a killed git left', async () => {
		repository.commit({ 'a.yaml': '1' })
		await look(open())
		const left = ['shallow.lock', 'packed-refs.lock', 'refs/sluice/head.lock', 'objects/pack/tmp_pack_x']
		mkdirSync(join(mirrorDir, 'objects/pack'), { recursive: true })
		for (const path of left) writeFileSync(join(mirrorDir, path), '')
		const id = repository.commit({ 'a.yaml': '2' })
		expect(gist(await look(open()))).toEqual(['revision', id])
		for (const path of left) expect([path, existsSync(join(mirrorDir, path))]).toEqual([path, false])
	})

	const damages: [string, () => void][] = [
		['lost its HEAD', () => rmSync(join(mirrorDir, 'HEAD'))],
		['has garbage for objects', () => spoilObjects()],
		['has garbage for a reference', () => writeFileSync(join(mirrorDir, 'refs/sluice/head'), 'garbage')],
		['lost its objects', () => rmSync(join(mirrorDir, 'objects'), { recursive: true })],
		['is gone', () => rmSync(mirrorDir, { recursive: true })],
	]
	test.for(damages)('that %s is fetched anew', async ([, damage]) => {
		repository.commit({ 'a.yaml': '1', 'b.yaml': 'b' })
		const source = open()
		await look(source)
		damage()
		const id = repository.commit({ 'a.yaml': '2' })
		const event = await look(source)
		expect(gist(event)).toEqual(['revision', id])
		expect(textsOf(event)).toEqual({ 'a.yaml': '2', 'b.yaml': 'b' })
	})

	test('whose place is taken makes the source unreachable, and is made when it is free', async () => {
		const id = repository.commit({ 'a.yaml': '1' })
		writeFileSync(mirrorDir, 'a file')
		const source = open()
		expect(await look(source)).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('EEXIST') })
		rmSync(mirrorDir)
		expect(gist(await look(source))).toEqual(['revision', id])
	})

	function spoilObjects(): void {
		const objects = join(mirrorDir, 'objects')
		const files = readdirSync(objects, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
		expect(files.length).toBeGreaterThan(0)
		for (const file of files) {
			const path = join(file.parentPath, file.name)
			chmodSync(path, 0o600)
			writeFileSync(path, Buffer.alloc(readFileSync(path).length, 7))
		}
	}
})

/** Lets a look that has told its event set its timer. */
async function untilIdle(): Promise<void> {
	await Promise.resolve()
	await Promise.resolve()
}

/**
 * An ssh that runs the command here, without a network. The n-th of them hangs, and outlives its git, until it is
 * released; `started` settles when it runs.
 */
function createSshToHere() {
	const script = join(home, 'ssh')
	const [pipe, release, plan, count] = ['started', 'release', 'hang-at', 'count'].map((name) => join(home, name))
	if (pipe === undefined || release === undefined || plan === undefined || count === undefined) throw new Error('names')
	execFileSync('mkfifo', [pipe, release])
	const lines = [
		'#!/bin/sh',
		`n=$(($(cat '${count}') + 1)); echo $n > '${count}'`,
		`if [ $n = "$(cat '${plan}')" ]; then echo started > '${pipe}'; read line < '${release}'; exit 1; fi`,
		'for command; do :; done',
		'eval "exec $command"',
	]
	writeFileSync(script, `${lines.join('\n')}\n`, { mode: 0o755 })
	return {
		ambient: { PATH: process.env.PATH, GIT_SSH_COMMAND: script },
		started: () => readFile(pipe, 'utf8'),
		release: () => closeSync(openSync(release, 'r+')),
		hangAt(command: number) {
			writeFileSync(plan, String(command))
			writeFileSync(count, '0')
		},
	}
}
