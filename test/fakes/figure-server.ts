import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type FigureAnswer = (request: IncomingMessage, response: ServerResponse) => void

/** An HTTP server on loopback that answers as it is told. */
export type FigureServer = {
	readonly origin: string
	/** The newest request. */
	request(): IncomingMessage | null
	/** The body of the newest request that was read whole. */
	body(): string
	answer(answer: FigureAnswer): void
	close(): Promise<void>
}

export async function startFigureServer(): Promise<FigureServer> {
	let answer: FigureAnswer = answerJson(404, {})
	let latest: IncomingMessage | null = null
	let body = ''
	const server = createServer(async (request, response) => {
		latest = request
		const chunks: Buffer[] = []
		for await (const chunk of request) chunks.push(chunk)
		body = Buffer.concat(chunks).toString('utf8')
		answer(request, response)
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	return {
		origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		request: () => latest,
		body: () => body,
		answer(next) {
			answer = next
		},
		async close() {
			if (!server.listening) return
			server.close()
			server.closeAllConnections()
			await once(server, 'close')
		},
	}
}

export function answerJson(status: number, json: unknown): FigureAnswer {
	return (_, response) =>
		void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
}

export function answerText(status: number, text: string, headers: Readonly<Record<string, string>> = {}): FigureAnswer {
	return (_, response) => void response.writeHead(status, headers).end(text)
}

/** As fast as it is read, and without an end. */
export const answerEndlessly: FigureAnswer = (_, response) => {
	response.writeHead(200)
	const more = () => {
		while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, 32)));
	}
	response.on('drain', more)
	more()
}
