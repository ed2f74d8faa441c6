// Shifts whose errors no HTTP status tells: a TCP canary that takes no connections, a gRPC canary that fails with 200.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RolloutStatus } from '#controller/rollout-status.ts'
import { listen } from '#lab/ports.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { callGrpc } from './fixtures/grpc-call.ts'
import { mesh, node, route, router, service, targets, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
const servers: Server[] = []
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 59,
		apps: ['web', 'cart', 'cart2'],
		ownApps: ['db', 'db2'],
		portNames: ['sql'],
		proxies: ['web'],
		mesh: (at) => services(at, {}),
	})
	servers.push(await database('db'))
})
afterAll(async () => {
	for (const server of servers) server.close()
	await stage?.[Symbol.asyncDispose]()
})

const host = (name: string) => `${name}.apps.local`
type Weights = Readonly<Record<string, number>>

function services(at: FeaturePlaces, { db, cart }: { readonly db?: Weights; readonly cart?: Weights }): string {
	const port = at.port()
	return yamlOf([
		mesh(),
		{
			kind: 'RolloutPolicy',
			metadata: { mesh: 'apps', name: 'quick' },
			spec: { steps: [{ weight: 50, minDuration: '1s' }], bake: '1s', warmUp: '0s' },
		},
		node('web', [], {
			backends: [{ virtualServiceName: host('sql'), egressPort: at.port('sql') }, { virtualServiceName: host('shop') }],
		}),
		...['db', 'db2'].map((name) => node(name, [{ port, protocol: 'tcp' }])),
		...['cart', 'cart2'].map((name) => node(name, [{ port, protocol: 'grpc' }])),
		service(host('sql'), { router: 'sql' }),
		// The port of the shop too, which has it where traffic is intercepted. An egressPort leads there all the same.
		router('sql', [{ port: 80, protocol: 'tcp' }]),
		route('sql', 'all', { tcpRoute: { action: targets(db ?? { db: 1 }) } }),
		service(host('shop'), { router: 'shop' }),
		router('shop', [{ port: 80, protocol: 'grpc' }]),
		route('shop', 'all', { grpcRoute: { match: {}, action: targets(cart ?? { cart: 1 }) } }),
	])
}

/** Says its name and hangs up. */
function database(name: string): Promise<Server> {
	const server = createServer((socket) => {
		socket.on('error', () => {})
		socket.end(name)
	})
	return listen(stage.appAddress(name), stage.port(), server)
}

/** Asks for a shift, and sends what `send` sends, time and again, until the rollout has ended. */
async function play(change: Parameters<typeof services>[1], send: () => Promise<unknown>): Promise<RolloutStatus> {
	const known = new Set(stage.daemon.status().rollouts.map(({ id }) => id))
	writeFileSync(join(stage.folder, 'mesh/mesh.yaml'), services(stage, change))
	await stage.daemon.poll()
	return sendUntilEnded(send, known)
}

async function sendUntilEnded(send: () => Promise<unknown>, known: ReadonlySet<string>): Promise<RolloutStatus> {
	for (;;) {
		await Promise.all(Array.from({ length: 20 }, send))
		const [newest] = stage.daemon.status().rollouts.filter(({ id, endedAt }) => endedAt !== null && !known.has(id))
		if (newest !== undefined) return newest
	}
}

async function dialDatabase(): Promise<void> {
	const socket = connect(stage.port('sql'), stage.proxyAddress('web'))
	socket.resume()
	socket.on('error', () => {})
	await once(socket, 'close')
}

async function callCart(): Promise<void> {
	const via = { address: stage.proxyAddress('web'), port: stage.egressPort }
	await callGrpc({ via, host: host('shop'), path: '/shop.Cart/Add' })
}

test('a TCP canary that takes no connection goes back', async () => {
	const rollout = await play({ db: { db: 0, db2: 1 } }, dialDatabase)
	expect(rollout).toMatchObject({ phase: 'rolledBack', quarantined: true })
	expect(rollout.text).toContain('100 %')
})

test('mended, it goes all the way on the proof of its connections', async () => {
	servers.push(await database('db2'))
	const [before] = stage.daemon.status().rollouts
	if (before === undefined) throw new Error('a rollout went back')
	const known = new Set(stage.daemon.status().rollouts.map(({ id }) => id))
	await stage.daemon.command({ kind: 'retry', rollout: before.id, actor: 'test', reason: 'mended' })
	const rollout = await sendUntilEnded(dialDatabase, known)
	expect(rollout).toMatchObject({ phase: 'succeeded' })
})

test('a gRPC canary that answers 200 and means INTERNAL goes back', async () => {
	for (const [name, status] of [
		['cart', 0],
		['cart2', 13],
	] as const) {
		stage.app(name).script((exchange) => {
			exchange.answer(200, { 'content-type': 'application/grpc' }, '\0\0\0\0\0', { 'grpc-status': String(status) })
		})
	}
	const rollout = await play({ db: { db: 0, db2: 1 }, cart: { cart: 0, cart2: 1 } }, callCart)
	expect(rollout).toMatchObject({ phase: 'rolledBack', quarantined: true })
})
