import { afterEach, describe, expect, test } from 'vitest'
import type { GrpcService } from '#base/grpc-service.ts'
import { limits } from '#base/limits.ts'
import { type LogFields, silentLog } from '#base/log.ts'
import { systemClock } from '#base/system-clock.ts'
import { until } from '#lab/until.ts'
import { createAdmission } from '#xds/admission.ts'
import type { XdsEvent } from '#xds/fleet-view.ts'
import { createXdsServer, type XdsServer } from '#xds/server.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'
import { identifyingService } from '../../fixtures/identifying-service.ts'
import { endpoints, listener, opaque, route, snapshotOf, staticCluster } from '../../fixtures/resources.ts'
import { connectXds, metricsMethod, type XdsConnection } from '../../fixtures/xds-client.ts'
import { defaultNode, encodeSaying, type NodeInit, type Variant } from '../../fixtures/xds-dialogue.ts'
import { xdsEngine } from '../../fixtures/xds-engine.ts'

const at = { host: '127.0.0.1', port: 8080 }
const groupOf = (name: string) => `mesh/apps/virtualNode/${name}|stable|1.40|explicit|0.0.0.0|15001|127.0.0.1:`
const serviceA = groupOf('serviceA')
const nodeOf = (name: string, instance: string | null = 'host-1'): NodeInit => ({
	...defaultNode,
	id: `mesh/apps/virtualNode/${name}`,
	metadata: { sluice: instance === null ? {} : { instance } },
})
const [a, b] = [staticCluster('a', at), staticCluster('b', at)]
const egress = listener('egress', { host: '127.0.0.1', port: 15001 }, 'r')
const full = snapshotOf(a, b, egress, route('r', { a: 1 }))
const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']

const open: (() => Promise<void> | void)[] = []
afterEach(async () => {
	for (const close of open.splice(0).reverse()) await close()
})

type Running = { server: XdsServer; port: number; events: XdsEvent[]; connect: () => XdsConnection }

async function start(options: Partial<Parameters<typeof createXdsServer>[0]> = {}): Promise<Running> {
	const events: XdsEvent[] = []
	const server = createXdsServer({
		clock: systemClock,
		log: silentLog,
		emit: (event) => events.push(event),
		engine: xdsEngine,
		...options,
	})
	const listening = await server.listen('127.0.0.1:0')
	if (!listening.ok) throw new Error(listening.error.message)
	const { port } = listening.value
	open.push(() => server.close(100))
	function connect(): XdsConnection {
		const connection = connectXds(port)
		open.push(connection.close)
		return connection
	}
	return { server, port, events, connect }
}

function eventually(what: string, isSo: () => boolean): Promise<true> {
	return until({ clock: systemClock, deadlineMs: 5000, what }, async () => isSo() || null)
}

describe.for(variants)('%s', (variant) => {
	test('a proxy is served, seen, and reported', async () => {
		const { server, events, connect } = await start()
		server.publish(serviceA, full)
		expect(server.view(serviceA)).toBeNull()
		const proxy = connect().open(variant)
		proxy.say({ type: 'cluster' })
		await proxy.accept()
		proxy.say({ type: 'listener' })
		await proxy.accept()
		proxy.say({ type: 'route', names: ['r'] })
		await proxy.accept()
		const key = 'mesh/apps/virtualNode/serviceA#host-1'
		await eventually('the proxy is current', () => server.isCurrent(key))
		const done = { current: 1, pending: 0, rejected: 0 }
		expect(server.view(serviceA)).toMatchObject({
			connected: 1,
			expected: 1,
			version: full.version,
			pending: [],
			gone: [],
		})
		expect(Object.values(server.view(serviceA)?.types ?? {})).toEqual([done, done, done, done, done])
		expect(server.holds(key, a.typeUrl, 'a')).toBe(a.version)
		expect([...server.proxies(serviceA)].map(({ proxy: { key: proxyKey }, state }) => [proxyKey, state])).toEqual([
			[key, 'current'],
		])
		expect(events[0]).toMatchObject({ kind: 'arrived', proxy: { key, groupKey: serviceA } })
		expect(events.at(-1)).toEqual({ kind: 'progressed', groupKey: serviceA })

		proxy.cancel()
		await eventually('it is missed', () => server.view(serviceA)?.connected === 0)
		expect(server.view(serviceA)).toMatchObject({ expected: 1, gone: [{ proxy: key, version: full.version }] })
		expect(events.some(({ kind }) => kind === 'left')).toBe(true)
	})

	test('a proxy that says good-bye is not expected back', async () => {
		const { server, connect } = await start()
		server.publish(serviceA, full)
		const proxy = connect().open(variant)
		proxy.say({ type: 'cluster' })
		await proxy.accept()
		proxy.halfClose()
		expect(await proxy.ended).toContain('OK')
		expect(server.view(serviceA)).toMatchObject({ connected: 0, expected: 0, gone: [] })
	})

	test('a refused identity ends with NOT_FOUND, and is served once it is published', async () => {
		const { server, connect } = await start()
		const early = connect().open(variant)
		early.say({ type: 'cluster' })
		await eventually('it arrived', () => server.view(serviceA)?.connected === 1)
		server.refuse(serviceA, 'serviceA is not in the mesh')
		expect(await early.ended).toBe('NOT_FOUND: serviceA is not in the mesh')
		const late = connect().open(variant)
		late.say({ type: 'cluster' })
		expect(await late.ended).toContain('NOT_FOUND')
		server.publish(serviceA, full)
		const again = connect().open(variant)
		again.say({ type: 'cluster' })
		expect(Object.keys((await again.told()).resources)).toEqual(['a', 'b'])
	})

	test('a message that is no message ends its stream and no other', async () => {
		const { server, connect } = await start()
		server.publish(serviceA, full)
		const connection = connect()
		const proxy = connection.open(variant)
		proxy.say({ type: 'cluster' })
		await proxy.accept()
		const broken = connection.openRaw(
			`/envoy.service.discovery.v3.AggregatedDiscoveryService/${variant === 'delta' ? 'Delta' : 'Stream'}AggregatedResources`,
		)
		broken.write(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff))
		expect(await broken.ended).toContain('INVALID_ARGUMENT')
		const large = connection.openRaw('/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources')
		large.write(new Uint8Array(limits.xdsMessageBytes + 1))
		expect(await large.ended).toContain('RESOURCE_EXHAUSTED')
		server.publish(serviceA, snapshotOf(a, b, staticCluster('c', at)))
		expect((await proxy.told()).type).toBe('cluster')
	})
})

describe('identity', () => {
	test.for<[string, (connection: XdsConnection) => Promise<string>]>([
		[
			'another stream',
			async (connection) => {
				const other = connection.open('delta', nodeOf('serviceB'))
				other.say({ type: 'cluster' })
				return other.ended
			},
		],
		[
			'another instance',
			async (connection) => {
				const other = connection.open('stateOfTheWorld', nodeOf('serviceA', 'host-2'))
				other.say({ type: 'cluster' })
				return other.ended
			},
		],
		[
			'a metrics stream',
			async (connection) => {
				const raw = connection.openRaw(metricsMethod)
				raw.write(encodeSaying('delta', { type: 'cluster', node: nodeOf('serviceB') }))
				return raw.ended
			},
		],
	])('the connection belongs to the first proxy on it: not for %s as somebody else', async ([, act]) => {
		const admission = createAdmission()
		const { server, connect } = await start({ admission, services: [identifyingService(admission)] })
		server.publish(serviceA, full)
		const connection = connect()
		const first = connection.open('delta')
		first.say({ type: 'cluster' })
		await first.accept()
		expect(await act(connection)).toContain('PERMISSION_DENIED')
		first.say({ type: 'listener' })
		expect((await first.told()).type).toBe('listener')
	})

	test('a node that changes on its stream is denied', async () => {
		const { server, connect } = await start()
		server.publish(serviceA, full)
		const proxy = connect().open('delta')
		proxy.say({ type: 'cluster' })
		await proxy.accept()
		proxy.say({ type: 'listener', node: nodeOf('serviceB') })
		expect(await proxy.ended).toContain('PERMISSION_DENIED')
	})

	test('another connection may be another proxy', async () => {
		const { server, connect } = await start()
		server.publish(serviceA, full)
		server.publish(groupOf('serviceB'), snapshotOf(b))
		for (const [name, clusters] of [
			['serviceA', ['a', 'b']],
			['serviceB', ['b']],
		] as const) {
			const proxy = connect().open('delta', nodeOf(name))
			proxy.say({ type: 'cluster' })
			expect(Object.keys((await proxy.told()).resources)).toEqual(clusters)
		}
	})

	test('a proxy without an instance counts as connected and is not expected', async () => {
		const { server, connect } = await start()
		server.publish(serviceA, full)
		const proxy = connect().open('delta', nodeOf('serviceA', null))
		proxy.say({ type: 'cluster' })
		await proxy.accept()
		expect(server.view(serviceA)).toMatchObject({ connected: 1, expected: 0 })
		proxy.cancel()
		await eventually('it is gone', () => server.view(serviceA)?.connected === 0)
		expect(server.view(serviceA)).toMatchObject({ expected: 0, gone: [] })
	})
})

test('a stream of which nothing comes is ended, and takes no other with it', async () => {
	const clock = createManualClock()
	const { server, connect } = await start({ clock })
	server.publish(serviceA, full)
	const connection = connect()
	const proxy = connection.open('delta')
	proxy.say({ type: 'cluster' })
	await proxy.accept()
	const silent = connection.open('delta')
	// It has been opened when what was said after it has been answered.
	proxy.say({ type: 'listener' })
	await proxy.accept()
	clock.advance(limits.xdsSilentMs)
	expect(await silent.ended).toBe('UNAVAILABLE: nothing was said for 30 s')
	server.publish(serviceA, snapshotOf(a, b, staticCluster('c', at)))
	expect((await proxy.told()).resources).toHaveProperty('c')
})

test('a proxy that is refused again and again is told once, and then a number a minute', async () => {
	const clock = createManualClock()
	const told: LogFields[] = []
	const info = (_: string, fields: LogFields = {}) => void told.push(fields)
	const { server, connect } = await start({ clock, log: { ...silentLog, info } })
	server.refuse(serviceA, 'there is no such virtual node')
	const connection = connect()
	for (const _ of 'again') {
		const proxy = connection.open('delta')
		proxy.say({ type: 'cluster' })
		expect(await proxy.ended).toContain('NOT_FOUND')
	}
	expect(told).toMatchObject([{ code: 'NOT_FOUND', message: 'there is no such virtual node' }])
	clock.advance(limits.repeatedLogMs)
	expect(told).toMatchObject([{}, { code: 'NOT_FOUND', again: 4 }])
})

test('a proxy that does not read delays nobody, holds little, and is cut', async () => {
	const clock = createManualClock()
	const { server, connect } = await start({ clock })
	const large = (version: number) =>
		snapshotOf(
			...Array.from({ length: 4 }, (_, index) =>
				opaque(endpoints('x', at).typeUrl, `e${index}`, `${version}${'x'.repeat(4_000_000)}`),
			),
			a,
			listener('l', at, `r${version}`),
		)
	server.publish(serviceA, large(0))
	const stuck = connect().open('delta')
	stuck.say({ type: 'endpoint', names: ['e0', 'e1', 'e2', 'e3'] })
	stuck.pause()
	const well = connect().open('delta', nodeOf('serviceA', 'host-2'))
	well.say({ type: 'listener' })
	await well.accept()
	await eventually('both are here', () => server.view(serviceA)?.connected === 2)
	for (let version = 1; version <= 20; version += 1) {
		server.publish(serviceA, large(version))
		const [told] = await well.accept()
		expect(told?.type).toBe('listener')
	}
	// One answer of 16 MB is on its way to it, whatever was published since.
	expect(process.memoryUsage().arrayBuffers).toBeLessThan(20 * 16_000_000)
	clock.advance(limits.xdsSendMs)
	await eventually('it is cut', () => server.view(serviceA)?.connected === 1)
	expect(server.view(serviceA)).toMatchObject({
		expected: 2,
		gone: [{ proxy: 'mesh/apps/virtualNode/serviceA#host-1' }],
	})
	// Its messages are gone with it; the other one is served on.
	server.publish(serviceA, full)
	expect((await well.accept())[0]?.type).toBe('listener')
})

test.for([null, 'Bearer secret'])('a service is told the authorization of a call: %j', async (authorization) => {
	const seen: (string | null)[] = []
	const path = '/some.Service/Stream'
	const service: GrpcService = {
		path,
		open(call) {
			seen.push(call.authorization)
			return { receive: () => call.end({ code: 'UNAUTHENTICATED', message: 'no' }), closed() {} }
		},
	}
	const { port } = await start({ services: [service] })
	const connection = connectXds(port, null, authorization)
	open.push(connection.close)
	const call = connection.openRaw(path)
	call.write(Uint8Array.of(0))
	expect(await call.ended).toBe('UNAUTHENTICATED: no')
	expect(seen).toEqual([authorization])
})

describe('listening', () => {
	test('a port in use is one clear line', async () => {
		const { port } = await start()
		const second = createXdsServer({ clock: systemClock, log: silentLog, emit() {}, engine: xdsEngine })
		expect(await second.listen(`127.0.0.1:${port}`)).toEqual({
			ok: false,
			error: {
				code: 'address-in-use',
				message: `127.0.0.1:${port} is in use: stop what listens there, or choose another address with --xds`,
			},
		})
		await second.close(0)
	})

	test.for(['', 'localhost', '127.0.0.1:99999', '127.0.0.1:x'])('%j is no address', async (address) => {
		const server = createXdsServer({ clock: systemClock, log: silentLog, emit() {}, engine: xdsEngine })
		expect(await server.listen(address)).toMatchObject({ ok: false, error: { code: 'address-invalid' } })
		await server.close(0)
	})

	test('closing ends the streams and frees the port', async () => {
		const { server, port, connect } = await start()
		server.publish(serviceA, full)
		const proxy = connect().open('delta')
		proxy.say({ type: 'cluster' })
		await proxy.accept()
		await server.close(1000)
		expect(await proxy.ended).toContain('UNAVAILABLE')
		const next = createXdsServer({ clock: systemClock, log: silentLog, emit() {}, engine: xdsEngine })
		expect(await next.listen(`127.0.0.1:${port}`)).toEqual({ ok: true, value: { port } })
		await next.close(0)
	})
})

test('a large group is pushed to in batches, and nobody is left out', async () => {
	const { server, connect } = await start()
	server.publish(serviceA, snapshotOf(a))
	const connections = Array.from({ length: 20 }, connect)
	const count = limits.xdsPushBatch + 44
	const proxies = Array.from({ length: count }, (_, index) => {
		const connection = connections[index % connections.length] as XdsConnection
		return connection.open('delta', nodeOf('serviceA', `host-${index % connections.length}`))
	})
	for (const proxy of proxies) proxy.say({ type: 'cluster' })
	for (const proxy of proxies) await proxy.accept()
	server.publish(serviceA, snapshotOf(a, b))
	for (const proxy of proxies) expect((await proxy.told()).resources).toEqual({ b: b.version })
})
