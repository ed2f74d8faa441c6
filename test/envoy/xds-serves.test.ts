// The xDS server and the metrics receiver against a real Envoy that has the bootstrap Sluice writes, in both variants of
// the protocol. The snapshots are made by hand: this is about serving, not about compiling.

import { createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Clock } from '#base/clock.ts'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import { type App, startApp } from '#lab/app.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { type Load, startLoad } from '#lab/load.ts'
import { freePorts, listen, portOf } from '#lab/ports.ts'
import { until } from '#lab/until.ts'
import type { EncodedResource, Snapshot } from '#snapshot/snapshot.ts'
import type { Flush } from '#telemetry/flush.ts'
import { createMetricsReceiver, type MetricsReceiver } from '#telemetry/metrics-receiver.ts'
import { createAdmission } from '#xds/admission.ts'
import type { XdsEvent } from '#xds/fleet-view.ts'
import { createXdsServer, type XdsServer } from '#xds/server.ts'
import {
	edsCluster,
	endpoints,
	healthCheckedCluster,
	listener,
	route,
	snapshotOf,
	staticCluster,
} from '../fixtures/resources.ts'
import type { Variant } from '../fixtures/xds-dialogue.ts'
import { loneProxy } from './fixtures/lone-proxy.ts'

const host = '127.0.0.1'
const requestsPerSecond = 200
const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']
const key = 'mesh/apps/virtualNode/serviceA#host-1'

/** A daemon's serving half. `ages` has the time of its connections run out. */
type Serving = {
	server: XdsServer
	receiver: MetricsReceiver
	flushes: Flush[]
	events: XdsEvent[]
	ages: (() => void)[]
}

async function startServing(port: number): Promise<Serving> {
	const admission = createAdmission()
	const flushes: Flush[] = []
	const events: XdsEvent[] = []
	const ages: (() => void)[] = []
	const clock: Clock = {
		...systemClock,
		setTimer(delayMs, fire) {
			if (delayMs < limits.xdsConnectionAgeMs / 2) return systemClock.setTimer(delayMs, fire)
			ages.push(fire)
			return { cancel: () => void ages.splice(ages.indexOf(fire), 1) }
		},
	}
	const receiver = createMetricsReceiver({
		clock: systemClock,
		log: silentLog,
		wantsTimes: () => true,
		identify: (caller, node) => admission.identify(caller, node),
		emit: (flush) => flushes.push(flush),
	})
	const server = createXdsServer({
		clock,
		log: silentLog,
		admission,
		services: [receiver.service],
		emit: (event) => events.push(event),
	})
	const listening = await server.listen(`${host}:${port}`)
	if (!listening.ok) throw new Error(listening.error.message)
	return { server, receiver, flushes, events, ages }
}

function eventually(what: string, isSo: () => boolean | Promise<boolean>): Promise<true> {
	return until({ clock: systemClock, deadlineMs: 20_000, what }, async () => (await isSo()) || null)
}

describe.for(variants)('%s', (variant) => {
	let envoy: EnvoyProcess
	let load: Load
	let serving: Serving
	let old: App
	let young: App
	let groupKey: string
	let ports: { xds: number; egress: number; taken: number }
	/** Listens, and holds the second listener's port. */
	let holder: Server

	const atApp = (app: App) => ({ host: app.address, port: app.port })
	const clusters = () => [staticCluster('old', atApp(old)), edsCluster('young'), endpoints('young', atApp(young))]
	const egress = () => listener('egress', { host, port: ports.egress }, 'egress')
	const weighted = (oldWeight: number, youngWeight: number) => route('egress', { old: oldWeight, young: youngWeight })
	const mesh = (...more: readonly EncodedResource[]) => snapshotOf(...clusters(), egress(), ...more)

	async function serve(snapshot: Snapshot): Promise<void> {
		serving.server.publish(groupKey, snapshot)
		await eventually('the proxy has all', () => serving.server.isCurrent(key))
	}

	/** How often Envoy took something of each kind. */
	const updates = () => envoy.admin.stats('(cluster_manager.cds|listener_manager.lds|rds.egress).update_success')

	beforeAll(async () => {
		const found = await findEnvoy({ onProgress: console.log })
		if (!found.ok) throw new Error(found.error.message)
		const [xds = 0, egressPort = 0] = await freePorts(host, 2)
		holder = await listen(host, 0, createServer())
		ports = { xds, egress: egressPort, taken: portOf(holder) }
		old = await startApp({ name: 'old', address: host })
		young = await startApp({ name: 'young', address: host })
		const { version } = found.value
		const { group, bootstrap: content } = loneProxy({ host, xds, egressPort, variant, version })
		groupKey = proxyGroupKey(group)
		content.stats_config.stats_matcher.inclusion_list.patterns.push({ suffix: '.update_success' })
		serving = await startServing(xds)
		serving.server.publish(groupKey, mesh(weighted(100, 0)))
		envoy = await startEnvoy({ envoy: found.value.path, name: 'serviceA', bootstrap: { content } })
		await envoy.ready()
		load = startLoad({ address: host, port: egressPort, authority: 'serviceb', ratePerSecond: requestsPerSecond })
	}, 300_000)

	afterAll(async () => {
		await load?.stop()
		await envoy?.[Symbol.asyncDispose]()
		await serving?.server.close(100)
		await old?.close()
		await young?.close()
		holder?.close()
	})

	test('a starting proxy gets everything', async () => {
		await eventually('the proxy has all', () => serving.server.isCurrent(key))
		expect(serving.server.view(groupKey)).toMatchObject({ connected: 1, expected: 1, rejections: [] })
		expect(serving.server.holds(key, typeUrls.route, 'egress')).toBe(weighted(100, 0).version)
		await eventually('requests pass', () => load.soFar().answered > 50)
		expect(load.soFar().byApp).not.toHaveProperty('young')
	})

	test('weights move under traffic, each a push of one route, and no request fails', async () => {
		const before = await updates()
		for (const [oldWeight, youngWeight] of [
			[75, 25],
			[0, 100],
			[50, 50],
		] as const) {
			await serve(mesh(weighted(oldWeight, youngWeight)))
		}
		const after = await updates()
		const moved = [...after].filter(([name, value]) => value !== before.get(name))
		expect(moved.map(([name, value]) => [name, value - (before.get(name) ?? 0)])).toEqual([
			['http.egress.rds.egress.update_success', 3],
		])
		const { failures } = load.soFar()
		expect(failures).toEqual({})
	})

	test('flushes say what every request became', async () => {
		await serve(mesh(weighted(0, 100)))
		// What comes before the first flush is its starting point.
		await eventually('the first flush came', () => serving.flushes.length > 0)
		const from = serving.flushes.length
		young.setFailure({ sharePpm: 500_000, how: { kind: 'answer', status: 503, delayMs: 0 } })
		await eventually('some failed', () => (load.soFar().failures['503'] ?? 0) > 100)
		young.heal()
		const errors = () => counted(serving.flushes.slice(from), 'errors')
		const failed = load.soFar().failures['503'] ?? 0
		await eventually('all of them were counted', () => errors() >= failed)
		const seen = serving.flushes.length
		await eventually('another flush came', () => serving.flushes.length > seen)
		expect(errors()).toBe(young.counts().byStatus['503'])
		const sent = old.counts().requests + young.counts().requests
		const unseen = sent - counted(serving.flushes, 'completed')
		// Of the first second, and what is on its way now.
		expect(unseen).toBeGreaterThanOrEqual(0)
		expect(unseen).toBeLessThan(3 * requestsPerSecond)
		expect(serving.flushes[0]?.counted).toBe(false)
		expect(serving.flushes.at(-1)?.clusters.get('young')).toMatchObject({ healthyHosts: 1, hosts: 1 })
		expect(serving.receiver.hasPushed(key)).toBe(true)
		for (const { proxy } of serving.flushes) expect(proxy).toBe(key)
	})

	test('an EDS cluster that changes is accepted at once: its endpoints come along', async () => {
		const changed = edsCluster('young', { timeoutMs: 2000 })
		const startedMs = systemClock.monotonicMs()
		await serve(
			snapshotOf(
				staticCluster('old', atApp(old)),
				changed,
				endpoints('young', atApp(young)),
				egress(),
				weighted(50, 50),
			),
		)
		expect(systemClock.monotonicMs() - startedMs).toBeLessThan(2000)
		await serve(mesh(weighted(50, 50)))
	})

	test('a cluster that warms for long does not delay a way back', async () => {
		const held: Socket[] = []
		const silent = await listen(
			host,
			0,
			createServer((socket) => held.push(socket)),
		)
		const warming = healthCheckedCluster('warming', { host, port: portOf(silent) }, 3000)
		const startedMs = systemClock.monotonicMs()
		serving.server.publish(groupKey, mesh(warming, route('egress', { old: 50, warming: 50 })))
		await eventually('the cluster is warming', async () => {
			return (await envoy.admin.stats('cluster_manager.warming_clusters')).get('cluster_manager.warming_clusters') === 1
		})
		const back = weighted(100, 0)
		serving.server.publish(groupKey, mesh(warming, back))
		await eventually(
			'the way back is accepted',
			() => serving.server.holds(key, typeUrls.route, 'egress') === back.version,
		)
		expect(systemClock.monotonicMs() - startedMs).toBeLessThan(2500)
		expect(serving.server.holds(key, typeUrls.cluster, 'warming')).toBeNull()
		expect(serving.server.view(groupKey)?.types[typeUrls.cluster]).toMatchObject({ pending: 1 })
		await eventually('it has warmed', () => serving.server.isCurrent(key))
		await serve(mesh(back))
		for (const socket of held) socket.destroy()
		silent.close()
	})

	test('a port that is taken is reported in words of Envoy, and stops nothing else', async () => {
		const clash = listener('clash', { host, port: ports.taken }, 'egress')
		const shares = weighted(90, 10)
		serving.server.publish(groupKey, mesh(clash, shares))
		await eventually('it is refused', () => (serving.server.view(groupKey)?.rejections.length ?? 0) > 0)
		const [rejection, ...others] = serving.server.view(groupKey)?.rejections ?? []
		expect(others).toEqual([])
		expect(rejection).toMatchObject({ proxy: key, typeUrl: typeUrls.listener, name: 'clash', version: clash.version })
		expect(rejection?.text).toContain('Address already in use')
		await eventually('the route moved', () => serving.server.holds(key, typeUrls.route, 'egress') === shares.version)
		expect(serving.server.view(groupKey)?.types[typeUrls.listener]).toEqual({ current: 0, pending: 0, rejected: 1 })
		await serve(mesh(weighted(50, 50)))
		expect(serving.server.view(groupKey)?.rejections).toEqual([])
	})

	test('clusters go after the routes to them, and nobody notices', async () => {
		await serve(snapshotOf(staticCluster('old', atApp(old)), egress(), route('egress', { old: 1 })))
		expect((await envoy.admin.stats('cluster_manager.active_clusters')).get('cluster_manager.active_clusters')).toBe(2)
		await serve(mesh(weighted(50, 50)))
		expect((await envoy.admin.stats('http.egress.no_cluster')).get('http.egress.no_cluster') ?? 0).toBe(0)
	})

	test('a restarted daemon sends a current proxy nothing, and counts on', async () => {
		const before = await updates()
		await serving.server.close(100)
		serving = await startServing(ports.xds)
		serving.server.publish(groupKey, mesh(weighted(50, 50)))
		await eventually('it is back', () => serving.server.isCurrent(key))
		await eventually('it counts again', () => serving.flushes.filter(({ counted }) => counted).length >= 2)
		expect(await updates()).toEqual(before)
		expect(counted(serving.flushes, 'completed')).toBeGreaterThan(0)
	})

	test('a connection that has had its time is replaced: the proxy is sent nothing, and counts on', async () => {
		const before = await updates()
		const { server, events, ages, flushes } = serving
		events.splice(0)
		for (const retire of [...ages]) retire()
		expect(events.map(({ kind }) => kind)).toContain('left')
		await eventually('it is back', () => server.isCurrent(key))
		flushes.splice(0)
		await eventually('it counts on', () => flushes.filter(({ counted }) => counted).length >= 2)
		expect(await updates()).toEqual(before)
		expect(counted(flushes, 'completed')).toBeGreaterThan(0)
		await serve(mesh(weighted(40, 60)))
	})

	test('through all of this no request failed but those that the app was told to fail', async () => {
		const { failures, requests } = await load.stop()
		expect(Object.keys(failures)).toEqual(['503'])
		expect(failures['503']).toBe(young.counts().byStatus['503'])
		expect(requests).toBeGreaterThan(500)
	})

	test('a proxy that is stopped is missed', async () => {
		await envoy.stop()
		await eventually('it is gone', () => serving.server.view(groupKey)?.connected === 0)
		expect(serving.server.view(groupKey)).toMatchObject({ expected: 1, gone: [{ proxy: key }] })
	})
})

function counted(flushes: readonly Flush[], what: 'completed' | 'errors'): number {
	let sum = 0
	for (const { clusters } of flushes) for (const name of ['old', 'young']) sum += clusters.get(name)?.[what] ?? 0
	return sum
}
