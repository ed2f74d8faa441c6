import { connect, createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type OpenApi, openApi } from '#api/api.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { type DaemonInMemory, startInMemory } from '../../fixtures/daemon-in-memory.ts'

// The API on a real socket.

let daemon: DaemonInMemory
let api: OpenApi | null = null
beforeEach(async () => {
	daemon = await startInMemory()
})
afterEach(async () => {
	await api?.close()
	api = null
})

function openAt(host: string, port: number) {
	return openApi({ address: { host, port }, face: daemon.face, clock: systemClock, log: silentLog, version: '1.2.3' })
}

async function open(): Promise<string> {
	const opened = await openAt('127.0.0.1', 0)
	if (!opened.ok) throw new Error(opened.error)
	api = opened.value
	return `http://${api.address}`
}

/** Reads server-sent events until one satisfies `isLast`; answers with the ids seen. */
async function readIds(response: Response, isLast: (id: number) => boolean): Promise<number[]> {
	const ids: number[] = []
	let rest = ''
	const decoder = new TextDecoder()
	for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
		rest += decoder.decode(chunk, { stream: true })
		const events = rest.split('\n\n')
		rest = events.pop() ?? ''
		for (const event of events) {
			const id = /^id: (\d+)$/m.exec(event)?.[1]
			if (id !== undefined) ids.push(Number(id))
		}
		if (ids.some(isLast)) return ids
	}
	return ids
}

test('events come as they are journalled, and a reader that comes back misses none', async () => {
	const url = `${await open()}/api/v1/events`
	const aborting = new AbortController()
	const first = await fetch(url, { signal: aborting.signal })
	expect(first.headers.get('content-type')).toContain('text/event-stream')
	const seen = readIds(first, () => true)
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(1_000)
	const [id = 0] = await seen
	aborting.abort()
	await daemon.pass(10_000)
	const head = (await daemon.face.readJournal(0, 1000)).length
	const again = await fetch(url, { headers: { 'last-event-id': String(id) } })
	const ids = await readIds(again, (each) => each === head)
	expect(ids).toEqual(Array.from({ length: head - id }, (_, index) => id + 1 + index))
})

test('an id from elsewhere begins at the end; what is no id is refused', async () => {
	const url = `${await open()}/api/v1/events`
	const response = await fetch(url, { headers: { 'last-event-id': '999999' } })
	const seen = readIds(response, () => true)
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(1_000)
	expect((await seen)[0]).toBe(3)
	expect((await fetch(`${url}?after=x`)).status).toBe(400)
})

test('closing ends the streams', async () => {
	const response = await fetch(`${await open()}/api/v1/events`)
	const reading = readIds(response, () => false)
	await api?.close()
	api = null
	expect(await reading).toEqual([])
})

test('a request without a host is refused', async () => {
	const port = Number(new URL(await open()).port)
	const socket = connect(port, '127.0.0.1')
	let answer = ''
	for await (const chunk of socket.end('GET /livez HTTP/1.1\r\n\r\n')) answer += String(chunk)
	expect(answer).toMatch(/^HTTP\/1\.1 400 /)
})

test('a port in use is told in one line, with the way out', async () => {
	const server = createServer()
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const bound = server.address()
	const port = bound !== null && typeof bound === 'object' ? bound.port : 0
	const opened = await openAt('127.0.0.1', port)
	server.close()
	expect(opened).toEqual({
		ok: false,
		error: `the API cannot listen on 127.0.0.1:${port}: the port is in use. Stop what uses it, or give another with --http`,
	})
})

test.for(['0.0.0.0', '::', '10.1.2.3', 'example.com', '127.0.0.1.example.com'])(
	'beyond loopback it is not opened: %s',
	async (host) => {
		const opened = await openAt(host, 0)
		expect(opened.ok ? null : opened.error).toContain('listens on loopback only')
	},
)
