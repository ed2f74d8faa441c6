import { describe, expect, test } from 'vitest'
import { bytesInUse } from '../../fixtures/cost.ts'
import { listener, opaque, route, snapshotOf, staticCluster } from '../../fixtures/resources.ts'
import { createDialogue, type Dialogue, type Told, type Variant } from '../../fixtures/xds-dialogue.ts'

const at = { host: '127.0.0.1', port: 8080 }
const cluster = (name: string, timeoutMs = 1000) => staticCluster(name, at, timeoutMs)
const [a, b] = [cluster('a'), cluster('b')]
const [a2, b2, b3] = [cluster('a', 2000), cluster('b', 2000), cluster('b', 3000)]
const clusterType = a.typeUrl
const refusing = 'Error adding/updating cluster(s) b: bad timeout'
const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']

function started(variant: Variant, snapshot = snapshotOf(a, b)): Dialogue {
	const dialogue = createDialogue(variant, { snapshot })
	dialogue.say({ type: 'cluster' })
	dialogue.acceptAll()
	return dialogue
}

const refuse = (dialogue: Dialogue, { type, nonce }: Told, refusal: string) =>
	dialogue.say({ type, nonce, version: '', refusal })
const accept = (dialogue: Dialogue, { type, nonce, version }: Told) => dialogue.say({ type, nonce, version })
const names = ({ resources }: Told) => Object.keys(resources)

describe.for(variants)('%s: a refusal', (variant) => {
	const sends = (delta: string[], all: string[]) => (variant === 'delta' ? delta : all)

	test('that names its resource holds that back, and the good ones are sent again', () => {
		const dialogue = started(variant)
		dialogue.stream.serve(snapshotOf(a2, b2))
		refuse(dialogue, dialogue.toldOnce(), refusing)
		const again = dialogue.toldOnce()
		expect(names(again)).toEqual(sends(['a'], ['a', 'b']))
		accept(dialogue, again)
		expect(dialogue.told()).toEqual([])
		expect(dialogue.stream.holds(clusterType, 'a')).toBe(a2.version)
		expect(dialogue.stream.holds(clusterType, 'b')).toBe(b.version)
		expect(dialogue.stream.state(clusterType)).toBe('rejected')
		expect(dialogue.stream.rejections()).toEqual([
			{ typeUrl: clusterType, name: 'b', version: b2.version, text: refusing },
		])
	})

	test('ends with the next version of the resource', () => {
		const dialogue = started(variant)
		dialogue.stream.serve(snapshotOf(a, b2))
		refuse(dialogue, dialogue.toldOnce(), 'no name at all')
		expect(dialogue.told()).toEqual([])
		dialogue.stream.serve(snapshotOf(a, b3))
		accept(dialogue, dialogue.toldOnce())
		expect(dialogue.stream.state(clusterType)).toBe('current')
		expect(dialogue.stream.rejections()).toEqual([])
	})

	test('is remembered: the same bytes are never sent again', () => {
		const dialogue = started(variant)
		dialogue.stream.serve(snapshotOf(a, b2))
		refuse(dialogue, dialogue.toldOnce(), refusing)
		dialogue.stream.serve(snapshotOf(a, b3))
		accept(dialogue, dialogue.toldOnce())
		dialogue.stream.serve(snapshotOf(a, b2))
		expect(dialogue.told()).toEqual([])
		expect(dialogue.stream.state(clusterType)).toBe('rejected')
		dialogue.stream.serve(snapshotOf(a, b3))
		expect(dialogue.told()).toEqual([])
		expect(dialogue.stream.state(clusterType)).toBe('current')
	})

	test('survives a reconnect, and ends with a new process', () => {
		const next = snapshotOf(a, b2)
		const before = started(variant)
		before.stream.serve(next)
		refuse(before, before.toldOnce(), refusing)
		const holds = { has: { a: a.version, b: b.version }, version: before.stream.holding(clusterType).version }

		const memory = before.stream.memory()
		const back = createDialogue(variant, { snapshot: next, memory })
		back.say({ type: 'cluster', ...holds })
		expect(back.told()).toEqual([])
		expect(back.stream.state(clusterType)).toBe('rejected')

		const restarted = createDialogue(variant, { snapshot: next, memory: back.stream.memory() })
		restarted.say({ type: 'cluster' })
		expect(names(restarted.toldOnce())).toEqual(['a', 'b'])
	})

	test('that names nothing is tracked down: each resource is tried alone', () => {
		const dialogue = started(variant, snapshotOf(a))
		const c = cluster('c')
		dialogue.stream.serve(snapshotOf(a2, b, c))
		const together = dialogue.toldOnce()
		expect(names(together)).toEqual(['a', 'b', 'c'])
		refuse(dialogue, together, 'something is wrong')
		const first = dialogue.toldOnce()
		expect(names(first)).toEqual(['a'])
		accept(dialogue, first)
		const second = dialogue.toldOnce()
		expect(names(second)).toEqual(sends(['b'], ['a', 'b']))
		refuse(dialogue, second, 'something is wrong')
		const third = dialogue.toldOnce()
		expect(names(third)).toEqual(sends(['c'], ['a', 'c']))
		accept(dialogue, third)
		expect(dialogue.told()).toEqual([])
		expect(dialogue.stream.rejections().map(({ name }) => name)).toEqual(['b'])
		expect(dialogue.stream.holds(clusterType, 'c')).toBe(c.version)
	})

	test('does not stop what comes later: a way back goes out before the search goes on', () => {
		const dialogue = started(variant)
		dialogue.stream.serve(snapshotOf(a2, b2))
		const together = dialogue.toldOnce()
		dialogue.stream.serve(snapshotOf(a, b))
		refuse(dialogue, together, 'something is wrong')
		// Envoy may have taken either of them, so both old ones are sent; the refused ones are not.
		const back = dialogue.toldOnce()
		expect(names(back)).toEqual(['a', 'b'])
		if (variant === 'delta') expect(back.resources).toEqual({ a: a.version, b: b.version })
		accept(dialogue, back)
		expect(dialogue.told()).toEqual([])
		expect(dialogue.stream.state(clusterType)).toBe('current')
	})
})

test('a removal that is refused is not sent again', () => {
	const dialogue = started('delta')
	dialogue.clock.advance(1000)
	dialogue.stream.serve(snapshotOf(a))
	refuse(dialogue, dialogue.toldOnce(), 'no')
	expect(dialogue.told()).toEqual([])
	expect(dialogue.stream.rejections()).toEqual([{ typeUrl: clusterType, name: 'b', version: '', text: 'no' }])
	dialogue.stream.serve(snapshotOf(a, b))
	expect(dialogue.stream.rejections()).toEqual([])
})

test('a listener that is refused leaves the others as they are', () => {
	const port = (name: string, number: number) => listener(name, { host: '127.0.0.1', port: number }, 'r')
	const [one, two, clash] = [port('one', 1), port('two', 2), port('two', 1)]
	const dialogue = createDialogue('stateOfTheWorld', { snapshot: snapshotOf(one, two) })
	dialogue.say({ type: 'listener' })
	dialogue.acceptAll()
	dialogue.stream.serve(snapshotOf(port('one', 3), clash))
	const text = 'Error adding/updating listener(s) two: cannot bind 127.0.0.1:1: Address already in use'
	refuse(dialogue, dialogue.toldOnce(), text)
	const again = dialogue.toldOnce()
	expect(names(again)).toEqual(['one', 'two'])
	accept(dialogue, again)
	expect(dialogue.stream.holds(two.typeUrl, 'two')).toBe(two.version)
	expect(dialogue.stream.rejections()).toMatchObject([{ name: 'two', version: clash.version, text }])
})

test('a refused cluster holds back the route that needs it, and not the way back', () => {
	const old = route('r', { a: 1 })
	const dialogue = started('delta', snapshotOf(a, old))
	dialogue.say({ type: 'route', names: ['r'] })
	dialogue.acceptAll()
	dialogue.stream.serve(snapshotOf(a, b, route('r', { a: 50, b: 50 })))
	const clusters = dialogue.toldOnce()
	expect(clusters.type).toBe('cluster')
	// Meanwhile, with the clusters not answered for:
	const back = route('r', { a: 100 })
	dialogue.stream.serve(snapshotOf(a, b, back))
	expect(dialogue.toldOnce()).toMatchObject({ type: 'route', resources: { r: back.version } })
	refuse(dialogue, clusters, refusing)
	expect(dialogue.stream.state(clusterType)).toBe('rejected')
	expect(dialogue.told()).toEqual([])
})

test('equal needs share one encoded response', () => {
	const first = snapshotOf(a, b)
	const [left, right] = [started('delta', first), started('delta', first)]
	const next = snapshotOf(a2, b)
	left.stream.serve(next)
	right.stream.serve(next)
	expect(left.toldOnce().nonce).toBe(right.toldOnce().nonce)
})

test('going back and forth never repeats a nonce at once', () => {
	const [one, two] = [
		opaque(listener('l', at, 'r').typeUrl, 'l', 'one'),
		opaque(listener('l', at, 'r').typeUrl, 'l', 'two'),
	]
	const dialogue = createDialogue('delta', { snapshot: snapshotOf(one) })
	dialogue.say({ type: 'listener' })
	dialogue.acceptAll()
	const [first, second] = [snapshotOf(one), snapshotOf(two)]
	let last = ''
	for (const snapshot of [second, first, second, first]) {
		dialogue.stream.serve(snapshot)
		const told = dialogue.toldOnce()
		expect(told.nonce).not.toBe(last)
		last = told.nonce
		accept(dialogue, told)
	}
})

test('of names that come and go before an answer none is kept', async () => {
	const dialogue = createDialogue('delta', { snapshot: snapshotOf(a, b) })
	dialogue.say({ type: 'cluster' })
	const before = await bytesInUse()
	for (let index = 0; index < 50; index += 1) {
		const long = `${index}${'x'.repeat(1_000_000)}`
		dialogue.say({ type: 'cluster', names: [long] })
		dialogue.say({ type: 'cluster', remove: [long] })
	}
	expect((await bytesInUse()) - before).toBeLessThan(10_000_000)
	expect(dialogue.told()).toHaveLength(1)
})

describe.for(variants)('%s: what was never answered', (variant) => {
	const offered = (dialogue: Dialogue) => dialogue.stream.memory().channels[clusterType].offered

	function cutOff(): Dialogue {
		const dialogue = started(variant)
		dialogue.stream.serve(snapshotOf(a, b2))
		expect(offered(dialogue)?.held.get('b')).toBe(b2)
		return dialogue
	}

	test('is forgotten once the proxy has answered', () => {
		const dialogue = cutOff()
		dialogue.acceptAll()
		expect(offered(dialogue)).toBe(null)
	})

	test('is nothing of a proxy that has started anew', () => {
		const { stream } = cutOff()
		const again = createDialogue(variant, { snapshot: null, memory: stream.memory() })
		again.say({ type: 'cluster' })
		expect(offered(again)).toBe(null)
	})
})
