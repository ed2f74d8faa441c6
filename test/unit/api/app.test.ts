import type { Hono } from 'hono'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ApiError } from '#api/api.ts'
import { createApp } from '#api/app.ts'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { type DaemonInMemory, startInMemory } from '../../fixtures/daemon-in-memory.ts'

let daemon: DaemonInMemory
let app: Hono
let closing: AbortController
beforeEach(async () => {
	daemon = await startInMemory()
	closing = new AbortController()
	// A command takes a turn, and time stands still unless somebody lets it pass.
	const face = { ...daemon.face, command: daemon.command }
	const address = { host: '127.0.0.1', port: 8300 }
	app = createApp({ address, face, clock: daemon.clock, log: silentLog, version: '1.2.3', closing: closing.signal })
})

const base = 'http://127.0.0.1:8300'
const id = encodeURIComponent('B/B#1')

async function get(path: string, headers: Record<string, string> = {}) {
	const response = await app.request(`${base}${path}`, { headers })
	return { status: response.status, headers: response.headers, text: await response.text() }
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
	const text = typeof body === 'string' ? body : JSON.stringify(body)
	const response = await app.request(`${base}${path}`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...headers },
		body: text,
	})
	return { status: response.status, body: (await response.json()) as { readonly error: ApiError['error'] } }
}

const proxyKey = 'mesh/apps/virtualNode/A#i0'
const asked = { actor: 'ada', reason: 'INC-311' }

describe('what is read', () => {
	test('status is what the daemon says', async () => {
		const { status, text, headers } = await get('/api/v1/status')
		expect(status).toBe(200)
		expect(JSON.parse(text)).toEqual(daemon.face.status())
		expect(headers.get('content-type')).toContain('application/json')
		expect(headers.get('x-content-type-options')).toBe('nosniff')
		expect(headers.get('cache-control')).toBe('no-store')
	})

	test('the looks of a rollout, page by page', async () => {
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(20_000)
		const whole = JSON.parse((await get(`/api/v1/rollouts/${id}/looks`)).text)
		expect(whole).toMatchObject({ apiVersion: 'sluice/v1', kind: 'LookList', rollout: 'B/B#1', next: null })
		expect(whole.looks.length).toBeGreaterThan(2)
		const rest = JSON.parse((await get(`/api/v1/rollouts/${id}/looks?after=2`)).text)
		expect(rest.looks).toEqual(whole.looks.slice(2))
		expect((await get('/api/v1/rollouts/none/looks')).status).toBe(404)
		expect((await get(`/api/v1/rollouts/${id}/looks?after=x`)).status).toBe(400)
	})

	test('traffic, by cluster, as all proxies counted it', async () => {
		await daemon.pass(5_000)
		const { status, text } = await get('/api/v1/traffic')
		expect(status).toBe(200)
		const traffic = JSON.parse(text)
		expect(traffic).toEqual({ apiVersion: 'sluice/v1', kind: 'Traffic', ...daemon.face.traffic() })
		expect(Object.keys(traffic.clusters).length).toBeGreaterThan(0)
	})

	test('rollouts, and one of them with its history, by its encoded id', async () => {
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(8_000)
		const list = JSON.parse((await get('/api/v1/rollouts')).text)
		expect(list).toMatchObject({ apiVersion: 'sluice/v1', kind: 'RolloutList', rollouts: [{ id: 'B/B#1' }] })
		const one = JSON.parse((await get(`/api/v1/rollouts/${id}`)).text)
		expect(one.rollout).toMatchObject({ id: 'B/B#1', step: 1 })
		expect(one.history.map(({ entry }: { entry: { event: string } }) => entry.event)).toEqual(
			expect.arrayContaining(['rollout.started', 'rollout.advanced']),
		)
	})

	test('what is not there is said in the same shape as every error', async () => {
		const { status, text } = await get('/api/v1/rollouts/none')
		expect([status, JSON.parse(text)]).toEqual([
			404,
			{ error: { code: 'NOT_FOUND', message: 'there is no rollout none' } },
		])
		expect(JSON.parse((await get('/nowhere')).text).error.code).toBe('NOT_FOUND')
	})
})

describe('explain', () => {
	const at = (key: string, query: Record<string, string>) =>
		get(`/api/v1/proxies/${encodeURIComponent(key)}/explain?${new URLSearchParams(query)}`)

	test('a request at a proxy, by what it has ACKed', async () => {
		const { status, text } = await at(proxyKey, { url: 'http://b.local/x', header: 'x-a: 1' })
		expect(status).toBe(200)
		expect(JSON.parse(text)).toMatchObject({
			apiVersion: 'sluice/v1',
			kind: 'Explanation',
			key: proxyKey,
			explained: {
				request: { method: 'GET', path: '/x', headers: [{ name: 'x-a', value: '1' }] },
				outcome: { kind: 'forwarded' },
				hops: [{ taken: { resource: expect.stringContaining('/route/') } }],
			},
		})
	})

	test('an identity with several proxies is no proxy: they are named', async () => {
		const { status, text } = await at(proxyKey.replace(/#.*/, ''), { url: 'http://b.local/' })
		expect(status).toBe(404)
		expect(JSON.parse(text).error.message).toContain(proxyKey)
	})

	test('one that is not connected: the nearest is named', async () => {
		const { status, text } = await at(`${proxyKey}0`, { url: 'http://b.local/' })
		expect([status, JSON.parse(text).error.message]).toEqual([404, expect.stringContaining(`did you mean ${proxyKey}`)])
	})

	test('a request that makes no sense', async () => {
		expect((await at(proxyKey, { url: 'nowhere' })).status).toBe(400)
		expect((await at(proxyKey, {})).status).toBe(400)
	})
})

describe('proxies', () => {
	const at = `/api/v1/proxies/${encodeURIComponent(proxyKey)}`

	test('are listed, and one is excluded and included', async () => {
		expect((await post(`${at}/exclude`, { ...asked, forMs: 3_600_000 })).status).toBe(200)
		const list = JSON.parse((await get('/api/v1/proxies?name=mesh/apps/virtualNode/A')).text)
		expect(list).toMatchObject({ kind: 'ProxyList', more: 0, proxies: [{ proxy: proxyKey, excluded: asked }, {}] })
		expect((await get('/metrics')).text).toContain('sluice_proxies{state="excluded"} 1')
		expect((await post(`${at}/include`, asked)).status).toBe(200)
		expect((await post(`${at}/include`, asked)).status).toBe(404)
	})

	test.for([0, -1, 1.5, '1h', limits.exclusionMs + 1])('no exclusion for %s ms', async (forMs) => {
		const { status, body } = await post(`${at}/exclude`, { ...asked, forMs })
		expect([status, body.error.message]).toEqual([400, expect.stringContaining('forMs')])
	})
})

describe('health', () => {
	test('of a daemon that serves', async () => {
		expect(await get('/livez')).toMatchObject({ status: 200, text: 'ok\n' })
		expect(await get('/readyz')).toMatchObject({ status: 200, text: 'ok\n' })
	})

	test('of one that stops', async () => {
		daemon.stopFace()
		expect((await get('/livez')).status).toBe(200)
		expect(await get('/readyz')).toMatchObject({ status: 503, text: 'the daemon is stopping\n' })
	})
})

describe('commands', () => {
	beforeEach(async () => {
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(8_000)
	})

	test('abort takes the rollout back, in the name of who asked', async () => {
		const answer = await post(`/api/v1/rollouts/${id}/abort`, asked)
		expect(answer).toEqual({
			status: 200,
			body: { apiVersion: 'sluice/v1', kind: 'CommandDone', text: 'B/B#1 goes back' },
		})
		expect(daemon.face.status().rollouts[0]).toMatchObject({
			phase: 'aborted',
			cause: { actor: 'ada', reason: 'INC-311' },
		})
	})

	test('abort by a ramp, and what is no time for it', async () => {
		const path = `/api/v1/rollouts/${id}/abort`
		for (const rampMs of [0, -1, 1.5, '1h', limits.rampMs + 1]) {
			const { status, body } = await post(path, { ...asked, rampMs })
			expect([status, body.error.message]).toEqual([
				400,
				`rampMs is a number of milliseconds from 1 to ${limits.rampMs}`,
			])
		}
		expect((await post(path, { ...asked, rampMs: 60_000 })).status).toBe(200)
		expect(daemon.face.status().rollouts[0]).toMatchObject({ phase: 'ramping', cause: asked })
		expect((await post(path, asked)).status).toBe(200)
		expect(daemon.face.status().rollouts[0]).toMatchObject({ phase: 'aborted', cause: asked })
	})

	test('retry of what was aborted starts it again', async () => {
		await post(`/api/v1/rollouts/${id}/abort`, asked)
		expect((await post(`/api/v1/rollouts/${id}/retry`, asked)).status).toBe(200)
		await daemon.pass(1_000)
		expect(daemon.face.status().rollouts.map(({ id: name }) => name)).toContain('B/B#2')
	})

	test('promote is written down with its name', async () => {
		expect((await post(`/api/v1/rollouts/${id}/promote`, asked)).status).toBe(200)
		const journal = await daemon.face.readJournal(0, 100)
		expect(journal.map(({ entry }) => entry)).toContainEqual(
			expect.objectContaining({ event: 'rollout.promote', ...asked }),
		)
	})

	test.for([
		['a rollout that is not there', `/api/v1/rollouts/none/abort`, 404, 'NOT_FOUND'],
		['one that has nothing in quarantine', `/api/v1/rollouts/${id}/retry`, 409, 'NOT_QUARANTINED'],
		['a revision that nobody refused', `/api/v1/revisions/abc/accept`, 404, 'NOT_FOUND'],
		['a verb that is none', `/api/v1/rollouts/${id}/explode`, 404, 'NOT_FOUND'],
	] as const)('%s', async ([, path, status, code]) => {
		const answer = await post(path, asked)
		expect([answer.status, answer.body.error.code]).toEqual([status, code])
	})

	test('a second abort finds nothing that runs', async () => {
		await post(`/api/v1/rollouts/${id}/abort`, asked)
		const answer = await post(`/api/v1/rollouts/${id}/abort`, asked)
		expect([answer.status, answer.body.error.code]).toEqual([409, 'NOT_RUNNING'])
	})

	test('a command that gets no turn is answered by the deadline', async () => {
		const stuck = createApp({
			address: { host: '127.0.0.1', port: 1 },
			face: { ...daemon.face, command: () => new Promise(() => undefined) },
			clock: daemon.clock,
			log: silentLog,
			version: '1',
			closing: closing.signal,
		})
		let isSent = false
		const sent = stuck.request(`${base}/api/v1/rollouts/${id}/abort`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify(asked),
		})
		const answered = Promise.resolve(sent).finally(() => (isSent = true))
		while (!isSent) {
			await new Promise((resolve) => setImmediate(resolve))
			await daemon.pass(limits.apiCommandMs)
		}
		expect((await answered).status).toBe(504)
	})
})

describe('what is refused before anybody looks at it', () => {
	test.for([
		['a name that leads here by DNS', { host: 'evil.example:8300' }, 421, 'WRONG_HOST'],
		['a name that begins like ours', { host: 'localhost.evil.example' }, 421, 'WRONG_HOST'],
		['a page of another origin', { origin: 'https://evil.example' }, 403, 'FORBIDDEN'],
		['an opaque origin', { origin: 'null' }, 403, 'FORBIDDEN'],
		['what a browser calls cross-site', { 'sec-fetch-site': 'cross-site' }, 403, 'FORBIDDEN'],
		['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
		['text', { 'content-type': 'text/plain' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
	] as const)('%s', async ([, headers, status, code]) => {
		const answer = await post(`/api/v1/rollouts/${id}/abort`, asked, headers)
		expect([answer.status, answer.body.error.code]).toEqual([status, code])
	})

	test.for(['localhost:8300', '127.0.0.1', '[::1]:8300', 'LOCALHOST'])('not %s', async (host) => {
		expect((await get('/livez', { host })).status).toBe(200)
	})

	test('nothing is read under another name either', async () => {
		expect((await get('/api/v1/status', { host: 'evil.example' })).status).toBe(421)
	})

	test('our own origin is none of it', async () => {
		const answer = await post(`/api/v1/rollouts/none/abort`, asked, {
			host: 'localhost:8300',
			origin: 'http://localhost:8300',
		})
		expect(answer.status).toBe(404)
	})

	test('a body that is too large', async () => {
		const answer = await post(`/api/v1/rollouts/${id}/abort`, { ...asked, more: 'x'.repeat(limits.apiBodyBytes) })
		expect([answer.status, answer.body.error.code]).toEqual([413, 'TOO_LARGE'])
	})
})

describe('metrics', () => {
	test('follow the status', async () => {
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(8_000)
		daemon.observe({ kind: 'rejected', type: 'route' })
		daemon.observe({ kind: 'converged', afterMs: 40 })
		const { text, headers } = await get('/metrics')
		expect(headers.get('content-type')).toContain('text/plain')
		for (const line of [
			'sluice_build_info{version="1.2.3"} 1',
			'sluice_proxies{state="connected"} 2',
			'sluice_rollout_weight_percent{rollout="B/B#1",route="B",destination="Bv2"} 10',
			'sluice_rollout_decisions_total{decision="started",reason="guard"} 1',
			'sluice_xds_nacks_total{type="route"} 1',
			'sluice_xds_convergence_seconds_count 1',
			'sluice_store_durable 1',
			'process_cpu_seconds_total',
		]) {
			expect(text).toContain(line)
		}
	})

	test('an ended rollout leaves no weights behind', async () => {
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(8_000)
		await get('/metrics')
		await daemon.command({ kind: 'abort', rollout: 'B/B#1', ...asked })
		const { text } = await get('/metrics')
		expect(text).not.toContain('sluice_rollout_weight_percent{')
		expect(text).toContain('sluice_rollout_info{rollout="B/B#1",phase="aborted"} 1')
		expect(text).toContain('sluice_rollout_decisions_total{decision="rollingBack",reason="command"} 1')
	})
})

test('a fault is a 500 that says nothing of its inside, and a line in the log', async () => {
	const lines: string[] = []
	const broken = createApp({
		address: { host: '127.0.0.1', port: 1 },
		face: {
			...daemon.face,
			status: () => {
				throw new Error('inside')
			},
		},
		clock: daemon.clock,
		log: { ...silentLog, error: (event, fields) => void lines.push(`${event} ${String(fields?.message)}`) },
		version: '1',
		closing: closing.signal,
	})
	const response = await broken.request(`${base}/api/v1/status`)
	expect(response.status).toBe(500)
	expect(await response.text()).not.toContain('inside')
	expect(lines[0]).toMatch(/^api\.failed .*inside/)
})
