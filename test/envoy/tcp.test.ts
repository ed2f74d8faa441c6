// TCP: a port of the proxy for each backend, shares of the connections, and what is left of a target without weight.
import { connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listen } from '#lab/ports.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, route, router, service, targets, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
const servers: Server[] = []
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 35,
		apps: ['web'],
		ownApps: ['old', 'new', 'quiet'],
		portNames: ['shared', 'direct', 'idle', 'ports', 'limited'],
		proxies: ['web', 'old', 'quiet'],
		mesh: services,
	})
	for (const name of ['old', 'new', 'quiet']) {
		// A database speaks first.
		const server = createServer((socket) => {
			socket.on('error', () => {})
			socket.write(`${name}\n`)
			socket.on('data', (bytes) => socket.write(bytes))
		})
		servers.push(await listen(stage.appAddress(name), stage.port(name === 'quiet' ? 'limited' : 'main'), server))
	}
})
afterAll(async () => {
	for (const server of servers) server.close()
	await stage?.[Symbol.asyncDispose]()
})

const host = (name: string) => `${name}.apps.local`

function services(at: FeaturePlaces, weights: Readonly<Record<string, number>> = { old: 75, new: 25 }): string {
	const port = at.port()
	const idle = { unit: 'ms', value: 300 }
	const tcp = [{ port: 3306, protocol: 'tcp' }]
	return yamlOf([
		mesh(),
		node('web', [], {
			backends: ['shared', 'direct', 'idle', 'ports'].map((name) => {
				return { virtualServiceName: host(name), egressPort: at.port(name) }
			}),
		}),
		node('old', [{ port, protocol: 'tcp' }]),
		node('quiet', [
			{ port, protocol: 'tcp' },
			{ port: at.port('limited'), protocol: 'tcp', timeout: { tcp: { idle } } },
		]),
		node('new', [{ port, protocol: 'tcp' }]),
		service(host('shared'), { router: 'shared' }),
		service(host('direct'), { node: 'old' }),
		service(host('idle'), { router: 'idle' }),
		router('shared', tcp),
		router('idle', tcp),
		service(host('ports'), { router: 'ports' }),
		router('ports', [...tcp, { port: 3307, protocol: 'tcp' }]),
		route('ports', 'other', { priority: 1, tcpRoute: { match: { port: 3307 }, action: targets({ new: 1 }) } }),
		route('ports', 'first', {
			tcpRoute: {
				match: { port: 3306 },
				action: { weightedTargets: [{ virtualNode: 'quiet', port: at.port('limited'), weight: 1 }] },
			},
		}),
		route('shared', 'all', { tcpRoute: { action: targets(weights) } }),
		route('idle', 'all', {
			tcpRoute: { action: targets({ old: 1, new: 0 }), timeout: { idle } },
		}),
	])
}

type Conversation = {
	readonly greeting: string
	say(text: string): Promise<string>
	readonly closed: Promise<void>
	end(): void
}

/** A connection whose server has spoken. */
function open(port: string): Promise<Conversation> {
	return new Promise((resolve, reject) => {
		const socket = connect(stage.port(port), stage.proxyAddress('web'))
		const closed = new Promise<void>((done) => socket.once('close', () => done()))
		socket.once('error', reject)
		socket.once('close', () => reject(new Error('closed before the server spoke')))
		socket.once('data', (bytes) => {
			resolve({
				greeting: bytes.toString().trim(),
				say(text) {
					const echo = new Promise<string>((heard) => socket.once('data', (answer) => heard(answer.toString())))
					socket.write(text)
					return echo
				},
				closed,
				end: () => socket.destroy(),
			})
		})
	})
}

test('a backend is a port of the proxy, and the server may speak first', async () => {
	const conversation = await open('direct')
	expect(conversation.greeting).toBe('old')
	expect(await conversation.say('select 1')).toBe('select 1')
	conversation.end()
})

test('weights are shares of the connections', async () => {
	const connections = 300
	let toNew = 0
	for (let opened = 0; opened < connections; opened += 1) {
		const conversation = await open('shared')
		if (conversation.greeting === 'new') toNew += 1
		conversation.end()
	}
	expect(Math.abs(toNew / connections - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / connections))
})

test('a silent connection ends with the idle limit', async () => {
	const conversation = await open('idle')
	expect(conversation.greeting).toBe('old')
	await conversation.closed
})

test('a route for the port, a port of the target, and the idle limit of that listener', async () => {
	const conversation = await open('ports')
	expect(conversation.greeting).toBe('quiet')
	await conversation.closed
})
