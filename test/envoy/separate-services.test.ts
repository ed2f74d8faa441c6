// A real Envoy that has no aggregated stream: clusters, listeners, each route configuration and each cluster's endpoints
// come over streams of their own.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { engineNames } from '#base/xds-engine-name.ts'
import { proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import { type App, startApp } from '#lab/app.ts'
import { type EnvoyProcess, startEnvoy } from '#lab/envoy-process.ts'
import { findEnvoy } from '#lab/find-envoy.ts'
import { type Load, startLoad } from '#lab/load.ts'
import { freePorts } from '#lab/ports.ts'
import { until } from '#lab/until.ts'
import { ApiConfigSource_ApiType } from '#proto/gen/envoy/config/core/v3/config_source_pb.ts'
import type { EncodedResource, Snapshot } from '#snapshot/snapshot.ts'
import { createXdsServer, type XdsServer } from '#xds/server.ts'
import { type ConfigSourceInit, edsCluster, endpoints, listener, route, snapshotOf } from '../fixtures/resources.ts'
import type { Variant } from '../fixtures/xds-dialogue.ts'
import { loneProxy } from './fixtures/lone-proxy.ts'

const host = '127.0.0.1'
const key = 'mesh/apps/virtualNode/serviceA#host-1'
const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']
const cases = engineNames.flatMap((engine) => variants.map((variant) => ({ engine, variant })))

describe.for(cases)('$variant, by $engine', ({ variant, engine }) => {
	let server: XdsServer
	let envoy: EnvoyProcess
	let load: Load
	let ports: { xds: number; egress: number }
	let groupKey: string
	let source: ConfigSourceInit
	const apps = new Map<string, App>()

	const clusters = (...names: string[]): EncodedResource[] =>
		names.flatMap((name) => [edsCluster(name, { source }), endpoints(name, addressOf(name))])
	const addressOf = (name: string) => ({ host, port: apps.get(name)?.port ?? 0 })
	const egress = () => listener('egress', { host, port: ports.egress }, 'egress', source)
	const toBoth = (old: number, young: number) => route('egress', { old, young })

	async function serve(snapshot: Snapshot): Promise<void> {
		server.publish(groupKey, snapshot)
		await eventually('the proxy has all', () => server.isCurrent(key))
	}

	beforeAll(async () => {
		const found = await findEnvoy({ onProgress: console.log })
		if (!found.ok) throw new Error(found.error.message)
		const [xds = 0, egressPort = 0] = await freePorts(host, 2)
		ports = { xds, egress: egressPort }
		for (const name of ['old', 'young']) apps.set(name, await startApp({ name, address: host }))
		const { version } = found.value
		const { group, bootstrap: content } = loneProxy({ host, xds, egressPort, variant, version })
		groupKey = proxyGroupKey(group)
		const own = content.dynamic_resources.ads_config
		const clusterName: string = own.grpc_services[0].envoy_grpc.cluster_name
		const value = {
			apiType: variant === 'delta' ? ApiConfigSource_ApiType.DELTA_GRPC : ApiConfigSource_ApiType.GRPC,
			transportApiVersion: 2 as const,
			grpcServices: [{ targetSpecifier: { case: 'envoyGrpc' as const, value: { clusterName } } }],
		}
		source = { resourceApiVersion: 2, configSourceSpecifier: { case: 'apiConfigSource', value } }
		const written = { api_config_source: own, resource_api_version: 'V3' }
		content.dynamic_resources = { cds_config: written, lds_config: written }
		server = createXdsServer({ clock: systemClock, log: silentLog, emit() {}, engine })
		const listening = await server.listen(`${host}:${xds}`)
		if (!listening.ok) throw new Error(listening.error.message)
		server.publish(groupKey, snapshotOf(...clusters('old'), egress(), route('egress', { old: 1 })))
		envoy = await startEnvoy({ envoy: found.value.path, name: 'serviceA', bootstrap: { content } })
		await envoy.ready()
		load = startLoad({ address: host, port: egressPort, authority: 'serviceb', ratePerSecond: 100 })
	}, 300_000)

	afterAll(async () => {
		await load?.stop()
		await envoy?.[Symbol.asyncDispose]()
		await server?.close(100)
		for (const app of apps.values()) await app.close()
	})

	test('all of its streams are one proxy, which has everything', async () => {
		await eventually('the proxy has all', () => server.isCurrent(key))
		expect(server.view(groupKey)).toMatchObject({ connected: 1, expected: 1, rejections: [] })
		expect(
			server
				.acked(key)
				?.resources.map(({ name }) => name)
				.sort(),
		).toEqual(['egress', 'egress', 'old', 'old'])
		await eventually('requests pass', () => load.soFar().answered > 20)
	})

	test('a cluster comes, gets the traffic and goes again, and no request fails', async () => {
		await serve(snapshotOf(...clusters('old', 'young'), egress(), route('egress', { old: 1 })))
		await serve(snapshotOf(...clusters('old', 'young'), egress(), toBoth(50, 50)))
		await eventually('both answer', () => (load.soFar().byApp.young ?? 0) > 10)
		await serve(snapshotOf(...clusters('old', 'young'), egress(), toBoth(100, 0)))
		await serve(snapshotOf(...clusters('old', 'young'), egress(), route('egress', { old: 1 })))
		await serve(snapshotOf(...clusters('old'), egress(), route('egress', { old: 1 })))
		expect(server.holds(key, typeUrls.cluster, 'young')).toBeNull()
		expect(load.soFar().failures).toEqual({})
	})

	test('endpoints move without their cluster', async () => {
		const before = load.soFar().byApp.young ?? 0
		await serve(
			snapshotOf(
				edsCluster('old', { source }),
				endpoints('old', addressOf('young')),
				egress(),
				route('egress', { old: 1 }),
			),
		)
		await eventually('the other app answers', () => (load.soFar().byApp.young ?? 0) > before + 10)
		expect(load.soFar().failures).toEqual({})
	})

	test('more streams than a connection may have go over several, and are one proxy still', async () => {
		const names = Array.from({ length: limits.xdsStreamsPerConnection + 4 }, (_, index) => `cluster-${index}`)
		const many = names.flatMap((name) => [edsCluster(name, { source }), endpoints(name, addressOf('old'))])
		await serve(snapshotOf(...many, ...clusters('old'), egress(), route('egress', { old: 1 })))
		expect(names.filter((name) => server.holds(key, typeUrls.endpoint, name) === null)).toEqual([])
		expect(server.view(groupKey)).toMatchObject({ connected: 1, expected: 1 })
	})

	test('what it refuses is refused once, and a restarted server is told what it has', async () => {
		const refused = route('egress', { old: 0 })
		const now = () => [edsCluster('old', { source }), endpoints('old', addressOf('young')), egress()]
		server.publish(groupKey, snapshotOf(...now(), refused))
		await eventually('it is refused', () => (server.view(groupKey)?.rejections.length ?? 0) > 0)
		expect(server.view(groupKey)?.rejections).toMatchObject([{ name: 'egress', version: refused.version }])
		await serve(snapshotOf(...now(), route('egress', { old: 1 })))
		await server.close(100)
		server = createXdsServer({ clock: systemClock, log: silentLog, emit() {}, engine })
		await server.listen(`${host}:${ports.xds}`)
		server.publish(groupKey, snapshotOf(...now(), route('egress', { old: 1 })))
		await eventually('all of it is back', () => server.isCurrent(key))
		expect(load.soFar().failures).toEqual({})
	})
})

function eventually(what: string, isSo: () => boolean): Promise<true> {
	return until({ clock: systemClock, deadlineMs: 20_000, what }, async () => isSo() || null)
}
