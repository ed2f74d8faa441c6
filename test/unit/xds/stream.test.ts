import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { edsCluster, endpoints, listener, route, snapshotOf, staticCluster } from '../../fixtures/resources.ts'
import { createDialogue, defaultNode, encodeSaying, type Variant } from '../../fixtures/xds-dialogue.ts'

const at = { host: '127.0.0.1', port: 8080 }
const a = staticCluster('a', at)
const b = staticCluster('b', at)
const egress = listener('egress', { host: '127.0.0.1', port: 15001 }, 'r')
const routeA = route('r', { a: 100 })
const routeAB = route('r', { a: 50, b: 50 })
const full = snapshotOf(a, b, egress, routeAB)
const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']

/** A proxy that starts: everything it asks for, all accepted. */
function started(variant: Variant, snapshot = full, routes: readonly string[] = ['r']) {
	const dialogue = createDialogue(variant, { snapshot })
	dialogue.say({ type: 'cluster' })
	dialogue.acceptAll()
	dialogue.say({ type: 'listener' })
	dialogue.acceptAll()
	dialogue.say({ type: 'route', names: routes })
	dialogue.acceptAll()
	return dialogue
}

const stateOf = (dialogue: ReturnType<typeof createDialogue>) =>
	(['cluster', 'listener', 'route'] as const).map((type) => dialogue.stream.state(typeUrl(type)))
const typeUrl = (type: 'cluster' | 'endpoint' | 'listener' | 'route') =>
	({
		cluster: a.typeUrl,
		endpoint: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment' as const,
		listener: egress.typeUrl,
		route: routeA.typeUrl,
	})[type]

test('state of the world: names of a late request count when they are repeated with the answer', () => {
	const routeS = route('s', { a: 1 })
	const dialogue = started('stateOfTheWorld', snapshotOf(a, b, egress, routeAB, routeS))
	dialogue.stream.serve(snapshotOf(a, b, egress, routeA, routeS))
	const { nonce, version } = dialogue.toldOnce()
	dialogue.say({ type: 'route', names: ['r', 's'], nonce: 'long ago' })
	expect(dialogue.told()).toEqual([])
	dialogue.say({ type: 'route', names: ['r', 's'], nonce, version })
	expect(Object.keys(dialogue.toldOnce().resources)).toEqual(['s'])
})

describe.for(variants)('%s', (variant) => {
	test('a starting proxy gets clusters, listeners, then the routes it asks for', () => {
		const dialogue = createDialogue(variant, { snapshot: full })
		dialogue.say({ type: 'cluster' })
		const clusters = dialogue.toldOnce()
		expect(clusters).toMatchObject({ type: 'cluster', version: full.types[a.typeUrl].version })
		expect(Object.keys(clusters.resources)).toEqual(['a', 'b'])
		dialogue.say({ type: 'cluster', nonce: clusters.nonce, version: clusters.version })
		dialogue.say({ type: 'listener' })
		expect(Object.keys(dialogue.acceptAll()[0]?.resources ?? {})).toEqual(['egress'])
		expect(stateOf(dialogue)).toEqual(['current', 'current', 'pending'])
		dialogue.say({ type: 'route', names: ['r'] })
		expect(Object.keys(dialogue.acceptAll()[0]?.resources ?? {})).toEqual(['r'])
		expect(stateOf(dialogue)).toEqual(['current', 'current', 'current'])
		expect(dialogue.stream.holds(routeAB.typeUrl, 'r')).toBe(routeAB.version)
	})

	test('nothing is said before there is a snapshot', () => {
		const dialogue = createDialogue(variant)
		dialogue.say({ type: 'cluster' })
		expect(dialogue.told()).toEqual([])
		dialogue.stream.serve(full)
		expect(dialogue.toldOnce().type).toBe('cluster')
	})

	test('an empty mesh is answered, for a starting proxy waits for the answer', () => {
		const dialogue = createDialogue(variant, { snapshot: snapshotOf() })
		dialogue.say({ type: 'cluster' })
		expect(dialogue.toldOnce()).toMatchObject({ type: 'cluster', resources: {}, removed: [] })
		dialogue.say({ type: 'listener' })
		expect(dialogue.toldOnce()).toMatchObject({ type: 'listener', resources: {}, removed: [] })
	})

	test('only what changed is pushed, and only its own type', () => {
		const dialogue = started(variant)
		dialogue.stream.serve(snapshotOf(a, b, egress, routeA))
		const told = dialogue.toldOnce()
		expect(told.type).toBe('route')
		expect(dialogue.stream.holds(routeAB.typeUrl, 'r')).toBe(routeAB.version)
		dialogue.say({ type: 'route', nonce: told.nonce, version: told.version })
		expect(dialogue.stream.holds(routeAB.typeUrl, 'r')).toBe(routeA.version)
	})

	test('one response is in flight, and of what is pending only the newest is kept', () => {
		const dialogue = started(variant)
		dialogue.stream.serve(snapshotOf(a, b, egress, routeA))
		const first = dialogue.toldOnce()
		dialogue.stream.serve(snapshotOf(a, b, egress, route('r', { b: 1 })))
		dialogue.stream.serve(full)
		expect(dialogue.told()).toEqual([])
		dialogue.say({ type: 'route', nonce: first.nonce, version: first.version })
		expect(dialogue.acceptAll()).toHaveLength(1)
		expect(dialogue.stream.holds(routeAB.typeUrl, 'r')).toBe(routeAB.version)
	})

	test('an answer with an old nonce, or the nonce of another type, accepts nothing', () => {
		const dialogue = started(variant)
		dialogue.stream.serve(snapshotOf(a, b, staticCluster('c', at), egress, routeA))
		const [clusters, routes] = dialogue.told()
		dialogue.say({ type: 'route', nonce: clusters?.nonce ?? '', version: 'x' })
		dialogue.say({ type: 'route', nonce: 'long ago', version: 'x' })
		expect(dialogue.stream.holds(routeA.typeUrl, 'r')).toBe(routeAB.version)
		dialogue.say({ type: 'route', nonce: routes?.nonce ?? '', version: 'x' })
		expect(dialogue.stream.holds(routeA.typeUrl, 'r')).toBe(routeA.version)
		expect(dialogue.ended()).toBeNull()
	})

	test('a reconnected proxy that is current is sent nothing', () => {
		const dialogue = createDialogue(variant, { snapshot: full })
		const has = (...all: readonly (typeof a)[]) => Object.fromEntries(all.map(({ name, version }) => [name, version]))
		const version = (resource: typeof a) => full.types[resource.typeUrl].version
		dialogue.say({ type: 'cluster', has: has(a, b), version: version(a) })
		dialogue.say({ type: 'listener', has: has(egress), version: version(egress) })
		dialogue.say({ type: 'route', names: ['r'], has: has(routeAB), version: version(routeAB) })
		dialogue.clock.advance(limits.xdsSettleMs)
		expect(dialogue.told()).toEqual([])
		expect(stateOf(dialogue)).toEqual(['current', 'current', 'current'])
	})

	test('a type that is not served is passed over', () => {
		const dialogue = started(variant)
		const foreign = 'type.googleapis.com/envoy.service.runtime.v3.Runtime'
		const bytes = encodeSaying(variant, { type: 'cluster' }, foreign)
		dialogue.sayBytes(bytes)
		dialogue.sayBytes(bytes)
		expect(dialogue.ignored()).toEqual([foreign])
		expect(dialogue.ended()).toBeNull()
	})

	test.for<[string, (dialogue: ReturnType<typeof createDialogue>) => void, string]>([
		['bytes that are no message', (it) => it.sayBytes(Uint8Array.of(0x0a, 0xff, 0xff, 0xff)), 'INVALID_ARGUMENT'],
		['no node', (it) => it.say({ type: 'cluster', node: null }), 'INVALID_ARGUMENT'],
		[
			'no type',
			(it) => it.sayBytes(encodeSaying(variant, { type: 'cluster', node: defaultNode }, '')),
			'INVALID_ARGUMENT',
		],
		[
			'too many names',
			(it) => it.say({ type: 'route', names: Array.from({ length: limits.xdsNames + 1 }, (_, index) => `n${index}`) }),
			'INVALID_ARGUMENT',
		],
		[
			'another node later',
			(it) => {
				it.say({ type: 'cluster' })
				it.say({ type: 'cluster', node: { ...defaultNode, id: 'mesh/apps/virtualNode/serviceB' } })
			},
			'PERMISSION_DENIED',
		],
	])('%s ends the stream', ([, act, code]) => {
		const dialogue = createDialogue(variant, { snapshot: full })
		act(dialogue)
		expect(dialogue.ended()?.code).toBe(code)
	})

	test('a transport that does not pass on two messages gets no third, and is cut in the end', () => {
		const dialogue = createDialogue(variant, { snapshot: full, flush: 'held' })
		dialogue.say({ type: 'cluster' })
		const clusters = dialogue.toldOnce()
		dialogue.say({ type: 'cluster', nonce: clusters.nonce, version: clusters.version })
		dialogue.say({ type: 'listener' })
		expect(dialogue.toldOnce().type).toBe('listener')
		dialogue.say({ type: 'route', names: ['r'] })
		expect(dialogue.told()).toEqual([])
		dialogue.flushOne()
		expect(dialogue.toldOnce().type).toBe('route')
		dialogue.clock.advance(limits.xdsSendMs - 1)
		expect(dialogue.ended()).toBeNull()
		dialogue.clock.advance(2)
		expect(dialogue.ended()?.code).toBe('DEADLINE_EXCEEDED')
	})

	test('what waits for something that was refused is rejected with it, and holds nothing else', () => {
		const c = staticCluster('c', at)
		const ingress = (port: number, routes: string) => listener('ingress', { host: '127.0.0.1', port }, routes)
		const before = snapshotOf(a, b, egress, ingress(8080, 'in'), route('r', { a: 100 }), route('in', { b: 100 }))
		const moved = [a, c, egress, ingress(8081, 'in2'), route('in2', { c: 100 })]
		const dialogue = started(variant, before, ['r', 'in'])
		expect(stateOf(dialogue)).toEqual(['current', 'current', 'current'])

		dialogue.stream.serve(snapshotOf(...moved, route('r', { a: 100 })))
		const [clusters, listeners] = dialogue.told()
		dialogue.say({ type: 'cluster', nonce: clusters?.nonce ?? '', version: clusters?.version ?? '' })
		dialogue.say({ type: 'listener', nonce: listeners?.nonce ?? '', refusal: 'ingress: cannot bind' })
		dialogue.acceptAll()
		expect(stateOf(dialogue)).toEqual(['rejected', 'rejected', 'rejected'])
		expect(dialogue.stream.rejections().map(({ name }) => name)).toEqual(['ingress'])

		const back = route('r', { a: 50, c: 50 })
		dialogue.stream.serve(snapshotOf(...moved, back))
		expect(stateOf(dialogue)).toEqual(['rejected', 'rejected', 'pending'])
		dialogue.acceptAll()
		expect(stateOf(dialogue)).toEqual(['rejected', 'rejected', 'rejected'])
		expect(dialogue.stream.holds(back.typeUrl, 'r')).toBe(back.version)

		dialogue.stream.serve(before)
		dialogue.acceptAll()
		expect(stateOf(dialogue)).toEqual(['current', 'current', 'current'])
	})

	test('no answer in time counts as a refusal until the answer comes', () => {
		const dialogue = started(variant)
		dialogue.stream.serve(snapshotOf(a, b, egress, routeA))
		const { nonce, version } = dialogue.toldOnce()
		dialogue.clock.advance(limits.xdsAnswerMs - 1)
		expect(stateOf(dialogue)).toEqual(['current', 'current', 'pending'])
		dialogue.clock.advance(1)
		expect(stateOf(dialogue)).toEqual(['current', 'current', 'rejected'])
		expect(dialogue.stream.rejections()).toEqual([
			{ typeUrl: routeA.typeUrl, name: 'r', version: routeA.version, text: 'no answer in 30 s' },
		])
		dialogue.say({ type: 'route', nonce, version })
		expect(stateOf(dialogue)).toEqual(['current', 'current', 'current'])
		expect(dialogue.stream.rejections()).toEqual([])
	})

	test('a proxy that is to keep a resource keeps what the proxy holds', () => {
		let pinned = true
		const dialogue = createDialogue(variant, { snapshot: full, retains: (_, name) => pinned && name === 'r' })
		dialogue.say({ type: 'cluster' })
		dialogue.acceptAll()
		dialogue.say({ type: 'route', names: ['r'] })
		dialogue.acceptAll()
		expect(dialogue.stream.holds(routeAB.typeUrl, 'r')).toBe(routeAB.version)
		dialogue.stream.serve(snapshotOf(a, b, egress, routeA))
		expect(dialogue.told()).toEqual([])
		expect(dialogue.stream.state(routeA.typeUrl)).toBe('pending')
		pinned = false
		dialogue.stream.serve(snapshotOf(a, b, egress, routeA))
		expect(dialogue.acceptAll()).toHaveLength(1)
	})
})

describe('delta', () => {
	test('a reconnected proxy is sent the difference, removals included', () => {
		const dialogue = createDialogue('delta', { snapshot: snapshotOf(a, b) })
		dialogue.say({ type: 'cluster', has: { a: a.version, b: 'older', gone: 'x' } })
		dialogue.say({ type: 'listener', has: { none: 'x' } })
		const [clusters, listeners] = dialogue.told()
		expect(clusters).toMatchObject({ resources: { b: b.version }, removed: [] })
		expect(listeners).toMatchObject({ type: 'listener', resources: {}, removed: ['none'] })
		dialogue.say({ type: 'cluster', nonce: clusters?.nonce ?? '' })
		dialogue.say({ type: 'listener', nonce: listeners?.nonce ?? '' })
		expect(dialogue.told()).toEqual([])
		// Only once it has said which routes it holds, or has had time to, is it safe to take a cluster away.
		dialogue.clock.advance(limits.xdsSettleMs)
		expect(dialogue.toldOnce()).toMatchObject({ type: 'cluster', resources: {}, removed: ['gone'] })
	})

	test('a cluster that only a claimed, unknown route may use goes after that route', () => {
		const dialogue = createDialogue('delta', { snapshot: snapshotOf(a, egress, routeA) })
		dialogue.say({ type: 'cluster', has: { a: a.version, gone: 'x' } })
		dialogue.say({ type: 'listener', has: { egress: egress.version } })
		dialogue.say({ type: 'route', names: ['r'], has: { r: 'older' } })
		const routes = dialogue.toldOnce()
		expect(routes).toMatchObject({ type: 'route', resources: { r: routeA.version } })
		dialogue.say({ type: 'route', nonce: routes.nonce })
		expect(dialogue.toldOnce()).toMatchObject({ type: 'cluster', removed: ['gone'] })
	})

	const eds = edsCluster('e')
	const load = endpoints('e', at)
	const withEndpoints = snapshotOf(eds, load)

	test('endpoints asked for first are sent in full: the proxy is mid-warming', () => {
		const dialogue = createDialogue('delta', { snapshot: withEndpoints })
		dialogue.say({ type: 'endpoint', names: ['e'], has: { e: load.version } })
		expect(dialogue.told()).toEqual([])
		dialogue.clock.advance(limits.xdsSettleMs)
		expect(dialogue.toldOnce()).toMatchObject({ type: 'endpoint', resources: { e: load.version } })
	})

	test.for(['before', 'after'] as const)('endpoints are answered by difference when clusters come %s', (order) => {
		const dialogue = createDialogue('delta', { snapshot: withEndpoints })
		const clusters = () => dialogue.say({ type: 'cluster', has: { e: eds.version } })
		if (order === 'before') clusters()
		dialogue.say({ type: 'endpoint', names: ['e'], has: { e: load.version } })
		if (order === 'after') clusters()
		dialogue.clock.advance(limits.xdsSettleMs)
		expect(dialogue.told()).toEqual([])
		expect(dialogue.stream.state(load.typeUrl)).toBe('current')
	})

	test('a changed EDS cluster comes with its endpoints, though they are the same', () => {
		const dialogue = createDialogue('delta', { snapshot: withEndpoints })
		dialogue.say({ type: 'cluster' })
		dialogue.acceptAll()
		dialogue.say({ type: 'endpoint', names: ['e'] })
		dialogue.acceptAll()
		const changed = edsCluster('e', { timeoutMs: 2000 })
		dialogue.stream.serve(snapshotOf(changed, load))
		const told = dialogue.told()
		expect(told.map(({ type, resources }) => [type, resources])).toEqual([
			['cluster', { e: changed.version }],
			['endpoint', { e: load.version }],
		])
	})

	test('what is on its way to a proxy that asks again is sent again', () => {
		const dialogue = createDialogue('delta', { snapshot: full })
		dialogue.say({ type: 'cluster' })
		dialogue.acceptAll()
		dialogue.say({ type: 'route', names: ['r'] })
		const first = dialogue.toldOnce()
		dialogue.say({ type: 'route', remove: ['r'] })
		dialogue.say({ type: 'route', names: ['r'] })
		dialogue.say({ type: 'route', nonce: first.nonce })
		expect(dialogue.toldOnce()).toMatchObject({ resources: { r: routeAB.version } })
	})
})

describe('state of the world', () => {
	const said = (dialogue: ReturnType<typeof createDialogue>) => Object.keys(dialogue.toldOnce().resources)

	test('clusters come all, routes only as they changed', () => {
		const other = route('s', { b: 1 })
		const dialogue = started('stateOfTheWorld', snapshotOf(a, b, egress, routeA, other))
		dialogue.say({ type: 'route', names: ['r', 's'], nonce: lastNonce(dialogue) })
		dialogue.acceptAll()
		dialogue.stream.serve(snapshotOf(a, b, egress, routeAB, other))
		expect(said(dialogue)).toEqual(['r'])
		dialogue.stream.serve(snapshotOf(a, b, staticCluster('c', at), egress, routeAB, other))
		expect(said(dialogue)).toEqual(['a', 'b', 'c'])
	})

	/** The nonce that a proxy repeats is that of the last response. */
	function lastNonce(dialogue: ReturnType<typeof createDialogue>): string {
		dialogue.stream.serve(snapshotOf(a, b, egress, route('r', { a: 1 }), route('s', { b: 1 })))
		return dialogue.acceptAll().at(-1)?.nonce ?? ''
	}

	test('a proxy that comes back with another version gets all', () => {
		const dialogue = createDialogue('stateOfTheWorld', { snapshot: full })
		dialogue.say({ type: 'cluster', version: 'another' })
		expect(said(dialogue)).toEqual(['a', 'b'])
	})

	test('a proxy that holds clusters of a mesh that is empty now gets an empty answer', () => {
		const dialogue = createDialogue('stateOfTheWorld', { snapshot: snapshotOf() })
		dialogue.say({ type: 'cluster', version: 'another' })
		expect(said(dialogue)).toEqual([])
	})

	test('what it held is remembered: a route that waits for its cluster does not wait again', () => {
		const before = started('stateOfTheWorld')
		const memory = before.stream.memory()
		const next = snapshotOf(b, egress, route('r', { b: 1 }))
		const dialogue = createDialogue('stateOfTheWorld', { snapshot: next, memory })
		dialogue.say({ type: 'cluster', version: full.types[a.typeUrl].version })
		dialogue.say({ type: 'listener', version: full.types[egress.typeUrl].version })
		expect(dialogue.told()).toEqual([])
		dialogue.say({ type: 'route', names: ['r'], version: full.types[routeAB.typeUrl].version })
		// The route goes first: the cluster that it leaves can be taken away only then.
		expect(dialogue.acceptAll().map(({ type, resources }) => [type, Object.keys(resources)])).toEqual([
			['route', ['r']],
			['cluster', ['b']],
		])
	})

	test('a route that its listener lets go of keeps no cluster, though the proxy asks for it on', () => {
		const other = listener('other', { host: '127.0.0.1', port: 15002 }, 's')
		const before = snapshotOf(a, b, egress, routeA, other, route('s', { b: 1 }))
		const dialogue = started('stateOfTheWorld', before, ['r', 's'])
		dialogue.clock.advance(limits.xdsSettleMs)
		dialogue.stream.serve(snapshotOf(a, egress, routeA))
		expect(dialogue.acceptAll().map(({ type, resources }) => [type, Object.keys(resources)])).toEqual([
			['listener', ['egress']],
			['cluster', ['a']],
		])
		expect(stateOf(dialogue)).toEqual(['current', 'current', 'current'])
	})

	test('a name that is let go of and asked for again while an answer is on its way is sent again', () => {
		const [one, two] = [endpoints('one', at), endpoints('two', at)]
		const clusters = [edsCluster('one'), edsCluster('two')]
		const dialogue = createDialogue('stateOfTheWorld', { snapshot: snapshotOf(...clusters, one, two) })
		dialogue.say({ type: 'cluster' })
		dialogue.acceptAll()
		dialogue.say({ type: 'endpoint', names: ['one', 'two'] })
		const [first] = dialogue.acceptAll()
		const moved = endpoints('one', { ...at, port: 9090 })
		dialogue.stream.serve(snapshotOf(...clusters, moved, two))
		const answer = dialogue.toldOnce()
		expect(Object.keys(answer.resources)).toEqual(['one'])
		const before = { type: 'endpoint', nonce: first?.nonce ?? '', version: first?.version ?? '' } as const
		dialogue.say({ ...before, names: ['one'] })
		dialogue.say({ ...before, names: ['one', 'two'] })
		expect(dialogue.told()).toEqual([])
		dialogue.say({ type: 'endpoint', nonce: answer.nonce, version: answer.version })
		expect(dialogue.toldOnce().resources).toEqual({ two: two.version })
	})
})
