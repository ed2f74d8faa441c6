import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { proxyGroupKey, type TypeUrl, typeUrls } from '#compile/compiled.ts'
import { createFleet, type Fleet } from '#xds/fleet.ts'
import type { Proxy, XdsEvent } from '#xds/fleet-view.ts'
import { createFootingPool } from '#xds/footing.ts'
import { perType } from '#xds/order.ts'
import { createXdsStream } from '#xds/stream.ts'
import { createSubscriptionPool } from '#xds/subscription.ts'
import type { XdsStream } from '#xds/xds-stream.ts'
import { createManualClock } from '../../fakes/manual-clock.ts'
import { opaque, snapshotOf, staticCluster } from '../../fixtures/resources.ts'
import { seatOn } from '../../fixtures/seat-on.ts'
import { decodeTold, encodeSaying, type Told } from '../../fixtures/xds-dialogue.ts'

const at = { host: '127.0.0.1', port: 8080 }
const [a, b, b2] = [staticCluster('a', at), staticCluster('b', at), staticCluster('b', at, 2000)]
const groupKey = 'group'

function proxyOf(instance: string, group = groupKey): Proxy {
	const identity = { mesh: 'apps', kind: 'virtualNode', name: 'a' } as const
	const about = {
		identity,
		cohort: 'stable',
		capture: { mode: 'intercept' },
		envoyMinor: '1.40',
		secrets: 'daemon',
	} as const
	return { key: `mesh/apps/virtualNode/a#${instance}`, instance, zone: '', group: about, groupKey: group }
}

/** Keys of the two cohorts of one group. */
const stable = proxyGroupKey(proxyOf('1').group)
const candidate = proxyGroupKey({ ...proxyOf('1').group, cohort: 'candidate' })

function setUp() {
	const clock = createManualClock()
	const events: XdsEvent[] = []
	const fleet = createFleet({ clock, emit: (event) => events.push(event) })
	const subscriptions = createSubscriptionPool()
	const footings = createFootingPool()

	/** A proxy that asks for clusters, and accepts what it is told until it is told not to. One that `has` some is silent. */
	function connect(proxy: Proxy, has?: Readonly<Record<string, string>>) {
		let mood: 'accepts' | 'refuses' | 'is silent' | 'leaves when it is told' =
			has === undefined ? 'accepts' : 'is silent'
		const told: Told[] = []
		const due: Told[] = []
		const place = seatOn(fleet, proxy, () => stream)
		const stream: XdsStream = createXdsStream({
			variant: 'delta',
			clock,
			subscriptions,
			footings,
			port: {
				...place,
				send(message, flushed) {
					if (mood === 'leaves when it is told') return leave('lost')
					const next = decodeTold('delta', message)
					told.push(next)
					due.push(next)
					flushed()
				},
				end: () => place.leave('lost'),
				ignored() {},
			},
		})
		function leave(how: 'drained' | 'lost' = 'lost'): void {
			stream.close()
			place.leave(how)
		}
		const answer = () => {
			for (let next = due.shift(); next !== undefined && mood !== 'is silent'; next = due.shift()) {
				const refusal = mood === 'refuses' ? { refusal: `${Object.keys(next.resources)[0]}: no` } : {}
				stream.receive(encodeSaying('delta', { type: next.type, nonce: next.nonce, ...refusal }))
			}
		}
		stream.receive(encodeSaying('delta', { type: 'cluster', node: { id: 'x' }, ...(has === undefined ? {} : { has }) }))
		answer()
		return {
			stream,
			told,
			answer,
			be(next: typeof mood) {
				mood = next
			},
			leave,
		}
	}

	return { clock, events, fleet, connect }
}

const clusterView = (fleet: Fleet) => fleet.view(groupKey)?.types[typeUrls.cluster]

describe('what a proxy has ACKed', () => {
	test('is what it accepted; of what it has not answered for yet, what it had before', () => {
		const { fleet, connect } = setUp()
		fleet.publish(groupKey, snapshotOf(a, b))
		const proxy = connect(proxyOf('1'))
		expect(fleet.acked(proxyOf('1').key)).toEqual({ resources: [a, b], unseen: [] })
		proxy.be('is silent')
		fleet.publish(groupKey, snapshotOf(a, b2))
		expect(fleet.acked(proxyOf('1').key)).toEqual({ resources: [a, b], unseen: [] })
		proxy.be('accepts')
		proxy.answer()
		expect(fleet.acked(proxyOf('1').key)).toEqual({ resources: [a, b2], unseen: [] })
		proxy.leave()
		expect(fleet.acked(proxyOf('1').key)).toBe(null)
	})

	test('of an earlier run is named, since nobody knows what is in it', () => {
		const { fleet, connect } = setUp()
		fleet.publish(groupKey, snapshotOf(a, b2))
		connect(proxyOf('1'), { a: a.version, b: b.version })
		expect(fleet.acked(proxyOf('1').key)).toEqual({
			resources: [a],
			unseen: [{ typeUrl: typeUrls.cluster, name: 'b' }],
		})
	})
})

test('bytes that stay the same and need another cluster than before let go of the one before', () => {
	const { fleet, connect, clock } = setUp()
	const listener = (cluster: string) => opaque(typeUrls.listener, 'l', 'the same', [cluster])
	fleet.publish(groupKey, snapshotOf(a, b, listener('a')))
	const proxy = connect(proxyOf('1'))
	proxy.stream.receive(encodeSaying('delta', { type: 'listener' }))
	proxy.answer()
	clock.advance(limits.xdsSettleMs)
	expect(fleet.acked(proxyOf('1').key)?.resources.map(({ name }) => name)).toEqual(['a', 'b', 'l'])
	fleet.publish(groupKey, snapshotOf(b, listener('b')))
	proxy.answer()
	expect(proxy.told.at(-1)).toMatchObject({ type: 'cluster', removed: ['a'] })
})

describe('what is too much', () => {
	function kindOf(name: string, egressPort: number): Proxy {
		const capture = { mode: 'explicit', bind: '::', egressPort, app: { address: '::1', port: null } } as const
		const group = { ...proxyOf('1').group, identity: { mesh: 'apps', kind: 'virtualNode', name } as const, capture }
		return { ...proxyOf(`${name}-${egressPort}`, proxyGroupKey(group)), group }
	}

	function joining() {
		const { fleet, clock } = setUp()
		const port = { send() {}, end() {}, changed() {}, ignored() {} }
		const subscriptions = createSubscriptionPool()
		const footings = createFootingPool()
		function join(proxy: Proxy) {
			const admit = () => fleet.join(proxy, stream)
			const stream: XdsStream = createXdsStream({
				variant: 'delta',
				clock,
				subscriptions,
				footings,
				port: { ...port, admit },
			})
			const joined = fleet.join(proxy, stream)
			const seat = joined.ok ? joined.value.seat : null
			return { outcome: joined.ok ? 'OK' : `${joined.error.code}: ${joined.error.message}`, seat }
		}
		return { fleet, join }
	}

	test('streams of one proxy, and another proxy has its own', () => {
		const { fleet, join } = joining()
		const first = join(proxyOf('1'))
		for (let count = 1; count < limits.xdsStreamsPerProxy; count += 1) join(proxyOf('1'))
		expect(join(proxyOf('1')).outcome).toBe('RESOURCE_EXHAUSTED: this proxy has 1000 streams already')
		expect(join(proxyOf('2')).outcome).toBe('OK')
		if (first.seat !== null) fleet.leave(first.seat, 'lost')
		expect(join(proxyOf('1')).outcome).toBe('OK')
	})

	test('kinds of proxies, and those of a kind that there is may come', () => {
		const { join } = joining()
		for (let count = 0; count < limits.xdsGroups; count += 1) join(kindOf(`node-${count >> 4}`, count))
		expect(join(kindOf('node-1', 1)).outcome).toBe(
			'RESOURCE_EXHAUSTED: there are 10000 kinds of proxies already, and none is like this one',
		)
		expect(join(kindOf('node-1', 16)).outcome).toBe('OK')
	})

	test('kinds of proxies of one identity, and those of another, or of a kind that there is, may come', () => {
		const { fleet, join } = joining()
		const { seat } = join(kindOf('a', 1))
		for (let port = 2; port <= limits.xdsGroupsPerIdentity; port += 1) join(kindOf('a', port))
		expect(join(kindOf('a', 9999)).outcome).toBe(
			'RESOURCE_EXHAUSTED: there are 100 kinds of proxies of this identity already, and none is like this one',
		)
		expect([join(kindOf('a', 7)).outcome, join(kindOf('b', 9999)).outcome]).toEqual(['OK', 'OK'])
		if (seat !== null) fleet.leave(seat, 'drained')
		expect(join(kindOf('a', 9999)).outcome).toBe('OK')
	})
})

describe('the view', () => {
	test('is counted as proxies arrive, accept, refuse, fall silent and go', () => {
		const { fleet, connect, clock } = setUp()
		fleet.publish(groupKey, snapshotOf(a))
		const [one, two, three] = [connect(proxyOf('1')), connect(proxyOf('2')), connect(proxyOf('3'))]
		expect(clusterView(fleet)).toEqual({ current: 3, pending: 0, rejected: 0 })
		two.be('refuses')
		three.be('is silent')
		const next = snapshotOf(a, b)
		fleet.publish(groupKey, next)
		expect(clusterView(fleet)).toEqual({ current: 0, pending: 3, rejected: 0 })
		for (const proxy of [one, two, three]) proxy.answer()
		expect(clusterView(fleet)).toEqual({ current: 1, pending: 1, rejected: 1 })
		const view = fleet.view(groupKey)
		expect(view?.pending).toEqual([proxyOf('3').key])
		const refusal = { typeUrl: typeUrls.cluster, name: 'b', version: b.version }
		expect(view?.rejections).toEqual([{ ...refusal, proxy: proxyOf('2').key, text: 'b: no' }])
		clock.advance(limits.xdsAnswerMs)
		expect(clusterView(fleet)).toEqual({ current: 1, pending: 0, rejected: 2 })
		expect(fleet.view(groupKey)?.rejections.map(({ proxy, text }) => [proxy, text])).toEqual([
			[proxyOf('2').key, 'b: no'],
			[proxyOf('3').key, 'no answer in 30 s'],
		])
		expect([fleet.isCurrent(proxyOf('1').key), fleet.isCurrent(proxyOf('2').key)]).toEqual([true, false])
		two.leave()
		three.leave('drained')
		expect(clusterView(fleet)).toEqual({ current: 1, pending: 0, rejected: 0 })
		expect(fleet.view(groupKey)).toMatchObject({
			connected: 1,
			expected: 2,
			pending: [],
			rejections: [],
			gone: [{ proxy: proxyOf('2').key, version: snapshotOf(a).version }],
		})
	})

	test('names at most 20 of many', () => {
		const { fleet, connect } = setUp()
		fleet.publish(groupKey, snapshotOf(a))
		const proxies = Array.from({ length: 30 }, (_, index) => connect(proxyOf(String(index).padStart(2, '0'))))
		for (const proxy of proxies) proxy.be('is silent')
		fleet.publish(groupKey, snapshotOf(a, b))
		expect(fleet.view(groupKey)?.pending).toHaveLength(limits.namedProxies)
		for (const proxy of proxies) proxy.be('refuses')
		for (const proxy of proxies) proxy.answer()
		expect(fleet.view(groupKey)?.rejections).toHaveLength(limits.namedProxies)
		for (const proxy of proxies) proxy.leave()
		expect(fleet.view(groupKey)).toMatchObject({ connected: 0, expected: 30 })
		expect(fleet.view(groupKey)?.gone).toHaveLength(limits.namedProxies)
	})

	test('leaves out who is excluded, here or gone, and counts it again afterwards', () => {
		const { fleet, connect } = setUp()
		fleet.publish(groupKey, snapshotOf(a))
		const [, two, three] = [connect(proxyOf('1')), connect(proxyOf('2')), connect(proxyOf('3'))]
		two.be('refuses')
		fleet.publish(groupKey, snapshotOf(b))
		two.answer()
		three.leave()
		const before = fleet.view(groupKey)
		expect(before).toMatchObject({ connected: 2, expected: 3, gone: [{}], rejections: [{}], excluded: [] })
		fleet.exclude(new Set([proxyOf('2').key, proxyOf('3').key, 'nobody']))
		expect(fleet.view(groupKey)).toMatchObject({
			connected: 1,
			expected: 1,
			pending: [proxyOf('1').key],
			gone: [],
			rejections: [],
			excluded: [
				{ proxy: proxyOf('2').key, standing: 'connected' },
				{ proxy: proxyOf('3').key, standing: 'gone' },
			],
		})
		expect(clusterView(fleet)).toEqual({ current: 0, pending: 1, rejected: 0 })
		fleet.publish(groupKey, snapshotOf(a))
		two.be('accepts')
		two.answer()
		const back = connect(proxyOf('3'))
		expect(fleet.view(groupKey)?.excluded.map(({ standing }) => standing)).toEqual(['connected', 'connected'])
		back.leave('drained')
		fleet.exclude(new Set())
		expect(fleet.view(groupKey)).toMatchObject({ connected: 2, expected: 2, excluded: [] })
	})

	test('gives up after ten minutes those that do not come back', () => {
		const { fleet, connect, clock, events } = setUp()
		fleet.publish(groupKey, snapshotOf(a))
		connect(proxyOf('1')).leave()
		clock.advance(60_000)
		connect(proxyOf('2')).leave()
		clock.advance(limits.xdsGoneMs - 60_000 - 1)
		expect(fleet.view(groupKey)?.expected).toBe(2)
		events.length = 0
		clock.advance(1)
		expect(fleet.view(groupKey)?.gone.map(({ proxy }) => proxy)).toEqual([proxyOf('2').key])
		expect(events).toEqual([{ kind: 'progressed', groupKey }])
		clock.advance(60_000)
		expect(fleet.view(groupKey)).toMatchObject({ connected: 0, expected: 0 })
	})

	test('does not count twice who comes back, in another group or before the old connection is known to be dead', () => {
		const { fleet, connect } = setUp()
		fleet.publish(groupKey, snapshotOf(a))
		fleet.publish('other', snapshotOf(a))
		connect(proxyOf('1')).leave()
		const moved = connect(proxyOf('1', 'other'))
		expect(fleet.view(groupKey)).toMatchObject({ connected: 0, expected: 0 })
		expect(fleet.view('other')).toMatchObject({ connected: 1, expected: 1 })
		moved.leave()
		const old = connect(proxyOf('2'))
		const young = connect(proxyOf('2'))
		expect(fleet.view(groupKey)).toMatchObject({ connected: 1, expected: 1 })
		old.leave()
		expect(fleet.view(groupKey)).toMatchObject({ connected: 1, expected: 1, gone: [] })
		young.leave()
		expect(fleet.view(groupKey)).toMatchObject({ connected: 0, expected: 1 })
	})
})

describe('events', () => {
	test('progress is told once a tick for each group', () => {
		const { fleet, connect, clock, events } = setUp()
		fleet.publish(groupKey, snapshotOf(a))
		connect(proxyOf('1'))
		connect(proxyOf('2'))
		expect(events.map(({ kind }) => kind)).toEqual(['arrived', 'arrived'])
		clock.advance(0)
		expect(events.slice(2)).toEqual([{ kind: 'progressed', groupKey }])
		clock.advance(10)
		expect(events).toHaveLength(3)
	})

	test('nothing is told after it is closed', () => {
		const { fleet, connect, clock, events } = setUp()
		fleet.publish(groupKey, snapshotOf(a))
		connect(proxyOf('1'))
		events.length = 0
		fleet.close({ code: 'UNAVAILABLE', message: '' })
		clock.advance(limits.xdsGoneMs)
		expect(events).toEqual([])
		expect(clock.pendingMs()).toEqual([])
	})
})

describe('what is published', () => {
	test('a proxy that leaves while it is told of it is counted nowhere', () => {
		const { fleet, connect } = setUp()
		fleet.publish(groupKey, snapshotOf(a, b))
		const [staying, leaving] = [connect(proxyOf('1')), connect(proxyOf('2'))]
		leaving.be('leaves when it is told')
		fleet.publish(groupKey, snapshotOf(a, b2))
		staying.answer()
		expect(fleet.view(groupKey)).toMatchObject({ connected: 1, pending: [] })
		expect(clusterView(fleet)).toEqual({ current: 1, pending: 0, rejected: 0 })
	})

	test('who is yet to be told of it does not count as having it by an answer to what was before', async () => {
		const { fleet, connect } = setUp()
		const [first, second, third] = [snapshotOf(a, b), snapshotOf(a, b2), snapshotOf(a)]
		fleet.publish(groupKey, first)
		const all = Array.from({ length: 2 * limits.xdsPushBatch }, (_, index) => connect(proxyOf(`${index}`)))
		const last = proxyOf(`${all.length - 1}`).key
		all.at(-1)?.be('is silent')
		fleet.publish(groupKey, second)
		await new Promise(setImmediate)
		fleet.publish(groupKey, third)
		all.at(-1)?.be('accepts')
		all.at(-1)?.answer()
		expect(fleet.holds(last, typeUrls.cluster, 'b')).toBe(b2.version)
		expect(fleet.isCurrent(last)).toBe(false)
		all.at(-1)?.leave()
		expect(fleet.view(groupKey)?.gone).toEqual([{ proxy: last, version: first.version }])
	})

	test('a proxy that refused is not sent the same again after it reconnects', () => {
		const { fleet, connect } = setUp()
		fleet.publish(groupKey, snapshotOf(a, b))
		const before = connect(proxyOf('1'))
		before.be('refuses')
		fleet.publish(groupKey, snapshotOf(a, b2))
		before.answer()
		before.leave()
		expect(fleet.view(groupKey)?.rejections).toEqual([])
		const told: string[] = []
		const proxy = proxyOf('1')
		const stream: XdsStream = createXdsStream({
			variant: 'delta',
			clock: createManualClock(),
			subscriptions: createSubscriptionPool(),
			footings: createFootingPool(),
			port: {
				send: (message) => told.push(...Object.keys(decodeTold('delta', message).resources)),
				...seatOn(fleet, proxy, () => stream),
				end() {},
				ignored() {},
			},
		})
		const has = { a: a.version, b: b.version }
		stream.receive(encodeSaying('delta', { type: 'cluster', has, node: { id: 'x' } }))
		expect(told).toEqual([])
		expect(fleet.view(groupKey)?.rejections).toMatchObject([{ proxy: proxy.key, name: 'b', version: b2.version }])
	})

	test('what a proxy refused on one of its streams and takes on another it has taken', () => {
		const { fleet, connect, clock } = setUp()
		fleet.publish(groupKey, snapshotOf(a, b))
		const [older, newer, other] = [connect(proxyOf('1')), connect(proxyOf('1')), connect(proxyOf('2'))]
		clock.advance(limits.xdsSettleMs)
		newer.be('refuses')
		older.be('is silent')
		fleet.publish(groupKey, snapshotOf(a, b2))
		for (const proxy of [other, newer]) proxy.answer()
		expect(fleet.view(groupKey)?.rejections).toMatchObject([{ name: 'b', version: b2.version }])
		older.be('accepts')
		older.answer()
		expect(fleet.view(groupKey)?.rejections).toEqual([])
	})

	test('pins hold proxies, keeps hold versions, and ending them sends what is due', () => {
		const { fleet, connect } = setUp()
		fleet.publish(groupKey, snapshotOf(a, b))
		const [one, two] = [connect(proxyOf('1')), connect(proxyOf('2'))]
		const held = () => ['1', '2'].map((instance) => fleet.holds(proxyOf(instance).key, typeUrls.cluster, 'b'))
		const settle = () => {
			one.answer()
			two.answer()
		}
		fleet.pin(groupKey, typeUrls.cluster, 'b', new Set([proxyOf('1').key]))
		fleet.publish(groupKey, snapshotOf(a, b2))
		settle()
		expect(held()).toEqual([b.version, b2.version])
		fleet.keep(groupKey, typeUrls.cluster, 'b', new Set([b2.version]))
		fleet.publish(groupKey, snapshotOf(a, b))
		settle()
		expect(held()).toEqual([b.version, b2.version])
		fleet.keep(groupKey, typeUrls.cluster, 'b', new Set())
		settle()
		expect(held()).toEqual([b.version, b.version])
		fleet.publish(groupKey, snapshotOf(a, b2))
		fleet.pin(groupKey, typeUrls.cluster, 'b', new Set())
		settle()
		expect(held()).toEqual([b2.version, b2.version])
	})

	test('a proxy that is put in the other cohort is sent what differs there, and nothing when it is put back', () => {
		const { fleet, connect, events } = setUp()
		fleet.publish(stable, snapshotOf(a, b))
		fleet.publish(candidate, snapshotOf(a, b2))
		const [one, two] = [connect(proxyOf('1', stable)), connect(proxyOf('2', stable))]
		events.length = 0
		const before = [one.told.length, two.told.length]
		fleet.assign(({ instance }) => (instance === '2' ? 'candidate' : 'stable'))
		two.answer()
		expect([one.told.length, two.told.length]).toEqual([before[0], (before[1] ?? 0) + 1])
		expect(Object.keys(two.told.at(-1)?.resources ?? {})).toEqual(['b'])
		const key = proxyOf('2').key
		expect(events.map((event) => [event.kind, 'proxy' in event ? event.proxy.groupKey : ''])).toEqual([
			['arrived', candidate],
			['left', stable],
		])
		expect([...fleet.proxies(candidate)].map(({ proxy, state }) => [proxy.key, state])).toEqual([[key, 'current']])
		expect([fleet.view(stable), fleet.view(candidate)]).toMatchObject([
			{ connected: 1, expected: 1, gone: [] },
			{ connected: 1, expected: 1, gone: [] },
		])

		two.leave()
		connect(proxyOf('2', stable))
		expect(fleet.holds(key, typeUrls.cluster, 'b'), 'it comes back to where it was').toBe(b2.version)
		fleet.publish(stable, snapshotOf(a, b2))
		one.answer()
		const told = events.length
		fleet.assign(() => 'stable')
		expect(events.slice(told).map(({ kind }) => kind)).toEqual(['arrived', 'left'])
		expect(fleet.view(stable)).toMatchObject({ connected: 2, expected: 2, pending: [] })
	})

	test('what is published to one cohort does not reach who has been moved to the other', () => {
		const { fleet, connect } = setUp()
		fleet.publish(stable, snapshotOf(a, b))
		fleet.publish(candidate, snapshotOf(a, b))
		const one = connect(proxyOf('1', stable))
		fleet.assign(() => 'candidate')
		fleet.publish(stable, snapshotOf(a, b2))
		one.answer()
		expect(fleet.holds(proxyOf('1').key, typeUrls.cluster, 'b')).toBe(b.version)
	})

	describe('a group in which nobody is is forgotten on request', () => {
		/** What is told last, once time has passed: a group that can be let go of is told as one that progressed. */
		const isTold = ({ clock, events }: ReturnType<typeof setUp>, ms: number) => {
			clock.advance(0)
			events.length = 0
			clock.advance(ms)
			return events.some((event) => event.kind === 'progressed' && event.groupKey === groupKey)
		}

		test.for(['lost', 'drained'] as const)('ten minutes after the last one has gone (%s), not before', (how) => {
			const world = setUp()
			const { fleet, connect } = world
			fleet.publish(groupKey, snapshotOf(a))
			const proxy = connect(proxyOf('1'))
			expect(fleet.forget(groupKey)).toBe(false)
			proxy.leave(how)
			expect([isTold(world, limits.xdsGoneMs - 1), fleet.forget(groupKey)]).toEqual([false, false])
			expect(fleet.view(groupKey)?.connected).toBe(0)
			expect([isTold(world, 1), fleet.forget(groupKey)]).toEqual([true, true])
			expect(fleet.fleet().has(groupKey)).toBe(false)
		})

		test('who comes in between starts the time anew, and who comes afterwards is new', () => {
			const { fleet, connect, clock } = setUp()
			fleet.publish(groupKey, snapshotOf(a))
			connect(proxyOf('1')).leave('drained')
			clock.advance(limits.xdsGoneMs - 1)
			connect(proxyOf('2')).leave('drained')
			clock.advance(limits.xdsGoneMs - 1)
			expect(fleet.forget(groupKey)).toBe(false)
			clock.advance(1)
			expect(fleet.forget(groupKey)).toBe(true)
			expect(connect(proxyOf('1')).told).toEqual([])
			fleet.publish(groupKey, snapshotOf(a, b))
			expect(clusterView(fleet)).toMatchObject({ pending: 1 })
		})

		test('not while somebody is to keep what it holds, and that is told when it ends', () => {
			const world = setUp()
			const { fleet, connect, clock } = world
			fleet.publish(groupKey, snapshotOf(a))
			connect(proxyOf('1')).leave()
			fleet.pin(groupKey, typeUrls.cluster, 'a', new Set([proxyOf('1').key]))
			clock.advance(limits.xdsGoneMs)
			expect(fleet.forget(groupKey)).toBe(false)
			world.events.length = 0
			fleet.pin(groupKey, typeUrls.cluster, 'a', new Set())
			clock.advance(0)
			expect(world.events).toEqual([{ kind: 'progressed', groupKey }])
			expect(fleet.forget(groupKey)).toBe(true)
		})

		test('who was refused may come again', () => {
			const { fleet, connect } = setUp()
			fleet.refuse(groupKey, 'not in the mesh')
			expect(fleet.forget(groupKey)).toBe(true)
			connect(proxyOf('1'))
			expect(fleet.view(groupKey)?.connected).toBe(1)
		})
	})

	test('a group that nobody is in, and that is served nothing, is forgotten', () => {
		const { fleet, connect } = setUp()
		connect(proxyOf('1', 'made up')).leave('drained')
		expect(fleet.fleet().has('made up')).toBe(false)
	})

	test('the versions that are shown say what each proxy holds', () => {
		const { fleet, connect } = setUp()
		const route = opaque(typeUrls.route, 'r', 'x')
		fleet.publish(groupKey, snapshotOf(a, b, route))
		connect(proxyOf('1'))
		const [standing] = [...fleet.proxies(groupKey)]
		const expected: Partial<Record<TypeUrl, number>> = { [typeUrls.cluster]: 2 }
		expect(perType((typeUrl) => standing?.held[typeUrl].count)).toEqual(perType((typeUrl) => expected[typeUrl] ?? 0))
	})
})
