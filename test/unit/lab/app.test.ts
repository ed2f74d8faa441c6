import { once } from 'node:events'
import { connect } from 'node:http2'
import { describe, expect, test } from 'vitest'
import { type App, startApp } from '#lab/app.ts'

type Answer = { readonly status: number; readonly app: string | null; readonly body: string }

/** By HTTP/1.1, which is what fetch speaks without TLS. */
async function ask(app: App, path: string, method = 'GET'): Promise<Answer> {
	const response = await fetch(`http://${app.address}:${app.port}${path}`, { method })
	return { status: response.status, app: response.headers.get('x-app'), body: (await response.text()).trim() }
}

async function askHttp2(app: App, path: string): Promise<Answer> {
	const session = connect(`http://${app.address}:${app.port}`)
	try {
		const stream = session.request({ ':path': path })
		stream.setEncoding('utf8')
		const [headers] = await once(stream, 'response')
		let body = ''
		for await (const chunk of stream) body += chunk
		return { status: headers[':status'], app: headers['x-app'], body: body.trim() }
	} finally {
		session.close()
	}
}

const start = () => startApp({ name: 'serviceB', address: '127.0.0.1' })

test('answers on one port in HTTP/2 and in HTTP/1.1', async () => {
	await using app = await start()
	const expected = { status: 200, app: 'serviceB', body: 'serviceB' }
	expect(await askHttp2(app, '/any?x=1')).toEqual(expected)
	expect(await ask(app, '/any')).toEqual(expected)
	expect(app.counts()).toEqual({ requests: 2, byStatus: { 200: 2 }, reset: 0, hung: 0, delayed: 0 })
})

test('fails and heals by URL', async () => {
	await using app = await start()
	expect(await ask(app, '/_fail?percent=100&status=503', 'POST')).toMatchObject({ status: 200 })
	expect(await askHttp2(app, '/')).toMatchObject({ status: 503, app: 'serviceB' })
	expect(await ask(app, '/_heal', 'POST')).toMatchObject({ status: 200 })
	expect(await askHttp2(app, '/')).toMatchObject({ status: 200 })
	const counts = JSON.parse((await ask(app, '/_counts')).body)
	expect(counts).toEqual({ requests: 2, byStatus: { 200: 1, 503: 1 }, reset: 0, hung: 0, delayed: 0 })
})

test('fails the share it is told to, the same requests every time', async () => {
	await using app = await start()
	await using twin = await start()
	for (const each of [app, twin]) {
		each.setFailure({ sharePpm: 300_000, how: { kind: 'answer', status: 500, delayMs: 0 } })
		for (let request = 0; request < 400; request += 1) await ask(each, '/')
	}
	const failed = app.counts().byStatus[500] ?? 0
	// 120 expected, standard deviation 9.2.
	expect(Math.abs(failed - 120)).toBeLessThan(40)
	expect(twin.counts()).toEqual(app.counts())
})

test('resets the stream of HTTP/2 and the connection of HTTP/1.1', async () => {
	await using app = await start()
	app.setFailure({ sharePpm: 1_000_000, how: { kind: 'reset' } })
	await expect(askHttp2(app, '/')).rejects.toMatchObject({ code: 'ERR_HTTP2_STREAM_ERROR' })
	await expect(ask(app, '/')).rejects.toThrow('fetch failed')
	expect(app.counts()).toMatchObject({ requests: 2, reset: 2 })
})

test('answers late', async () => {
	await using app = await start()
	await ask(app, '/_fail?delayMs=60&status=200', 'POST')
	const before = performance.now()
	const answered = ask(app, '/')
	expect(await answered).toMatchObject({ status: 200 })
	expect(performance.now() - before).toBeGreaterThan(55)
})

test('hangs until the client has had enough', async () => {
	await using app = await start()
	app.setFailure({ sharePpm: 1_000_000, how: { kind: 'hang' } })
	const signal = AbortSignal.timeout(100)
	await expect(fetch(`http://${app.address}:${app.port}/`, { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
	expect(app.counts()).toMatchObject({ requests: 1, hung: 1 })
})

describe('commands it does not understand change nothing', () => {
	test.for([
		['POST', '/_fail?percent=101', 400],
		['POST', '/_fail?percent=', 400],
		['POST', '/_fail?status=99', 400],
		['POST', '/_fail?status=500.5', 400],
		['POST', '/_fail?kind=explode', 400],
		['GET', '/_fail', 404],
		['POST', '/_what', 404],
	] as const)('%s %s', async ([method, path, status]) => {
		await using app = await start()
		expect(await ask(app, path, method)).toMatchObject({ status })
		expect(await ask(app, '/')).toMatchObject({ status: 200 })
	})
})

test('an address in use is an error, and a closed app frees its own', async () => {
	const app = await start()
	const again = { name: 'other', address: app.address, port: app.port }
	await expect(startApp(again)).rejects.toMatchObject({ code: 'EADDRINUSE' })
	await app.close()
	await using other = await startApp(again)
	expect(await ask(other, '/')).toMatchObject({ app: 'other' })
})

test('a client that says nothing, or hangs up half way, does no harm', async () => {
	await using app = await start()
	const { connect: connectTcp } = await import('node:net')
	for (const words of ['', 'P', 'PRI * HT', 'GET / HT', 'nonsense\r\n\r\n']) {
		const socket = connectTcp(app.port, app.address)
		await once(socket, 'connect')
		socket.end(words)
		socket.resume()
		await once(socket, 'close')
	}
	expect(await ask(app, '/')).toMatchObject({ status: 200 })
})
