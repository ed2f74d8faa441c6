import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { createFolderSource, type FolderSourceOptions } from '#source/folder-source.ts'
import type { Source, SourceEvent } from '#source/source.ts'
import { createEventQueue, type EventQueue } from '../../fakes/event-queue.ts'
import { createManualClock, type ManualClock } from '../../fakes/manual-clock.ts'

let home: string
let folder: string
let clock: ManualClock
/** The delay of each timer that the source sets, for tests that wait for the watcher. */
let timers: EventQueue<number>
let events: EventQueue<SourceEvent>
const sources: Source[] = []

beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), 'sluice-folder-'))
	folder = join(home, 'mesh')
	mkdirSync(folder)
	clock = createManualClock()
	timers = createEventQueue()
	events = createEventQueue()
})
afterEach(async () => {
	for (const source of sources.splice(0)) await source.close()
	rmSync(home, { recursive: true })
})

function open(options: Partial<FolderSourceOptions> = {}): Source {
	const noted: Clock = {
		...clock,
		setTimer(delayMs, fire) {
			timers.emit(delayMs)
			return clock.setTimer(delayMs, fire)
		},
	}
	const source = createFolderSource({
		folder,
		clock: noted,
		log: silentLog,
		emit: events.emit,
		accepted: () => null,
		...options,
	})
	sources.push(source)
	return source
}

function write(path: string, content: string): void {
	mkdirSync(dirname(join(folder, path)), { recursive: true })
	writeFileSync(join(folder, path), content)
}

async function look(source: Source): Promise<SourceEvent> {
	await source.poll()
	return events.next()
}

function textsOf(event: SourceEvent): Record<string, string> {
	if (event.kind !== 'revision') throw new Error(`no revision: ${JSON.stringify(event)}`)
	return Object.fromEntries([...event.revision.files].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]))
}

function idOf(event: SourceEvent): string {
	if (event.kind === 'revision') return event.revision.id
	throw new Error(`no revision: ${JSON.stringify(event)}`)
}

describe('a folder', () => {
	test('is handed on whole, sorted, named by its content', async () => {
		write('b.yaml', 'b')
		write('a/c.yml', 'c')
		write('README.md', 'no YAML')
		write('.git/config.yaml', 'hidden')
		const event = await look(open())
		expect(Object.entries(textsOf(event))).toEqual([
			['a/c.yml', 'c'],
			['b.yaml', 'b'],
		])
		expect(event).toMatchObject({ revision: { timeMs: 1_700_000_000_000, message: `2 files in ${folder}` } })
		expect(idOf(event)).toMatch(/^folder:[0-9a-f]{64}$/)
	})

	test('is unchanged while its content is, whatever its dates', async () => {
		write('a.yaml', '1')
		const source = open()
		const id = idOf(await look(source))
		utimesSync(join(folder, 'a.yaml'), 1, 1)
		expect(await look(source)).toEqual({ kind: 'unchanged', id })
		expect(await look(open({ accepted: () => id }))).toEqual({ kind: 'unchanged', id })
		write('a.yaml', '2')
		expect(textsOf(await look(source))).toEqual({ 'a.yaml': '2' })
	})

	test('with the same bytes under other names is another revision', async () => {
		write('a.yaml', 'x')
		const source = open()
		const id = idOf(await look(source))
		renameSync(join(folder, 'a.yaml'), join(folder, 'b.yaml'))
		expect(idOf(await look(source))).not.toBe(id)
	})

	test('is looked at again by itself when a file changes, once it is quiet', async () => {
		write('a.yaml', '1')
		open().start()
		expect(textsOf(await events.next())).toEqual({ 'a.yaml': '1' })
		// The watch stands: a look of its own.
		expect(await timers.next()).toBe(limits.folderQuietMs)
		clock.advance(limits.folderQuietMs)
		expect(await events.next()).toMatchObject({ kind: 'unchanged' })
		write('a.yaml', '2')
		expect(await timers.next()).toBe(limits.folderQuietMs)
		expect(events.waiting()).toEqual([])
		clock.advance(limits.folderQuietMs)
		expect(textsOf(await events.next())).toEqual({ 'a.yaml': '2' })
	})

	test('that is emptied is refused, and taken when a person accepts that', async () => {
		write('a.yaml', '1')
		const source = open()
		await look(source)
		rmSync(join(folder, 'a.yaml'))
		const refused = await look(source)
		expect(refused).toMatchObject({ kind: 'refused', acceptable: true, diagnostics: [{ code: 'SL0003' }] })
		if (refused.kind !== 'refused' || refused.revision === null) throw new Error('no revision to accept')
		await source.accept(refused.revision.id)
		expect(textsOf(await events.next())).toEqual({})
		expect(await look(source)).toMatchObject({ kind: 'unchanged' })
	})

	test('that is gone is tried again ever later, and works again', async () => {
		write('a.yaml', '1')
		const source = open()
		const id = idOf(await look(source))
		renameSync(folder, `${folder}-away`)
		for (const retryInMs of [2000, 4000]) {
			const event = await look(source)
			expect(event).toMatchObject({ kind: 'unreachable', code: 'SL0001', retryInMs })
			expect(event).toMatchObject({ message: expect.stringContaining(folder) })
			expect(clock.pendingMs()).toEqual([retryInMs])
		}
		renameSync(`${folder}-away`, folder)
		clock.advance(4000)
		expect(await events.next()).toEqual({ kind: 'unchanged', id })
	})

	test('is not looked at after it was closed', async () => {
		write('a.yaml', '1')
		const source = open()
		source.start()
		await events.next()
		await source.close()
		await source.poll()
		expect(events.waiting()).toEqual([])
		expect(clock.pendingMs()).toEqual([])
	})
})

describe('a mounted ConfigMap', () => {
	/** As the kubelet lays it out: `route.yaml` → `..data/route.yaml`, and `..data` → a folder with a date for a name. */
	function mount(version: string, content: string): void {
		write(`..${version}/route.yaml`, content)
		write(`..${version}/nested/node.yaml`, content)
		symlinkSync(`..${version}`, join(folder, '..data_tmp'))
		renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
	}

	beforeEach(() => {
		mount('2024_01_01', 'one')
		symlinkSync('..data/route.yaml', join(folder, 'route.yaml'))
		symlinkSync('..data/nested', join(folder, 'nested'))
	})

	test('is read through its links, once', async () => {
		expect(textsOf(await look(open()))).toEqual({ 'nested/node.yaml': 'one', 'route.yaml': 'one' })
	})

	test('is seen when it is swapped', async () => {
		open().start()
		expect(textsOf(await events.next())).toMatchObject({ 'route.yaml': 'one' })
		await timers.next()
		clock.advance(limits.folderQuietMs)
		expect(await events.next()).toMatchObject({ kind: 'unchanged' })
		mount('2024_01_02', 'two')
		await timers.next()
		clock.advance(limits.folderQuietMs)
		expect(textsOf(await events.next())).toEqual({ 'nested/node.yaml': 'two', 'route.yaml': 'two' })
	})
})

describe('what is not a plain file inside the folder is refused', () => {
	beforeEach(() => {
		write('good.yaml', 'good')
		writeFileSync(join(home, 'outside.yaml'), 'secret')
		mkdirSync(join(home, 'mesh-outside'))
		writeFileSync(join(home, 'mesh-outside/a.yaml'), 'secret')
	})

	test.for<[string, () => void]>([
		['leads out of the folder', () => symlinkSync('../outside.yaml', join(folder, 'x.yaml'))],
		['leads out of the folder', () => symlinkSync('../mesh-outside', join(folder, 'x'))],
		['leads nowhere', () => symlinkSync('nowhere', join(folder, 'x.yaml'))],
		['leads nowhere', () => symlinkSync('x.yaml', join(folder, 'x.yaml'))],
		['in a circle', () => symlinkSync('.', join(folder, 'x'))],
		['is no file', () => execFileSync('mkfifo', [join(folder, 'x.yaml')])],
	])('%s', async ([why, make]) => {
		make()
		const event = await look(open())
		expect(event).toMatchObject({ kind: 'refused', acceptable: false, revision: null })
		expect(event).toMatchObject({ diagnostics: [{ code: 'SL0006', message: expect.stringContaining(why) }] })
		expect(JSON.stringify(event)).not.toContain('secret')
	})

	test('a file that is too large', async () => {
		write('large.yaml', 'x'.repeat(limits.fileBytes + 1))
		expect(await look(open())).toMatchObject({ diagnostics: [{ code: 'SL0005', file: 'large.yaml' }] })
	})

	test('but a link that is no mesh file is not looked at', async () => {
		symlinkSync('../outside.yaml', join(folder, 'notes.txt'))
		symlinkSync('nowhere', join(folder, 'gone'))
		expect(textsOf(await look(open()))).toEqual({ 'good.yaml': 'good' })
	})
})
