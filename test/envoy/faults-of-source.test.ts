// What may happen to the place where the mesh comes from, through the daemon itself: it goes on serving the last good
// version, says what is wrong and what a person can do, and follows the source again by itself.

import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePorts } from '#lab/ports.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { connectProxy } from './fixtures/raw-proxy.ts'
import { runSluice, runToEnd, startSluice, stateDirectoryIn } from './fixtures/sluice-process.ts'
import {
	askStatus,
	expectRecovered,
	expectRefused,
	goodRoute,
	mend,
	readExample,
	routeFile,
	servedNow,
	spareFile,
	type WatchedDaemon,
	watchDaemon,
} from './fixtures/watched-daemon.ts'

describe('a branch', () => {
	let daemon: WatchedDaemon
	beforeAll(async () => {
		daemon = await watchDaemon()
	})
	afterAll(() => daemon[Symbol.asyncDispose]())

	/** Looks at the source, and waits until it is refused. */
	async function lookAndRefuse(): Promise<void> {
		const from = daemon.sluice.lines.length
		daemon.sluice.look()
		await daemon.sluice.logged('revision.refused', from)
	}

	/** Another version of the newest commit in its place: history that does not follow. */
	async function rewriteBranch(): Promise<string> {
		const { repository } = daemon
		writeFileSync(join(repository.path, routeFile), goodRoute())
		await repository.git('commit', '--quiet', '--all', '--amend', '--no-verify', '-m', 'Rewritten')
		return repository.head()
	}

	function accept(commit: string) {
		return runSluice('accept', commit, '--reason', 'it is meant', '--http', daemon.sluice.http)
	}

	/** A person takes the commit in. */
	async function expectAccepted(commit: string): Promise<void> {
		const from = daemon.sluice.lines.length
		expect(await accept(commit)).toMatchObject({ code: 0, stdout: `revision ${commit} is taken in\n` })
		await daemon.sluice.logged('revision.acceptedByHand', from)
		await daemon.sluice.logged('mesh.applied', from)
		await expectRecovered(daemon, commit)
	}

	test('whose repository cannot be reached: it is tried again until it can', async () => {
		const { repository, sluice, resident } = daemon
		const commit = await repository.commit('Good', { [routeFile]: goodRoute() })
		const away = `${repository.path}-away`
		const inForce = (await sluice.status()).accepted?.id ?? ''
		renameSync(repository.path, away)
		const from = sluice.lines.length
		sluice.look()
		await sluice.logged('git.poll.failed', from)
		const { exit, text, status } = await askStatus(sluice)
		const served = await servedNow(sluice)
		renameSync(away, repository.path)
		expect(served).toEqual(resident.holding())
		expect(exit, 'what is in force is well').toBe(0)
		const why = `SL0001: cannot read main of ${repository.path}: fatal: '${repository.path}' does not appear to be a git repository`
		expect(status.source).toMatchObject({ kind: 'unreachable', text: expect.stringContaining(why) })
		expect(status.headline.level).toBe('attention')
		expect(text).toContain(`✗ ATTENTION ${inForce.slice(0, 12)} stays in force: ${why}`)
		expect(text).toMatch(/^source {4}unreachable, read \d+s ago: SL0001/m)
		expect(status.refused).toBeNull()
		// No signal: it looks by itself.
		await sluice.logged('mesh.applied', from)
		await expectRecovered(daemon, commit)
	})

	const rewritten = (commit: string, inForce: string) => ({
		code: 'SL0002',
		place: 'revision',
		message: `main was rewritten: ${commit.slice(0, 12)} does not follow ${inForce.slice(0, 12)}, the last commit taken`,
		hint: 'restore the branch, or accept the rewritten one',
	})

	test('that was rewritten: held until it is restored', async () => {
		const { repository, sluice } = daemon
		const inForce = await repository.head()
		const commit = await rewriteBranch()
		await lookAndRefuse()
		await expectRefused(daemon, commit, rewritten(commit, inForce))
		await repository.git('reset', '--quiet', '--hard', inForce)
		const from = sluice.lines.length
		sluice.look()
		await sluice.logged('revision.seenAgain', from)
		expect(await sluice.status()).toMatchObject({ refused: null, headline: { level: 'settled' } })
		await mend(daemon)
	})

	test('that was rewritten: taken in when a person accepts it, and then followed', async () => {
		const inForce = await daemon.repository.head()
		const commit = await rewriteBranch()
		await lookAndRefuse()
		expect((await askStatus(daemon.sluice)).text).toContain(
			`To take it in all the same: sluice accept ${commit} --reason TEXT`,
		)
		expect(await accept(inForce), 'another one').toMatchObject({
			code: 1,
			stderr: `sluice: no revision ${inForce} waits to be accepted\n`,
		})
		await expectAccepted(commit)
		await mend(daemon)
	})

	test('that takes back a broken commit by rewriting', async () => {
		const { repository, sluice } = daemon
		const inForce = await repository.head()
		await repository.commit('Broken', { [routeFile]: 'kind: Rout' })
		await lookAndRefuse()
		await repository.git('reset', '--quiet', '--hard', inForce)
		const from = sluice.lines.length
		sluice.look()
		await sluice.logged('revision.seenAgain', from)
		await mend(daemon)
	})

	test('that was deleted', async () => {
		const { repository } = daemon
		const inForce = await repository.head()
		await repository.git('update-ref', '-d', 'refs/heads/main')
		await lookAndRefuse()
		await expectRefused(daemon, null, {
			code: 'SL0003',
			place: 'revision',
			message: `${repository.path} has no branch main: it was deleted or renamed, or nothing was pushed yet`,
			hint: 'push the branch, or name another one',
		})
		await repository.git('update-ref', 'refs/heads/main', inForce)
		await mend(daemon)
	})

	test('whose folder was emptied', async () => {
		const { repository } = daemon
		const files = await readExample()
		const commit = await repository.commit('Empty', Object.fromEntries(Object.keys(files).map((file) => [file, null])))
		await lookAndRefuse()
		await expectRefused(daemon, commit, {
			code: 'SL0003',
			place: 'revision',
			message: 'the repository holds no *.yaml or *.yml on main',
			hint: 'put the files back, check the path, or accept the empty mesh',
		})
		await mend(daemon, files)
	})

	test('that deletes much at once: held until a person accepts it', async () => {
		const { repository } = daemon
		const commit = await repository.commit('Delete', { [spareFile]: null, [routeFile]: goodRoute() })
		await lookAndRefuse()
		const spares = ['five', 'four', 'one', 'six', 'three'].map((name) => `mesh/apps/virtualNode/spare-${name}`)
		await expectRefused(daemon, commit, {
			code: 'SL0004',
			place: 'revision',
			message: `this revision deletes 6 of 15 resources at once (${spares.join(', ')}, …); 3 are allowed`,
			hint: 'delete in smaller commits, or take it in with `sluice accept REVISION --reason TEXT`',
		})
		await expectAccepted(commit)
		await mend(daemon)
	})
})

describe('a folder', () => {
	test('that was emptied, and filled again', async () => {
		using directory = makeTempDirectory('folder')
		using mesh = makeTempDirectory('mesh')
		const write = (files: Readonly<Record<string, string>>) => {
			for (const [file, content] of Object.entries(files)) writeFileSync(join(mesh.path, file), content)
		}
		const files = await readExample()
		write(files)
		await using sluice = await startSluice({ folder: directory.path, parameters: ['--folder', mesh.path] })
		await sluice.logged('mesh.applied', 0)
		const resident = await connectProxy(sluice.xdsPort, 'resident')
		const before = resident.holding()

		// The watcher sees it by itself.
		const from = sluice.lines.length
		for (const file of Object.keys(files)) rmSync(join(mesh.path, file))
		await sluice.logged('revision.refused', from)
		const { exit, text, status } = await askStatus(sluice)
		expect(exit).toBe(3)
		expect(text).toContain(`error[SL0003]: ${mesh.path} holds no *.yaml or *.yml`)
		expect(text).toContain('= help: put the files back, or accept the empty mesh')
		expect(status.refused?.diagnostics[0]?.code).toBe('SL0003')
		expect(await servedNow(sluice)).toEqual(before)

		write({ ...files, [routeFile]: goodRoute() })
		await sluice.logged('mesh.applied', from)
		expect((await resident.take()).type).toBe('route')
		expect(await servedNow(sluice)).toEqual(resident.holding())
		expect(await sluice.status()).toMatchObject({ refused: null, headline: { level: 'settled' } })
		await resident.leave()
	})
})

describe('a daemon', () => {
	test('that starts while Git is down serves what it last took in', async () => {
		await using daemon = await watchDaemon()
		const { repository, folder } = daemon
		const served = daemon.resident.holding()
		await daemon.sluice.stop()
		const away = `${repository.path}-away`
		renameSync(repository.path, away)
		await using sluice = await startSluice({ folder, parameters: ['--repo', repository.path] })
		const resident = await connectProxy(sluice.xdsPort, 'resident')
		expect(resident.holding()).toEqual(served)
		await sluice.logged('git.poll.failed', 0)
		const { exit, text } = await askStatus(sluice)
		renameSync(away, repository.path)
		expect(exit).toBe(0)
		expect(text).toMatch(/^✗ ATTENTION [0-9a-f]{12} stays in force: SL0001: cannot read main of /)
		expect(text).toContain('source    unreachable, never read: SL0001')
		const events = sluice.lines.map(({ event }) => event)
		expect(events.indexOf('git.poll.failed')).toBeGreaterThan(events.indexOf('daemon.started'))
		await mend({ ...daemon, sluice, resident })
		await resident.leave()
	})

	test('tells nobody the password of its repository', async () => {
		using directory = makeTempDirectory('secret')
		// Free a moment ago: nobody answers there.
		const [port = 0] = await freePorts('127.0.0.1', 1)
		const address = `https://127.0.0.1:${port}/mesh.git`
		const environment = { SLUICE_REPO: address.replace('//', '//deployer:s3cr%2Ft@') }
		await using sluice = await startSluice({ folder: directory.path, parameters: [], environment })
		await sluice.logged('git.poll.failed', 0)
		const { exit, text, status } = await askStatus(sluice)
		expect(exit, 'nothing is in force yet').toBe(5)
		const why = `SL0001: cannot read main of ${address}: `
		expect(status.source.text.startsWith(why)).toBe(true)
		expect(text).toContain(`‖ HELD no revision yet: ${why}`)
		const told = await Promise.all(
			['/metrics', '/api/v1/status', '/readyz'].map(async (path) =>
				(await fetch(`http://${sluice.http}${path}`)).text(),
			),
		)
		const { stdout: config } = await runToEnd({ folder: directory.path, parameters: ['--print-config'], environment })
		expect(config).toContain(`"https://***@127.0.0.1:${port}/mesh.git"`)
		await sluice.stop()
		const state = stateDirectoryIn(directory.path)
		const stored = readdirSync(state, { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
		expect(stored.length).toBeGreaterThan(0)
		const everything = [sluice.output(), text, JSON.stringify(status), config, ...told, ...stored].join('\n')
		expect(everything).toContain(address)
		const secrets = ['s3cr', 'deployer:', Buffer.from('deployer:s3cr/t').toString('base64')]
		expect(secrets.filter((secret) => everything.includes(secret))).toEqual([])
	})
})
