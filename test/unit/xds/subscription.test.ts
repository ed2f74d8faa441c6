import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { typeUrls } from '#compile/compiled.ts'
import { changeDelta, changeStateOfTheWorld, createSubscriptionPool, type Subscription } from '#xds/subscription.ts'
import { bytesInUse } from '../../fixtures/cost.ts'
import { listener, route, snapshotOf, staticCluster } from '../../fixtures/resources.ts'
import { createDialogue, type Say } from '../../fixtures/xds-dialogue.ts'

const at = { host: '127.0.0.1', port: 8080 }
const [a, b] = [staticCluster('a', at), staticCluster('b', at)]
const [r, s] = [route('r', { a: 1 }), route('s', { b: 1 })]
const everything = snapshotOf(a, b, listener('l', at, 'r'), r, s)

/** Each step: what the proxy says, and what it is told, as `name` or `-name`; `nothing` is no answer at all. */
type Step = readonly [say: Omit<Say, 'type'>, told: readonly string[] | 'nothing']
type Conversation = readonly [what: string, type: 'cluster' | 'route', steps: readonly Step[]]

const delta: readonly Conversation[] = [
	['no names are all clusters', 'cluster', [[{}, ['a', 'b']]]],
	['a star is all of any type', 'route', [[{ names: ['*'] }, ['r', 's']]]],
	['no names are no routes', 'route', [[{}, 'nothing']]],
	['names are these only', 'cluster', [[{ names: ['b'] }, ['b']]]],
	[
		'a name that does not exist is named as removed, once',
		'route',
		[
			[{ names: ['x'] }, ['-x']],
			[{ names: ['r'] }, ['r']],
		],
	],
	['an empty name is no error', 'route', [[{ names: ['', 'r'] }, ['r', '-']]]],
	[
		'names are added',
		'route',
		[
			[{ names: ['r'] }, ['r']],
			[{ names: ['s'] }, ['s']],
		],
	],
	[
		'a name asked for again is sent again',
		'route',
		[
			[{ names: ['r'] }, ['r']],
			[{ names: ['r'] }, ['r']],
		],
	],
	[
		'a name given up is not mentioned',
		'route',
		[
			[{ names: ['r', 's'] }, ['r', 's']],
			[{ remove: ['r'] }, 'nothing'],
		],
	],
	[
		'a name given up and asked for is sent again',
		'route',
		[
			[{ names: ['r'] }, ['r']],
			[{ remove: ['r'] }, 'nothing'],
			[{ names: ['r'] }, ['r']],
		],
	],
	['a name beside the star', 'cluster', [[{ names: ['*', 'x'] }, ['a', 'b', '-x']]]],
	[
		'a name beside no names is one more',
		'cluster',
		[
			[{}, ['a', 'b']],
			[{ names: ['x'] }, ['-x']],
			[{ names: ['a'] }, ['a']],
			[{ remove: ['a'] }, ['a']],
		],
	],
	[
		'a name given up under a star is sent again',
		'cluster',
		[
			[{}, ['a', 'b']],
			[{ remove: ['a'] }, ['a']],
		],
	],
	[
		'without the star only the names stay',
		'cluster',
		[
			[{ names: ['*', 'a'] }, ['a', 'b']],
			[{ remove: ['*'] }, 'nothing'],
			[{ names: ['b'] }, ['b']],
		],
	],
	[
		'nothing asked for is nothing, later too',
		'cluster',
		[
			[{ names: ['a'] }, ['a']],
			[{ remove: ['a'] }, 'nothing'],
			[{}, 'nothing'],
		],
	],
]

const stateOfTheWorld: readonly Conversation[] = [
	['no names are all clusters', 'cluster', [[{}, ['a', 'b']]]],
	['no names are no routes', 'route', [[{}, 'nothing']]],
	['a star is all of any type', 'route', [[{ names: ['*'] }, ['r', 's']]]],
	['names are these only', 'cluster', [[{ names: ['b'] }, ['b']]]],
	[
		'clusters that do not exist: what does exist',
		'cluster',
		[
			[{ names: ['x'] }, []],
			[{ names: ['x', 'a'] }, ['a']],
		],
	],
	[
		'routes that do not exist: nothing',
		'route',
		[
			[{ names: ['x', ''] }, 'nothing'],
			[{ names: ['x', '', 'r'] }, ['r']],
		],
	],
	[
		'an added route comes alone',
		'route',
		[
			[{ names: ['r'] }, ['r']],
			[{ names: ['r', 's'] }, ['s']],
		],
	],
	[
		'an added cluster comes with all',
		'cluster',
		[
			[{ names: ['a'] }, ['a']],
			[{ names: ['a', 'b'] }, ['a', 'b']],
		],
	],
	[
		'names that are repeated are no question',
		'route',
		[
			[{ names: ['r'] }, ['r']],
			[{ names: ['r'] }, 'nothing'],
		],
	],
	[
		'a name given up and asked for is sent again',
		'route',
		[
			[{ names: ['r'] }, ['r']],
			[{ names: [] }, 'nothing'],
			[{ names: ['r'] }, ['r']],
		],
	],
	[
		'after names, no names are nothing',
		'cluster',
		[
			[{ names: ['a'] }, ['a']],
			[{ names: [] }, 'nothing'],
			[{ names: ['b'] }, ['b']],
		],
	],
	[
		'once names are given, they are all',
		'cluster',
		[
			[{}, ['a', 'b']],
			[{ names: ['a'] }, ['a']],
		],
	],
]

describe.for([
	['delta', delta],
	['stateOfTheWorld', stateOfTheWorld],
] as const)('%s', ([variant, conversations]) => {
	test.for(conversations)('%s', ([, type, steps]) => {
		const dialogue = createDialogue(variant, { snapshot: everything })
		if (type === 'route') {
			// Routes wait for the clusters that they name.
			dialogue.say({ type: 'cluster' })
			dialogue.acceptAll()
		}
		let nonce = ''
		for (const [say, expected] of steps) {
			dialogue.say({ type, ...say, nonce: variant === 'delta' ? '' : nonce })
			const told = dialogue.told()
			if (expected === 'nothing') {
				expect(told).toEqual([])
				continue
			}
			expect(told).toHaveLength(1)
			const [only] = told
			expect([...Object.keys(only?.resources ?? {}), ...(only?.removed ?? []).map((name) => `-${name}`)]).toEqual(
				expected,
			)
			nonce = only?.nonce ?? ''
			dialogue.say({ type, nonce, version: only?.version ?? '' })
		}
		expect(dialogue.told()).toEqual([])
		expect(dialogue.ended()).toBeNull()
	})

	test('what is sent after an unsubscribe does not hold the resource, though both crossed', () => {
		const dialogue = createDialogue(variant, { snapshot: everything })
		dialogue.say({ type: 'cluster' })
		dialogue.acceptAll()
		dialogue.say({ type: 'route', names: ['r', 's'] })
		const first = dialogue.toldOnce()
		dialogue.stream.serve(snapshotOf(a, b, route('r', { b: 1 }), route('s', { a: 1 })))
		const names = variant === 'delta' ? {} : { names: ['s'] }
		dialogue.say({ type: 'route', ...names, remove: ['r'], nonce: first.nonce, version: first.version })
		expect(Object.keys(dialogue.toldOnce().resources)).toEqual(['s'])
	})
})

describe('too much', () => {
	const namesFrom = (from: number, count: number, length = 0) =>
		Array.from({ length: count }, (_, index) => `${from + index}`.padEnd(length, 'x'))

	test('delta: names that add up over many requests', () => {
		let subscription: Subscription | null = null
		for (let from = 0; from < limits.xdsNames; from += 1_000) {
			const request = { subscribe: namesFrom(from, 1_000), unsubscribe: [] }
			const changed = changeDelta(subscription, typeUrls.route, request)
			if (!changed.ok) throw new Error(changed.error)
			subscription = changed.value.subscription
		}
		const more = { subscribe: ['one more'], unsubscribe: [] }
		expect(changeDelta(subscription, typeUrls.route, more)).toEqual({
			ok: false,
			error: 'more than 5000 names in one subscription',
		})
		expect(changeDelta(subscription, typeUrls.route, { ...more, unsubscribe: ['0'] })).toMatchObject({ ok: true })
	})

	test('long names, each of which and whose number is within the bounds', () => {
		const length = limits.xdsWordChars
		const most = namesFrom(1_000, limits.xdsNamesChars / length, length)
		const error = 'names of more than 1000000 characters in one subscription'
		const delta = changeDelta(null, typeUrls.route, { subscribe: most, unsubscribe: [] })
		if (!delta.ok) throw new Error(delta.error)
		const more = { subscribe: ['x'], unsubscribe: [] }
		expect(changeDelta(delta.value.subscription, typeUrls.route, more)).toEqual({ ok: false, error })
		expect(changeStateOfTheWorld(null, typeUrls.route, { names: most })).toMatchObject({ ok: true })
		expect(changeStateOfTheWorld(null, typeUrls.route, { names: [...most, 'x'] })).toEqual({ ok: false, error })
	})
})

describe('the pool', () => {
	const asking = (...names: readonly string[]) => ({ wildcard: 'none' as const, names: new Set(names) })

	test('gives those who ask for the same one object', () => {
		const pool = createSubscriptionPool()
		const first = pool.shared(asking('a', 'b'))
		expect(pool.shared(asking('b', 'a'))).toBe(first)
		expect(pool.shared(asking('a'))).not.toBe(first)
		expect(pool.shared({ ...asking('a', 'b'), wildcard: 'explicit' })).not.toBe(first)
	})

	test('takes a name with a line break for no two', () => {
		const pool = createSubscriptionPool()
		const odd = pool.shared(asking('a\nb'))
		expect(pool.shared(asking('a', 'b'))).not.toBe(odd)
		expect(pool.shared(asking('a\n1 b'))).not.toBe(pool.shared(asking('a', 'b')))
	})

	test('holds on to nothing that nobody asks for any more', async () => {
		const pool = createSubscriptionPool()
		const kept = pool.shared(asking('a'))
		const before = await bytesInUse()
		for (let index = 0; index < 30; index += 1) pool.shared(asking(`${index}${'x'.repeat(1_000_000)}`))
		expect((await bytesInUse()) - before).toBeLessThan(5_000_000)
		expect(pool.shared(asking('a'))).toBe(kept)
	})
})
