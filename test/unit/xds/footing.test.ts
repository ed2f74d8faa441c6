import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { type Random, seededRandom } from '#base/random.ts'
import { type TypeUrl, typeUrls } from '#compile/compiled.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { type Channel, createChannel } from '#xds/channel.ts'
import { createFootingPool, type Footing, type FootingPool } from '#xds/footing.ts'
import { emptyHolding } from '#xds/holding.ts'
import { perType, sendOrder } from '#xds/order.ts'
import type { Subscription } from '#xds/subscription.ts'
import { count, seed } from '../../depth.ts'
import {
	arbitrarySnapshot,
	snapshotClusters,
	snapshotRoutes,
	snapshotSecrets,
} from '../../fixtures/arbitrary-snapshot.ts'
import { snapshotOf } from '../../fixtures/resources.ts'
import { createDialogue, type Dialogue, type Told, type TypeName, type Variant } from '../../fixtures/xds-dialogue.ts'

const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']
const proxies = 5
const sharesNothing: FootingPool = { shared: () => null }

/** Counts how often a stream stands where another, or it itself, stood before. */
function countingPool() {
	const pool = createFootingPool()
	let met = 0
	return {
		met: () => met,
		shared(footing: Parameters<FootingPool['shared']>[0]) {
			const found = pool.shared(footing)
			if (found !== null && found !== footing) met += 1
			return found
		},
	}
}

type Proxy = {
	readonly dialogue: Dialogue
	readonly inbox: Told[]
	readonly nonces: Map<TypeName, string>
	/** How it is unlike the others, if it is. */
	readonly own: 'nothing' | 'reads slowly' | 'keeps routes' | 'came before' | 'answers at once'
}

/** What a proxy does next. It depends on nothing that it is told, but for what it has to answer. */
type Move = (proxy: Proxy) => void

const asked = { cluster: [], listener: [], route: snapshotRoutes, endpoint: snapshotClusters, secret: snapshotSecrets }
const types = ['cluster', 'endpoint', 'listener', 'route', 'secret'] as const

function answer(refusal: string | null): Move {
	return ({ dialogue, inbox, nonces }) => {
		const told = inbox.shift()
		if (told === undefined) return
		const { type, nonce, version } = told
		nonces.set(type, nonce)
		const [name = 'it'] = Object.keys(told.resources)
		dialogue.say({ type, nonce, version, ...(refusal === null ? {} : { refusal: `${name}: ${refusal}` }) })
	}
}

function ask(random: Random): Move {
	const type = types[Math.floor(random() * types.length)] ?? 'route'
	const names = asked[type].filter(() => random() < 0.7)
	const gone = asked[type].filter(() => random() < 0.2)
	return ({ dialogue, nonces }) => dialogue.say({ type, names, remove: gone, nonce: nonces.get(type) ?? '' })
}

function drawMove(random: Random): Move {
	const dice = random()
	if (dice < 0.7) return answer(null)
	if (dice < 0.74) return answer('no')
	if (dice < 0.86) return ({ dialogue }) => dialogue.flushOne()
	if (dice < 0.9) return ({ dialogue }) => dialogue.clock.advance(limits.xdsSettleMs)
	if (dice < 0.91) return ({ dialogue }) => dialogue.clock.advance(limits.xdsAnswerMs)
	return ask(random)
}

const owns: readonly (readonly [upTo: number, own: Proxy['own']])[] = [
	[0.15, 'reads slowly'],
	[0.27, 'keeps routes'],
	[0.4, 'came before'],
	[0.5, 'answers at once'],
]

function begin(random: Random, { variant, snapshot, pool }: World): Proxy {
	const dice = random()
	const own = owns.find(([upTo]) => dice < upTo)?.[1] ?? 'nothing'
	const dialogue = createDialogue(variant, {
		snapshot,
		flush: own === 'reads slowly' ? 'held' : 'at once',
		footings: pool,
		...(own === 'answers at once' ? { answers: 'at once' } : {}),
	})
	if (own === 'keeps routes') dialogue.retain((typeUrl) => typeUrl === typeUrls.route)
	for (const type of types)
		dialogue.say({ type, names: asked[type], ...(own === 'came before' ? claim(snapshot, type) : {}) })
	const proxy: Proxy = { dialogue, inbox: dialogue.told(), nonces: new Map(), own }
	for (let left = 20; left > 0; left -= 1) {
		answer(null)(proxy)
		dialogue.flushOne()
		proxy.inbox.push(...dialogue.told())
	}
	dialogue.clock.advance(limits.xdsSettleMs)
	return proxy
}

function claim({ types }: Snapshot, type: TypeName) {
	const { version, resources } = types[typeUrls[type]]
	return { version, has: Object.fromEntries([...resources].map(([name, { version }]) => [name, version])) }
}

type World = { readonly variant: Variant; readonly snapshot: Snapshot; readonly pool: FootingPool }

/** All proxies of one server, which are told the same snapshots, and mostly do the same, as those of one group do. */
function run(from: number, variant: Variant, pool: FootingPool): readonly unknown[] {
	const random = seededRandom(from)
	const snapshot = arbitrarySnapshot(random)
	const snapshots = [snapshot, ...Array.from({ length: 3 }, () => arbitrarySnapshot(random))]
	const all = Array.from({ length: proxies }, () => begin(random, { variant, snapshot, pool }))
	const seen: unknown[] = []
	for (let step = 0; step < 50; step += 1) {
		const next = random() < 0.3 ? snapshots[Math.floor(random() * snapshots.length)] : undefined
		const together = random() < 0.85 ? drawMove(random) : null
		for (const proxy of all) {
			const move = together ?? drawMove(random)
			if (next === undefined) move(proxy)
			else proxy.dialogue.stream.serve(next)
			const told = proxy.dialogue.told()
			proxy.inbox.push(...told)
			// A nonce is never given twice, and may be a byte longer.
			seen.push({ told: told.map(({ nonce: _, size: __, ...rest }) => rest), ...standingOf(proxy) })
		}
	}
	return seen
}

function standingOf({ dialogue, own }: Proxy) {
	const { stream } = dialogue
	return {
		own,
		states: stream.states().of,
		each: sendOrder.map((typeUrl) => [stream.state(typeUrl), stream.holding(typeUrl)]),
		rejections: stream.rejections(),
		ended: dialogue.ended(),
	}
}

describe.for(variants)('%s', (variant) => {
	test('who goes the way that another went before is told what it would be told alone', () => {
		const pool = countingPool()
		fc.assert(
			fc.property(fc.integer(), (from) => {
				expect(run(from, variant, pool)).toEqual(run(from, variant, sharesNothing))
			}),
			{ numRuns: count(60, 3_000), seed: seed(), examples: [[-271619050]] },
		)
		// Else nothing was shown.
		expect(pool.met()).toBeGreaterThan(1000)
	})
})

describe('streams stand alike', () => {
	const snapshot = snapshotOf()
	const response = { ...empty, typeUrl: typeUrls.route, nonce: 'n' }
	const underway = { response, upserts: [], removals: [], snapshot, touched: new Set<string>(), overdue: false }

	/** As one that has asked for a route, with this that is otherwise. */
	function footingWith(otherwise: Partial<Channel>, more: Partial<Footing> = {}): Footing {
		const of = (typeUrl: TypeUrl) => createChannel(typeUrl, null)
		const route = { ...of(typeUrls.route), subscription: subscribed, declared: true, ...otherwise }
		return { channels: { ...perType(of), [typeUrls.route]: route }, hasHistory: false, variant: 'delta', ...more }
	}

	test('only if all is alike that decides what they are told', () => {
		const pool = createFootingPool()
		const first = pool.shared(footingWith({}))
		expect(pool.shared(footingWith({}))).toBe(first)
		const others = [
			footingWith({ subscription: { wildcard: 'none', names: new Set(['r']) } }),
			footingWith({ held: new Map() }),
			footingWith({ underway }),
			footingWith({ underway: { ...underway, snapshot: snapshotOf() } }),
			footingWith({ underway: { ...underway, response: { ...response } } }),
			footingWith({ declared: false }),
			footingWith({ lastNonce: 'n' }),
			footingWith({ version: 'v' }),
			footingWith({ writtenNames: Uint8Array.of(1) }),
			footingWith({}, { hasHistory: true }),
			footingWith({}, { variant: 'stateOfTheWorld' }),
		]
		const found = others.map((other) => pool.shared(other))
		expect(found).toEqual(others)
		expect(new Set([first, ...found]).size).toBe(others.length + 1)
	})

	test('and nothing in it is of what one proxy alone has said', () => {
		const pool = createFootingPool()
		const own = [
			footingWith({ claim: { kind: 'version', version: 'v' } }),
			footingWith({ offered: { held: emptyHolding, version: 'v' } }),
			footingWith({ answerDue: true }),
			footingWith({ hasUnknown: true }),
			footingWith({ isolated: new Map([['r', 'v']]) }),
			footingWith({ underway: { ...underway, touched: new Set(['r']) } }),
			footingWith({ underway: { ...underway, overdue: true } }),
		]
		expect(own.map((footing) => pool.shared(footing))).toEqual(own.map(() => null))
	})
})

const subscribed: Subscription = { wildcard: 'none', names: new Set(['r']) }
const empty = { version: '', bytes: new Uint8Array(), upserts: [], removals: [], after: emptyHolding }
