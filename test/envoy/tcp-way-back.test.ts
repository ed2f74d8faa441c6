// A way back of TCP rules new connections; the open ones are counted until the last has ended.
import { writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listen } from '#lab/ports.ts'
import { eventually } from './fixtures/eventually.ts'
import { type FeaturePlaces, type FeatureStage, openFeatureStage } from './fixtures/feature-stage.ts'
import { mesh, node, route, router, service, targets, yamlOf } from './fixtures/mesh-yaml.ts'

let stage: FeatureStage
const servers: Server[] = []
beforeAll(async () => {
	stage = await openFeatureStage({
		block: 72,
		apps: ['web'],
		ownApps: ['old', 'new'],
		portNames: ['sql', 'other'],
		proxies: ['web'],
		mesh: (at) => services(at, { old: 1 }),
	})
	for (const name of ['old', 'new']) {
		const server = createServer((socket) => {
			socket.on('error', () => {})
			socket.write(name)
		})
		servers.push(await listen(stage.appAddress(name), stage.port(), server))
	}
})
afterAll(async () => {
	for (const server of servers) server.close()
	await stage?.[Symbol.asyncDispose]()
})

function services(at: FeaturePlaces, weights: Readonly<Record<string, number>>): string {
	const tcp = [{ port: 3306, protocol: 'tcp' }]
	return yamlOf([
		mesh(),
		{
			kind: 'RolloutPolicy',
			metadata: { mesh: 'apps', name: 'half' },
			spec: { steps: [{ weight: 50, minDuration: '10m' }], warmUp: '0s' },
		},
		node('web', [], {
			backends: ['sql', 'other'].map((name) => {
				return { virtualServiceName: `${name}.apps.local`, egressPort: at.port(name) }
			}),
		}),
		...['old', 'new'].map((name) => node(name, [{ port: at.port(), protocol: 'tcp' }])),
		node('third', [{ port: at.port(), protocol: 'tcp' }], {
			serviceDiscovery: { dns: { hostname: 'old.apps.local' } },
		}),
		service('sql.apps.local', { router: 'sql' }),
		router('sql', tcp),
		route('sql', 'all', { tcpRoute: { action: targets(weights) } }),
		service('other.apps.local', { node: 'third' }),
	])
}

/** A connection whose server has spoken. */
function open(port: string): Promise<{ readonly socket: Socket; readonly greeting: string; isClosed(): boolean }> {
	return new Promise((resolve, reject) => {
		const socket = connect(stage.port(port), stage.proxyAddress('web'))
		socket.once('error', reject)
		socket.once('data', (bytes) => resolve({ socket, greeting: bytes.toString(), isClosed: () => socket.destroyed }))
	})
}

const newest = () => stage.daemon.status().rollouts[0]
const listenerVersions = async () => {
	const listeners = (await stage.envoy('web').admin.configDump('dynamic_listeners')) as {
		readonly name: string
		readonly active_state: { readonly last_updated: string }
	}[]
	return new Map(listeners.map(({ name, active_state }) => [name, active_state.last_updated]))
}

test('open connections to the canary are told until there are none; those of other services are not touched', async () => {
	const beside = await open('other')
	const before = await listenerVersions()
	writeFileSync(join(stage.folder, 'mesh/mesh.yaml'), services(stage, { old: 0, new: 1 }))
	await stage.daemon.poll()
	await eventually('the first step is confirmed', () => newest()?.step === 1 && newest()?.confirmed === true)
	const all = await Promise.all(Array.from({ length: 40 }, () => open('sql')))
	const toNew = all.filter(({ greeting }) => greeting === 'new')
	expect(toNew.length).toBeGreaterThan(5)
	await stage.daemon.command({ kind: 'abort', rollout: newest()?.id ?? '', actor: 'ada', reason: 'INC-311' })
	await eventually('it is confirmed', () => newest()?.phase === 'aborted')
	await eventually('they are told', () => newest()?.openConnections?.open === toNew.length)
	expect(newest()?.text).toContain(`${toNew.length} connections to the canary still open`)
	expect((await Promise.all(Array.from({ length: 10 }, () => open('sql')))).map(({ greeting }) => greeting)).toEqual(
		Array.from({ length: 10 }, () => 'old'),
	)

	toNew[0]?.socket.destroy()
	await eventually('one is less', () => newest()?.openConnections?.open === toNew.length - 1)
	for (const { socket } of toNew) socket.destroy()
	await eventually('none is left', () => newest()?.openConnections?.open === 0)
	expect(newest()?.text).not.toContain('still open')

	const after = await listenerVersions()
	const changed = [...after].filter(([name, updated]) => before.get(name) !== updated).map(([name]) => name)
	expect(changed).toEqual([`lds_egress_0.0.0.0_${stage.port('sql')}`])
	expect(beside.isClosed()).toBe(false)
	beside.socket.destroy()
	for (const { socket } of all) socket.destroy()
}, 60_000)
