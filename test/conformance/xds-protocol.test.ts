// The transport protocol, clause by clause (docs/xds.md): raw resources over real gRPC, in both variants, by the
// aggregated service and by the one of each type.

import type { Any } from '@bufbuild/protobuf/wkt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#base/system-clock.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { until } from '#lab/until.ts'
import { ClusterSchema } from '#proto/gen/envoy/config/cluster/v3/cluster_pb.ts'
import { ClusterLoadAssignmentSchema } from '#proto/gen/envoy/config/endpoint/v3/endpoint_pb.ts'
import { ListenerSchema } from '#proto/gen/envoy/config/listener/v3/listener_pb.ts'
import { RouteConfigurationSchema } from '#proto/gen/envoy/config/route/v3/route_pb.ts'
import { SecretSchema } from '#proto/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts'
import { ClusterDiscoveryService } from '#proto/gen/envoy/service/cluster/v3/cds_pb.ts'
import { AggregatedDiscoveryService } from '#proto/gen/envoy/service/discovery/v3/ads_pb.ts'
import { EndpointDiscoveryService } from '#proto/gen/envoy/service/endpoint/v3/eds_pb.ts'
import { ListenerDiscoveryService } from '#proto/gen/envoy/service/listener/v3/lds_pb.ts'
import { RouteDiscoveryService } from '#proto/gen/envoy/service/route/v3/rds_pb.ts'
import { SecretDiscoveryService } from '#proto/gen/envoy/service/secret/v3/sds_pb.ts'
import { discoveryMethods } from '#xds/services.ts'
import { type RawXds, rawAny, startRawXds } from '../fixtures/raw-xds.ts'
import type { XdsConnection, XdsConversation } from '../fixtures/xds-client.ts'
import { encodeSaying, type Say, type Told, type TypeName, type Variant } from '../fixtures/xds-dialogue.ts'

/** A resource of each type; another mark is another content. */
const make: Readonly<Record<TypeName, (name: string, mark: number) => Any>> = {
	cluster: (name, mark) => rawAny(ClusterSchema, { name, connectTimeout: { seconds: BigInt(mark) } }),
	endpoint: (name, mark) => rawAny(ClusterLoadAssignmentSchema, { clusterName: name, endpoints: [{ priority: mark }] }),
	listener: (name, mark) => rawAny(ListenerSchema, { name, statPrefix: `mark-${mark}` }),
	route: (name, mark) => rawAny(RouteConfigurationSchema, { name, virtualHosts: [{ name: `mark-${mark}` }] }),
	secret: (name, mark) => rawAny(SecretSchema, { name, type: { case: 'genericSecret', value: marked(mark) } }),
}
const marked = (mark: number) => ({ secret: { specifier: { case: 'inlineString', value: `mark-${mark}` } } }) as const

type By = 'aggregated' | 'separate'
type Case = { readonly variant: Variant; readonly by: By; readonly type: TypeName }
const types = Object.keys(typeUrls) as TypeName[]
const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']
const bys: readonly By[] = ['aggregated', 'separate']
const cases: readonly Case[] = variants.flatMap((variant) =>
	bys.flatMap((by) => types.map((type) => ({ variant, by, type }))),
)
/** Of these, an answer in state of the world is all that is asked for. */
const isFull = (type: TypeName) => type === 'cluster' || type === 'listener'

let raw: RawXds
beforeAll(async () => {
	raw = await startRawXds()
})
afterAll(() => raw?.close())

let groups = 0

/** One proxy with one stream, in a group of its own. */
function meet({ variant, by, type }: Case) {
	groups += 1
	const group = `group-${groups}`
	const connection = raw.connect()
	const stream = () => connection.open(variant, { id: group }, by === 'separate' ? typeUrls[type] : 'all')
	const proxy = stream()
	/** Name → mark. */
	function set(version: string, marks: Readonly<Record<string, number>>, of: TypeName = type): void {
		const resources = Object.entries(marks).map(([name, mark]) => [name, make[of](name, mark)])
		raw.set(group, typeUrls[of], version, Object.fromEntries(resources))
	}
	return {
		group,
		connection,
		stream,
		proxy,
		set,
		say: (say: Omit<Say, 'type'>) => proxy.say({ type, ...say }),
		accept: async () => (await proxy.accept())[0] as Told,
		/** After that and all that comes of it, nothing has been said that was not read. */
		silent: () => silent(connection, { group, set, proxy }),
		holds: (name: string) => raw.server.holds(`${group}#${connectionOf(group)}`, typeUrls[type], name),
	}
}

function connectionOf(group: string): string {
	const [standing] = raw.server.proxies(group)
	return standing?.proxy.key.split('#')[1] ?? ''
}

type Meeting = Pick<ReturnType<typeof meet>, 'group' | 'proxy' | 'set'>

/** What is asked later on the same connection is answered later. */
async function silent(connection: XdsConnection, { group, proxy, set }: Meeting): Promise<void> {
	for (const [name, mark] of [
		['fence', 1],
		['other-fence', 2],
	] as const) {
		set(`fence-${mark}`, { [name]: mark }, 'secret')
		const fence = connection.open('delta', { id: group }, typeUrls.secret)
		fence.say({ type: 'secret', names: [name] })
		await fence.told()
		fence.cancel()
	}
	expect(proxy.waiting()).toBe(0)
}

const names = ({ resources }: Told) => Object.keys(resources).sort()

describe.for(cases)('$variant, $by, $type', (each) => {
	const { variant, by, type } = each
	const isDelta = variant === 'delta'
	/** What an answer carries when `changed` of `all` have changed. */
	const carried = (changed: readonly string[], all: readonly string[]) => (isDelta || !isFull(type) ? changed : all)

	test('what is set is served when the call returns, under the version that was given, and an ACK is not answered', async () => {
		const { set, say, accept, silent, holds } = meet(each)
		set('one', { a: 1, b: 1, c: 1 })
		say({ names: ['a', 'b'] })
		const first = await accept()
		expect([first.version, names(first)]).toEqual(['one', ['a', 'b']])
		if (isDelta) expect(first.resources).toEqual({ a: 'one', b: 'one' })
		set('two', { a: 2, b: 1, c: 2 })
		const second = await accept()
		expect([second.version, names(second)]).toEqual(['two', carried(['a'], ['a', 'b'])])
		if (isDelta) expect(second.resources).toEqual({ a: 'two' })
		expect(second.nonce).not.toBe(first.nonce)
		await eventually(() => holds('a') === 'two')
		expect([holds('b'), holds('c')]).toEqual(['one', null])
		if (type !== 'secret') await silent()
	})

	test('a first request without names asks for all clusters and listeners, and for nothing of the other types', async () => {
		const { set, say, accept, proxy } = meet(each)
		set('one', { a: 1, b: 1 })
		say({})
		if (!isFull(type)) {
			say({ names: ['b'] })
			return expect(names(await accept())).toEqual(['b'])
		}
		expect(names(await accept())).toEqual(['a', 'b'])
		set('two', { a: 1, b: 1, c: 1 })
		expect(names(await accept())).toEqual(carried(['c'], ['a', 'b', 'c']))
		expect(proxy.waiting()).toBe(0)
	})

	test('a star asks for all of any type, beside names too', async () => {
		const { set, say, accept } = meet(each)
		set('one', { a: 1, b: 1 })
		say({ names: ['*', 'a'] })
		expect(names(await accept())).toEqual(['a', 'b'])
		set('two', { a: 1, b: 1, c: 1 })
		expect(names(await accept())).toEqual(carried(['c'], ['a', 'b', 'c']))
	})

	test('a name that does not exist is no error, nor is an empty one, and it is sent once it is there', async () => {
		const { set, say, accept, silent } = meet(each)
		set('one', { a: 1 })
		say({ names: ['a', '', 'later'] })
		const told = [await accept()]
		expect([told[0]?.version, names(told[0] as Told)]).toEqual(['one', ['a']])
		if (isDelta) {
			// It may be that a cluster waits for these, so that they are not called absent before the proxy has said what it has.
			while (told.flatMap(({ removed }) => removed).length < 2) told.push(await accept())
			expect(told.flatMap(({ removed }) => removed).sort()).toEqual(['', 'later'])
		}
		set('two', { a: 1, later: 1 })
		const next = await accept()
		expect([next.version, names(next)]).toEqual(['two', carried(['later'], ['a', 'later'])])
		if (type !== 'secret') await silent()
	})

	test('what is removed is named in delta, left out of a full answer, and not spoken of in others; it may return', async () => {
		const { set, say, accept } = meet(each)
		set('one', { a: 1, b: 1 })
		say({ names: ['a', 'b'] })
		await accept()
		set('two', { a: 1 })
		if (isDelta) expect(await accept()).toMatchObject({ version: 'two', resources: {}, removed: ['b'] })
		else if (isFull(type)) expect([(await accept()).version, type]).toEqual(['two', type])
		set('three', { a: 1, b: 1 })
		const back = await accept()
		expect(names(back)).toEqual(carried(['b'], ['a', 'b']))
		expect(back.version).toBe('three')
	})

	test('a removal under the version that was served before is a removal', async () => {
		const { set, say, accept } = meet(each)
		set('one', { a: 1, b: 1 })
		say({ names: ['a', 'b'] })
		await accept()
		set('one', { a: 1 })
		set('two', { a: 2 })
		const told = [await accept()]
		while (isDelta && !told.some(({ removed }) => removed.includes('b'))) told.push(await accept())
		while (!isDelta && isFull(type) && names(told.at(-1) as Told).includes('b')) told.push(await accept())
		if (isDelta || isFull(type)) expect(told.at(-1)?.version).toBe('two')
	})

	test('what is no longer asked for is not sent, though both crossed', async () => {
		const { set, say, proxy, accept } = meet(each)
		set('one', { a: 1, b: 1 })
		say({ names: ['a', 'b'] })
		const { nonce, version } = await proxy.told()
		set('two', { a: 2, b: 2 })
		say(isDelta ? { remove: ['a'], nonce } : { names: ['b'], nonce, version })
		expect(names(await accept())).toEqual(['b'])
		set('three', { a: 3, b: 3 })
		expect(names(await accept())).toEqual(['b'])
	})

	test('when the last name is given up nothing is sent: it is no wildcard', async () => {
		const { set, say, proxy, accept } = meet(each)
		set('one', { a: 1, b: 1 })
		say({ names: ['a'] })
		const { nonce, version } = await proxy.told()
		say(isDelta ? { remove: ['a'], nonce } : { names: [], nonce, version })
		set('two', { a: 2, b: 2 })
		say(isDelta ? { names: ['b'] } : { names: ['b'], nonce, version })
		const next = await accept()
		expect([next.version, names(next)]).toEqual(['two', ['b']])
	})

	test('a name that is asked for anew is sent, though it did not change', async () => {
		const { set, say, accept } = meet(each)
		set('one', { a: 1, b: 1 })
		say({ names: ['a', 'b'] })
		const { nonce, version } = await accept()
		if (isDelta) say({ names: ['a'] })
		else {
			say({ names: ['b'], nonce, version })
			say({ names: ['a', 'b'], nonce, version })
		}
		expect(names(await accept())).toEqual(carried(['a'], ['a', 'b']))
	})

	test('an answer with an old nonce accepts nothing, and one response is under way at a time', async () => {
		const { set, say, proxy, silent, accept } = meet(each)
		set('one', { a: 1 })
		say({ names: ['a'] })
		const first = await accept()
		set('two', { a: 2 })
		const second = await proxy.told()
		say({ nonce: first.nonce, version: first.version })
		say({ nonce: 'of nobody', version: 'of nobody' })
		set('three', { a: 3 })
		set('four', { a: 4 })
		if (type !== 'secret') await silent()
		say({ nonce: second.nonce, version: second.version })
		expect(await accept()).toMatchObject({ version: 'four' })
	})

	test('what was refused is not sent again, and the next version is', async () => {
		const { set, say, proxy, accept, silent, holds, group } = meet(each)
		set('one', { a: 1 })
		say({ names: ['a'] })
		await accept()
		set('two', { a: 2 })
		const { nonce, version } = await proxy.told()
		expect(version).toBe('two')
		say({ nonce, version: 'one', refusal: 'a: it does not parse' })
		await eventually(() => (raw.server.view(group)?.rejections.length ?? 0) > 0)
		expect(raw.server.view(group)?.rejections).toMatchObject([
			{ name: 'a', version: 'two', text: 'a: it does not parse' },
		])
		expect(holds('a')).toBe('one')
		if (type !== 'secret') await silent()
		set('three', { a: 3 })
		expect(await accept()).toMatchObject({ version: 'three' })
	})

	test('the first request of a stream carries the node, and others need not', async () => {
		const { proxy } = meet(each)
		proxy.say({ type, node: null })
		expect(await proxy.ended).toContain('INVALID_ARGUMENT: the first request must carry the node')
	})

	test('a stream that the proxy half-closes ends well', async () => {
		const { set, say, proxy, accept } = meet(each)
		set('one', { a: 1 })
		say({ names: ['a'] })
		await accept()
		proxy.halfClose()
		expect(await proxy.ended).toContain('OK')
	})

	test('a proxy that comes back and says what it has is sent the difference', async () => {
		// Envoy asks so, without clusters, while it warms one (test/unit/xds/stream.test.ts): nothing is taken from it then.
		const isWarming = isDelta && by === 'aggregated' && (type === 'endpoint' || type === 'secret')
		const { set, say, accept, silent, stream } = meet(each)
		set('one', { a: 1, b: 1 })
		set('two', { a: 1, b: 2 })
		const has = { a: 'one', b: 'one', gone: 'one' }
		if (isDelta) {
			say({ names: ['a', 'b', 'gone'], has })
			const told = [await accept()]
			while (!isWarming && !told.some(({ removed }) => removed.includes('gone'))) told.push(await accept())
			const all = isWarming && type === 'endpoint' ? { a: 'one', b: 'two' } : { b: 'two' }
			return expect(Object.assign({}, ...told.map(({ resources }) => resources))).toEqual(all)
		}
		say({ names: ['a', 'b'], version: 'two' })
		if (type !== 'secret') await silent()
		const older = stream()
		older.say({ type, names: ['a', 'b'], version: 'one' })
		expect(names(await older.told())).toEqual(['a', 'b'])
	})
})

describe.for(variants)('%s: one stream', (variant) => {
	test('serves all types, each with nonces and versions of its own, and the same name under each', async () => {
		const { set, proxy } = meet({ variant, by: 'aggregated', type: 'cluster' })
		for (const type of types) {
			set(`${type}-one`, { same: 1 }, type)
			proxy.say({ type, names: ['same'] })
		}
		const told = await proxy.accept(types.length)
		expect(told.map(({ type, version }) => [type, version]).sort()).toEqual(types.map((type) => [type, `${type}-one`]))
		expect(new Set(told.map(({ nonce }) => nonce)).size).toBe(types.length)
		set('route-two', { same: 2 }, 'route')
		expect(await proxy.told()).toMatchObject({ type: 'route', version: 'route-two' })
	})

	test('takes the nonce of one type for none of another', async () => {
		const meeting = meet({ variant, by: 'aggregated', type: 'cluster' })
		const { set, proxy, silent } = meeting
		for (const type of ['cluster', 'listener'] as const) {
			set('one', { a: 1 }, type)
			proxy.say({ type, names: ['a'] })
		}
		const [clusters, listeners] = [await proxy.told(), await proxy.told()]
		set('two', { a: 2 }, 'listener')
		proxy.say({ type: 'listener', nonce: clusters.nonce, version: clusters.version })
		await silent()
		proxy.say({ type: 'listener', nonce: listeners.nonce, version: listeners.version })
		expect(await proxy.told()).toMatchObject({ type: 'listener', version: 'two' })
	})

	test('passes over a type that is not served', async () => {
		const { set, proxy, connection, group } = meet({ variant, by: 'aggregated', type: 'cluster' })
		set('one', { a: 1 })
		const { path } = methodOf(variant, 'all')
		const stream = connection.openRaw(path)
		const node = { id: group }
		stream.write(
			encodeSaying(variant, { type: 'cluster', node }, 'type.googleapis.com/envoy.service.runtime.v3.Runtime'),
		)
		stream.write(encodeSaying(variant, { type: 'cluster', names: ['a'] }))
		await stream.next()
		expect(proxy.waiting() + stream.waiting()).toBe(0)
	})
})

describe('services', () => {
	test('are those of the protocol, in both variants', () => {
		const all = [
			AggregatedDiscoveryService,
			ClusterDiscoveryService,
			EndpointDiscoveryService,
			ListenerDiscoveryService,
			RouteDiscoveryService,
			SecretDiscoveryService,
		]
		const streams = all.flatMap(({ typeName, methods }) =>
			methods.filter(({ methodKind }) => methodKind === 'bidi_streaming').map(({ name }) => `/${typeName}/${name}`),
		)
		expect(discoveryMethods.map(({ path }) => path).sort()).toEqual(streams.sort())
	})

	test.for(variants)('%s: one of a type need not be told which, and has no other', async (variant) => {
		const { set, connection, group } = meet({ variant, by: 'separate', type: 'route' })
		set('one', { a: 1 })
		const { path } = methodOf(variant, typeUrls.route)
		const unnamed = connection.openRaw(path)
		unnamed.write(encodeSaying(variant, { type: 'route', names: ['a'], node: { id: group } }, ''))
		await unnamed.next()
		const wrong = connection.openRaw(path)
		wrong.write(encodeSaying(variant, { type: 'cluster', names: ['a'], node: { id: group } }))
		expect(await wrong.ended).toContain(`INVALID_ARGUMENT: this service has only ${typeUrls.route}`)
	})

	test('that are not offered are said to be so', async () => {
		const { connection } = meet({ variant: 'delta', by: 'separate', type: 'route' })
		const virtualHosts = connection.openRaw('/envoy.service.route.v3.VirtualHostDiscoveryService/DeltaVirtualHosts')
		expect(await virtualHosts.ended).toContain('UNIMPLEMENTED')
	})

	test.for(variants)('%s: all streams of a proxy are one proxy, which has what they have together', async (variant) => {
		const { set, connection, group } = meet({ variant, by: 'separate', type: 'cluster' })
		set('one', { c: 1 }, 'cluster')
		set('one', { e: 1, f: 1 }, 'endpoint')
		const streams: [TypeName, string][] = [
			['cluster', 'c'],
			['endpoint', 'e'],
			['endpoint', 'f'],
		]
		const open: XdsConversation[] = []
		for (const [type, name] of streams) {
			const stream = connection.open(variant, { id: group }, typeUrls[type])
			open.push(stream)
			stream.say({ type, names: [name] })
			await stream.accept()
		}
		const key = `${group}#${connectionOf(group)}`
		await eventually(() => raw.server.isCurrent(key))
		const holds = (typeUrl: TypeUrl, name: string) => raw.server.holds(key, typeUrl, name)
		expect(streams.map(([type, name]) => holds(typeUrls[type], name))).toEqual(['one', 'one', 'one'])
		expect(raw.server.view(group)).toMatchObject({ connected: 1 })
		const [standing] = raw.server.proxies(group)
		expect([standing?.held[typeUrls.cluster], standing?.held[typeUrls.endpoint]].map((held) => held?.count)).toEqual([
			1, 2,
		])
		expect(
			raw.server
				.acked(key)
				?.resources.map(({ name }) => name)
				.sort(),
		).toEqual(['c', 'e', 'f'])

		set('two', { e: 2, f: 2 }, 'endpoint')
		const [told] = (await open[1]?.accept()) ?? []
		expect(told && names(told)).toEqual(['e'])
		expect(raw.server.isCurrent(key)).toBe(false)
		await open[2]?.accept()
		await eventually(() => raw.server.isCurrent(key))
	})
})

function methodOf(variant: Variant, serves: TypeUrl | 'all') {
	const method = discoveryMethods.find((each) => each.variant === variant && each.serves === serves)
	if (method === undefined) throw new Error(`no service of ${serves}`)
	return method
}

function eventually(isSo: () => boolean): Promise<true> {
	return until({ clock: systemClock, deadlineMs: 5000, what: 'what is expected' }, async () => isSo() || null)
}
