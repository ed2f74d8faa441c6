import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startAppProcess } from '#lab/app-process.ts'
import { startChild } from '#lab/child.ts'
import { startLoadProcess } from '#lab/load-process.ts'
import { markNow } from '#lab/mark.ts'
import { canBind } from '#lab/ports.ts'
import { runLabVerb } from '#lab/verbs.ts'

const address = '127.0.0.1'

test('an app and a load in processes of their own count the same', async () => {
	await using app = await startAppProcess({ name: 'v1', address })
	const begin = markNow()
	const load = await startLoadProcess({ address, port: app.port, authority: 'web.local', ratePerSecond: 500 })
	expect(new Set([process.pid, app.pid, load.pid]).size).toBe(3)
	while ((await load.soFar()).answered < 100);
	const bad = markNow()
	await app.setFailure({ sharePpm: 1_000_000, how: { kind: 'answer', status: 502, delayMs: 0 } })
	while ((await load.soFar()).failed < 50);
	await app.heal()
	const end = markNow()
	const whole = await load.between(begin, end)
	expect(whole.failed).toBeGreaterThanOrEqual(50)
	expect(whole.firstFailure?.monotonicMs).toBeGreaterThan(bad.monotonicMs)
	expect(whole.failures).toEqual({ 502: whole.failed })
	const total = await load.stop()
	const counts = await app.counts()
	expect(total).toMatchObject({ pending: 0, byApp: { v1: counts.requests }, requests: counts.requests })
	expect(counts.byStatus[502]).toBe(total.failed)
})

test('a child that cannot start says why', async () => {
	await using app = await startAppProcess({ name: 'v1', address })
	await expect(startAppProcess({ name: 'v2', address, port: app.port })).rejects.toMatchObject({
		code: 'refused',
		message: expect.stringContaining('EADDRINUSE'),
	})
})

test('calls: one that is unknown, and one to a child that was killed', async () => {
	await using child = await startChild('lab-app', { name: 'v1', address })
	await expect(child.call('fly')).rejects.toMatchObject({ code: 'refused', message: 'lab-app: no call fly' })
	process.kill(child.pid, 'SIGSTOP')
	const unanswered = child.call('counts')
	process.kill(child.pid, 'SIGKILL')
	await expect(unanswered).rejects.toMatchObject({ code: 'exited' })
	await expect(child.call('counts')).rejects.toMatchObject({ code: 'exited' })
})

test('a child ends when its parent is killed', async () => {
	const program = `
		import { startAppProcess } from ${JSON.stringify(fileURLToPath(new URL('../../../src/lab/app-process.ts', import.meta.url)))}
		const app = await startAppProcess({ name: 'v1', address: '127.0.0.1' })
		console.log(app.port)
	`
	const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
		stdio: ['ignore', 'pipe', 'inherit'],
	})
	const [port] = await once(parent.stdout, 'data')
	const socket = connect(Number(port), address)
	socket.on('error', () => {})
	await once(socket, 'connect')
	const closed = new Promise((resolve) => socket.once('close', resolve))
	parent.kill('SIGKILL')
	await closed
	expect(await canBind(address, Number(port))).toMatchObject({ ok: true })
})

test('words that are no verb of the lab are left to others', () => {
	expect(runLabVerb(['demo'])).toBeNull()
	expect(runLabVerb([])).toBeNull()
})
