import { expect, test } from 'vitest'
import { createApp } from '#api/app.ts'
import { silentLog } from '#base/log.ts'
import type { ControllerCommand } from '#controller/commands.ts'
import { startInMemory } from '../../fixtures/daemon-in-memory.ts'

const who = { actor: 'ada', reason: 'the fair' }
const everything = { mesh: null, router: null, route: null }

async function post(path: string, body: object) {
	const daemon = await startInMemory()
	const asked: ControllerCommand[] = []
	const app = createApp({
		address: { host: '127.0.0.1', port: 1 },
		face: {
			...daemon.face,
			command(command) {
				asked.push(command)
				return Promise.resolve({ kind: 'done', text: 'done' })
			},
		},
		clock: daemon.clock,
		log: silentLog,
		version: '0',
		closing: new AbortController().signal,
	})
	const response = await app.request(path, {
		method: 'POST',
		headers: { 'content-type': 'application/json', host: '127.0.0.1' },
		body: JSON.stringify(body),
	})
	return {
		status: response.status,
		message: ((await response.json()) as { error?: { message: string } }).error?.message,
		asked,
		nowMs: daemon.clock.wallMs(),
	}
}

test('what is named, and how long', async () => {
	const { asked, nowMs } = await post('/api/v1/freeze', { ...who, router: 'B', route: 'x', forMs: 60_000 })
	const scope = { mesh: null, router: 'B', route: 'x' }
	expect(asked).toEqual([{ kind: 'freeze', ...who, scope, untilWallMs: nowMs + 60_000 }])
})

test('everything, until a time', async () => {
	const { asked } = await post('/api/v1/freeze', { ...who, until: '2026-12-27T09:00:00+01:00' })
	const untilWallMs = Date.parse('2026-12-27T08:00:00Z')
	expect(asked).toEqual([{ kind: 'freeze', ...who, scope: everything, untilWallMs }])
})

test('a route to take back', async () => {
	const { asked } = await post('/api/v1/rollback', { ...who, router: 'B', route: 'x' })
	expect(asked).toEqual([{ kind: 'rollback', ...who, scope: { mesh: null, router: 'B', route: 'x' } }])
})

test('a rollback names its route', async () => {
	const { status, asked } = await post('/api/v1/rollback', { ...who, router: 'B' })
	expect([status, asked]).toEqual([400, []])
})

test('lifted', async () => {
	const { asked } = await post('/api/v1/unfreeze', { ...who, mesh: 'apps' })
	expect(asked).toEqual([{ kind: 'unfreeze', ...who, scope: { ...everything, mesh: 'apps' } }])
})

test.for([
	[{ reason: '' }, 'reason is required: a text that is not empty'],
	[{ route: 'x' }, 'a route is named with its router'],
	[{ router: 5 }, 'mesh, router and route are names'],
	[{ mesh: 'a/b' }, 'mesh, router and route are names'],
	[
		{ until: '2026-12-27 08:00' },
		'until is a time with its zone, 2026-12-27T08:00:00Z, and forMs a whole number of milliseconds',
	],
	[
		{ until: '2126-13-27T08:00:00Z' },
		'until is a time with its zone, 2026-12-27T08:00:00Z, and forMs a whole number of milliseconds',
	],
	[{ until: '2001-12-27T08:00:00Z' }, 'the freeze would end before it begins'],
	[{ forMs: 0 }, 'the freeze would end before it begins'],
	[{ forMs: 0.5 }, 'until is a time with its zone, 2026-12-27T08:00:00Z, and forMs a whole number of milliseconds'],
	[
		{ forMs: 9_007_199_254_740_991 },
		'a freeze ends within 366 days; leave its end out for one that somebody is to lift',
	],
	[
		{ until: '9999-12-27T08:00:00Z' },
		'a freeze ends within 366 days; leave its end out for one that somebody is to lift',
	],
	[{ forMs: 1, until: '2126-12-27T08:00:00Z' }, 'until and forMs are two ways to say the same: use one'],
] as const)('%j is refused', async ([change, message]) => {
	const answer = await post('/api/v1/freeze', { ...who, ...change })
	expect([answer.status, answer.message, answer.asked]).toEqual([400, message, []])
})
