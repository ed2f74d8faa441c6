// Endpoints of Cloud Map from the registration of an instance to the requests that reach it, and what becomes of them
// when Cloud Map, the daemon, and its memory are lost one after the other.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { succeed } from '#base/result.ts'
import { systemClock } from '#base/system-clock.ts'
import { type Daemon, startDaemon } from '#controller/daemon.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { freePorts } from '#lab/ports.ts'
import { makeTempDirectory } from '#lab/temp.ts'
import { until } from '#lab/until.ts'
import type { BootstrapOptions } from '../../src/cli/bootstrap/bootstrap-options.ts'
import { makeBootstrap } from '../../src/cli/bootstrap/make-bootstrap.ts'
import { bootstrapVariants } from '../fixtures/bootstrap-variants.ts'
import { ask } from './fixtures/ask.ts'
import { type CloudMapUnderTest, namespace, openCloudMap } from './fixtures/cloud-map.ts'
import { mesh, node, service, yamlOf } from './fixtures/mesh-yaml.ts'
import { startScriptedApp } from './fixtures/scripted-app.ts'

const opened = new AsyncDisposableStack()
const places = { caller: '127.0.57.11', one: '127.0.57.101', two: '127.0.57.102' }
let cloudMap: CloudMapUnderTest
let folder: string
let daemon: Daemon
let envoy: string
let appPort = 0
let egressPort = 0
let xdsPort = 0

const cloudMapNode = (name: string, serviceName: string) =>
	node(name, [{ port: appPort }], { serviceDiscovery: { awsCloudMap: { namespaceName: namespace, serviceName } } })

beforeAll(async () => {
	cloudMap = opened.use(await openCloudMap())
	await cloudMap.createService()
	folder = opened.use(makeTempDirectory('discovered')).path
	;[appPort = 0, egressPort = 0, xdsPort = 0] = await freePorts('0.0.0.0', 3)
	for (const name of ['one', 'two'] as const)
		opened.use(await startScriptedApp({ name, address: places[name], port: appPort }))
	await cloudMap.register('one', { AWS_INSTANCE_IPV4: places.one })
	const found = await findEnvoy({ onProgress: console.log })
	if (!found.ok) throw new Error(found.error.message)
	envoy = found.value.path
	mkdirSync(join(folder, 'mesh'))
	const documents = [
		mesh(),
		node('caller', [], { backends: ['web.apps.local', 'missing.apps.local'] }),
		cloudMapNode('web', 'web'),
		cloudMapNode('missing', 'missing'),
		service('web.apps.local', { node: 'web' }),
		service('missing.apps.local', { node: 'missing' }),
	]
	writeFileSync(join(folder, 'mesh/mesh.yaml'), yamlOf(documents))
	daemon = await start()
	opened.defer(() => daemon.stop())
})
afterAll(() => opened.disposeAsync())

async function start(): Promise<Daemon> {
	const started = await startDaemon(
		{
			source: { kind: 'folder', folder: join(folder, 'mesh') },
			stateDirectory: join(folder, 'state'),
			certificates: null,
			scrape: null,
			metrics: { sources: '', credentials: null },
			hooks: { receivers: '', secrets: null },
			xds: { address: `127.0.0.1:${xdsPort}`, identity: 'loopbackOnly' },
		},
		{
			log: silentLog,
			clock: systemClock,
			random: seededRandom(57),
			openFace: async () => succeed({ address: 'none', close: async () => undefined }),
		},
	)
	if (!started.ok) throw new Error(started.error.message)
	return started.value
}

async function startCaller(instance: string): Promise<EnvoyProcess> {
	const content = makeBootstrap({
		...(bootstrapVariants.plain as BootstrapOptions),
		identity: { mesh: 'apps', kind: 'virtualNode', name: 'caller' },
		instance,
		capture: {
			mode: 'explicit',
			bind: places.caller,
			egressPort,
			app: { address: places.caller, port: null },
		},
		controlPlane: [{ address: '127.0.0.1', port: xdsPort }],
		locality: null,
		admin: { address: '127.0.0.1', port: 0 },
	})
	const process = await startEnvoy({ envoy, name: instance, bootstrap: { content } })
	await process.ready()
	return process
}

const askFor = (url: string) => ask({ via: { address: places.caller, port: egressPort }, url })
const appOfWeb = async () => (await askFor('http://web.apps.local/')).app

function eventually<Value>(what: string, look: () => Promise<Value | null>): Promise<Value> {
	return until({ clock: systemClock, deadlineMs: 40_000, what }, look)
}

async function expectNoFailure(requests: number): Promise<void> {
	for (let sent = 0; sent < requests; sent += 1) expect((await askFor('http://web.apps.local/')).status).toBe(200)
}

test('an instance that is registered gets the requests, through every outage', async () => {
	const proxy = opened.use(await startCaller('first'))
	await eventually('the first instance answers', async () => ((await appOfWeb()) === 'one' ? true : null))
	// The other service was never found: its cluster is known as waiting, and nothing else waits with it.
	const { groups, discovery, headline } = daemon.status()
	expect(groups[0]?.waits).toEqual([
		`the cluster cds_egress_apps_missing_http_${appPort} waits for the endpoints cds_egress_apps_missing_http_${appPort}`,
	])
	expect([discovery.map(({ code }) => code), headline.level]).toEqual([['SL0502'], 'held'])

	await cloudMap.register('two', { AWS_INSTANCE_IPV4: places.two })
	await cloudMap.deregister('one')
	await eventually('the second takes over', async () => ((await appOfWeb()) === 'two' ? true : null))
	await expectNoFailure(20)

	await cloudMap.moto.stop()
	await eventually('the outage is seen', async () => {
		const codes = daemon.status().discovery.map(({ code }) => code)
		return codes.every((code) => code === 'SL0501') ? true : null
	})
	await expectNoFailure(20)

	// A daemon that starts in the outage knows the last endpoints: a proxy that starts with it is served them.
	await daemon.stop()
	daemon = await start()
	await proxy.restart()
	await proxy.ready()
	await eventually('the proxy that was started anew reaches it', async () =>
		(await appOfWeb()) === 'two' ? true : null,
	)

	// One that has lost even those leaves to its proxies what they hold.
	await daemon.stop()
	rmSync(join(folder, 'state/endpoints.json'))
	daemon = await start()
	await eventually('the proxy is back', async () => (daemon.status().groups[0]?.connected === 1 ? true : null))
	await expectNoFailure(50)
	expect(daemon.status().groups[0]?.waits).toHaveLength(2)

	await cloudMap.moto.start()
	await cloudMap.createService()
	await cloudMap.register('one', { AWS_INSTANCE_IPV4: places.one })
	await eventually('what is registered now', async () => ((await appOfWeb()) === 'one' ? true : null))
	const stats = await proxy.admin.stats('^cluster_manager\\.cds\\.update_rejected$')
	expect([...stats.values()]).toEqual([0])
})
