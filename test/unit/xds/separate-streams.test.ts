import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import { edsCluster, endpoints, listener, naming, route, snapshotOf, staticCluster } from '../../fixtures/resources.ts'
import { createDialogue, type Variant } from '../../fixtures/xds-dialogue.ts'

const at = { host: '127.0.0.1', port: 8080 }
const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']
const [a, b] = [staticCluster('a', at), staticCluster('b', at)]
const web = naming(edsCluster('web'), { endpoints: ['web'] })
const other = naming(edsCluster('other'), { endpoints: ['other'] })
const egress = listener('l', at, 'r')

describe.for(variants)('%s: a stream of one type', (variant) => {
	test('is told of a route at once, with its cluster or before it', () => {
		const before = snapshotOf(a, egress, route('r', { a: 1 }))
		const dialogue = createDialogue(variant, { snapshot: before, serves: typeUrls.route })
		dialogue.say({ type: 'route', names: ['r'] })
		dialogue.acceptAll()
		const next = route('r', { a: 1, b: 1 })
		dialogue.stream.serve(snapshotOf(a, b, egress, next))
		dialogue.acceptAll()
		expect(dialogue.stream.holds(typeUrls.route, 'r')).toBe(next.version)
	})

	test('has clusters at its start, and no new one whose endpoints are not known', () => {
		const dialogue = createDialogue(variant, { snapshot: snapshotOf(a, web), serves: typeUrls.cluster })
		dialogue.say({ type: 'cluster' })
		expect(dialogue.acceptAll().map(({ resources }) => Object.keys(resources))).toEqual([['a', 'web']])
		dialogue.stream.serve(snapshotOf(a, web, other))
		expect(dialogue.told()).toEqual([])
		dialogue.stream.serve(snapshotOf(a, web, other, endpoints('other', at)))
		expect(dialogue.acceptAll()).toHaveLength(1)
	})

	test('is not told that endpoints do not exist while a cluster that is served waits for them', () => {
		const dialogue = createDialogue(variant, { snapshot: snapshotOf(a, web), serves: typeUrls.endpoint })
		dialogue.say({ type: 'endpoint', names: ['web', 'nobody'] })
		dialogue.clock.advance(limits.xdsSettleMs)
		const absent = dialogue.acceptAll().map(({ removed }) => removed)
		expect(absent).toEqual(variant === 'delta' ? [['nobody']] : [])
		const found = endpoints('web', at)
		dialogue.stream.serve(snapshotOf(a, web, found))
		expect(dialogue.acceptAll().map(({ resources }) => Object.keys(resources))).toEqual([['web']])
		dialogue.stream.serve(snapshotOf(a, web))
		expect(dialogue.told()).toEqual([])
		dialogue.stream.serve(snapshotOf(a))
		if (variant === 'delta') expect(dialogue.toldOnce().removed).toEqual(['web'])
	})

	test('is told of a removal at once, when nothing that is served has a use for it', () => {
		const dialogue = createDialogue(variant, { snapshot: snapshotOf(a, b), serves: typeUrls.cluster })
		dialogue.say({ type: 'cluster' })
		dialogue.acceptAll()
		dialogue.stream.serve(snapshotOf(a))
		dialogue.acceptAll()
		expect(dialogue.stream.holds(typeUrls.cluster, 'b')).toBeNull()
	})
})
