// What may happen to the state directory, through the daemon itself: a second daemon, a newer or a damaged state, a disk
// that takes nothing more while a rollout has to go back.

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256Hex } from '#base/hash.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { initialState } from '#controller/state.ts'
import { lastLine, runCommand } from '#lab/run-command.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { until } from '#lab/until.ts'
import { verifyJournal } from '#store/journal-chain.ts'
import { openSqliteStore } from '#store/sqlite-store.ts'
import { clusterMetrics, metricsMessage, uptime } from '../fixtures/metrics-message.ts'
import { connectProxy, type RawProxy } from './fixtures/raw-proxy.ts'
import { runToEnd, type SluiceProcess, startSluice, stateDirectoryIn } from './fixtures/sluice-process.ts'
import {
	askStatus,
	goodRoute,
	mend,
	readExample,
	routeFile,
	servedNow,
	spareFile,
	watchDaemon,
} from './fixtures/watched-daemon.ts'

test('a second daemon on one state directory is refused, and the first goes on', async () => {
	await using daemon = await watchDaemon()
	const { folder, repository } = daemon
	const second = await runToEnd({ folder, parameters: ['--repo', repository.path] })
	const state = stateDirectoryIn(folder)
	expect(second).toMatchObject({ code: 1, stdout: '' })
	expect(lastLine(second.stderr)).toBe(
		`sluice: another process uses the state directory ${state}: stop it, or use another directory`,
	)
	await mend(daemon)
})

describe('a state directory is refused, and left as it is', () => {
	const { schema } = initialState
	const written = makeTempDirectory('state')
	beforeAll(async () => {
		await using sluice = await startSluice({ folder: written.path, parameters: ['--folder', exampleFolder] })
		await sluice.logged('mesh.applied', 0)
	})
	afterAll(written.remove)

	test.for([
		[
			'its database has a newer schema',
			() => 'PRAGMA user_version = 7',
			(file: string) =>
				`${file} has schema 7, this Sluice knows 1: run the Sluice that wrote it, or another state directory`,
		],
		[
			'a newer Sluice wrote the state in it',
			(body: string) => replaceState(body.replace(`"schema":${schema}`, '"schema":99')),
			() =>
				`the stored state cannot be loaded (the state was written by a newer Sluice: schema 99, this one reads 5 to ${schema}): run the Sluice that wrote it, or move the state away`,
		],
		[
			'a Sluice wrote it whose meshes had less in them',
			(body: string) => replaceState(body.replace(`"schema":${schema}`, '"schema":1')),
			() =>
				`the stored state cannot be loaded (the state was written by an older Sluice, whose meshes and rollouts had less in them: schema 1, this one reads 5 to ${schema}): run the Sluice that wrote it, or move the state away`,
		],
		[
			'it is damaged',
			(body: string) => `UPDATE state SET body = '${body.replace('"schema":', '"schema": ')}'`,
			(file: string) =>
				`${file} is damaged (the state does not match its hash): restore it from a backup, or move it away`,
		],
	] as const)('when %s', async ([, change, words]) => {
		using directory = makeTempDirectory('state')
		const options = { folder: directory.path, parameters: ['--folder', exampleFolder] }
		cpSync(stateDirectoryIn(written.path), stateDirectoryIn(directory.path), { recursive: true })
		const file = join(stateDirectoryIn(directory.path), 'sluice.db')
		const database = new DatabaseSync(file)
		database.exec(change(String(database.prepare('SELECT body FROM state').get()?.body)))
		database.close()
		const before = contentOf(file)
		const ending = await runToEnd(options)
		expect(ending).toMatchObject({ code: 1, stdout: '' })
		expect(lastLine(ending.stderr)).toBe(`sluice: ${words(file)}`)
		expect(contentOf(file)).toEqual(before)
	})
})

const exampleFolder = join(import.meta.dirname, '../../mesh-config')

function replaceState(body: string): string {
	return `UPDATE state SET body = '${body.replaceAll("'", "''")}', hash = '${sha256Hex(body)}'`
}

function contentOf(file: string): unknown {
	const database = new DatabaseSync(file, { readOnly: true })
	const rows = ['state', 'epoch', 'journal'].map((table) => database.prepare(`SELECT * FROM ${table}`).all())
	database.close()
	return rows
}

const clusters = { old: 'cds_egress_apps_serviceB_http2_80', young: 'cds_egress_apps_serviceBv2_http2_80' }

/** Tells the daemon what a proxy counts: a flush at each call, the young version failing or not. */
function startCounting(proxy: RawProxy): (health: 'well' | 'failing') => void {
	const stream = proxy.openMetrics()
	const counted = { old: 0, young: 0, failed: 0 }
	let seconds = 0
	return (health) => {
		seconds += 1
		counted.old += 450
		counted.young += 50
		if (health === 'failing') counted.failed += 50
		const ofCluster = (name: string, requests: number, failed: number) =>
			clusterMetrics(name, {
				upstream_rq_total: requests,
				upstream_rq_completed: requests,
				upstream_rq_5xx: failed,
				upstream_rq_active: 0,
				membership_healthy: 1,
				membership_total: 1,
			})
		const metrics = [
			uptime(seconds),
			...ofCluster(clusters.old, counted.old, 0),
			...ofCluster(clusters.young, counted.young, counted.failed),
		]
		const node = seconds === 1 ? { nodeId: proxy.id, instance: proxy.instance } : {}
		stream.write(metricsMessage({ atMs: seconds * 1_000, metrics, ...node }))
	}
}

/** From now on files of the process can be written up to here only: what a full disk is to it, and no other process. */
async function limitFiles({ pid }: SluiceProcess, bytes: '0' | 'unlimited'): Promise<void> {
	const outcome = await runCommand('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
	expect(outcome).toMatchObject({ kind: 'exited', code: 0 })
}

test('a disk that takes nothing more while a rollout goes back', async () => {
	const files = await readExample()
	const policy = 'rollout-policy.yaml'
	const slow = (files[policy] ?? '').replaceAll('minDuration: 3s', 'minDuration: 10m')
	await using daemon = await watchDaemon({ ...files, [policy]: slow })
	const { repository, folder, sluice, resident } = daemon
	const count = startCounting(resident)
	/** Flushes, until the wanted has come. */
	function counting<Value>(health: 'well' | 'failing', wanted: Promise<Value>): Promise<Value> {
		let come: { readonly value: Value } | null = null
		const coming = wanted.then((value) => {
			come = { value }
		})
		const flushed = until({ clock: systemClock, deadlineMs: 15_000, what: 'what flushes bring about' }, async () => {
			if (come === null) count(health)
			return come
		})
		return Promise.all([flushed, coming]).then(([{ value }]) => value)
	}

	const good = resident.holding()
	await repository.commit('Bring in v2', {
		[routeFile]: (files[routeFile] ?? '').replace('weight: 0', 'weight: 100'),
	})
	const from = sluice.lines.length
	sluice.look()
	await counting('well', sluice.logged('rollout.advanced', from))
	await counting('well', resident.take())
	const first = resident.holding()
	expect(first).not.toEqual(good)

	await limitFiles(sluice, '0')
	// Published though nothing can be stored.
	expect((await counting('failing', resident.take())).type).toBe('route')
	expect(resident.holding()).toEqual(good)
	await counting('failing', sluice.logged('store.failed', from))
	const { exit, text, status } = await counting('failing', askStatus(sluice))
	expect(exit).toBe(4)
	expect(status).toMatchObject({ durable: false, storeFailure: expect.stringContaining('the state cannot be written') })
	expect(status.rollouts[0]?.text).toContain('rolled back, not yet durable')
	expect(text).toContain('rolled back, not yet durable')
	expect(text).toContain('store     not durable: the state cannot be written')
	expect(await servedNow(sluice)).toEqual(good)
	expect(sluice.lines.map(({ event }) => event)).not.toContain('rollout.rollingBack')

	await limitFiles(sluice, 'unlimited')
	await counting('failing', sluice.logged('store.recovered', from))
	await counting('failing', sluice.logged('rollout.rolledBack', from))
	const after = await sluice.status()
	expect(after).toMatchObject({ durable: true, storeFailure: null, rollouts: [{ phase: 'rolledBack', step: 1 }] })
	expect(after.rollouts[0]?.text).toMatch(/^rolled back to serviceB 100 %/)
	// What is next is followed as ever.
	const next = sluice.lines.length
	await repository.commit('Go on', { [spareFile]: (files[spareFile] ?? '').replace('one.apps', 'uno.apps') })
	sluice.look()
	await sluice.logged('mesh.applied', next)

	await sluice.stop()
	const opened = await openSqliteStore({ directory: stateDirectoryIn(folder), log: silentLog })
	if (!opened.ok) throw new Error(opened.error.message)
	const journal = await opened.value.readJournal(0, 1_000)
	await opened.value.close()
	expect(verifyJournal(journal)).toMatchObject({ ok: true })
	const told = journal.map(({ entry }) => entry.event).filter((event) => event.startsWith('rollout.'))
	expect(told.filter((event) => event !== 'rollout.held')).toEqual([
		'rollout.started',
		'rollout.advanced',
		'rollout.rollingBack',
		'rollout.rolledBack',
	])
})

test('a disk that takes nothing more when the daemon starts: the last good version is served', async () => {
	await using daemon = await watchDaemon()
	const { folder, repository } = daemon
	const served = daemon.resident.holding()
	await daemon.sluice.stop()
	await using sluice = await startSluice({ folder, parameters: ['--repo', repository.path], fileBytes: '0' })
	const resident = await connectProxy(sluice.xdsPort, 'resident')
	expect(resident.holding()).toEqual(served)
	const { exit, text } = await askStatus(sluice)
	expect(exit).toBe(1)
	expect(text).toContain('ATTENTION the state cannot be stored, nothing moves forward')
	const from = sluice.lines.length
	await repository.commit('Meanwhile', { [routeFile]: goodRoute() })
	sluice.look()
	await sluice.logged('git.poll.failed', from)
	await limitFiles(sluice, 'unlimited')
	await mend({ ...daemon, sluice, resident })
	await resident.leave()
})
