import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { type Random, seededRandom } from '#base/random.ts'
import { type References, typeUrls } from '#compile/compiled.ts'
import type { EncodedResource, Snapshot } from '#snapshot/snapshot.ts'
import { count, seed } from '../../depth.ts'
import { arbitrarySnapshot, snapshotRoutes as routeNames } from '../../fixtures/arbitrary-snapshot.ts'
import { leastCpuMs } from '../../fixtures/cost.ts'
import {
	edsCluster,
	endpoints,
	listener,
	naming,
	route,
	secret,
	snapshotOf,
	staticCluster,
} from '../../fixtures/resources.ts'
import { createDialogue, type Dialogue, type Told, type TypeName, type Variant } from '../../fixtures/xds-dialogue.ts'

const at = { host: '127.0.0.1', port: 8080 }
const variants: readonly Variant[] = ['delta', 'stateOfTheWorld']

describe('a change', () => {
	const egress = listener('l', at, 'r')
	const [a, b] = [staticCluster('a', at), staticCluster('b', at)]
	const types = (dialogue: Dialogue) => dialogue.told().map(({ type }) => type)
	const ack = (dialogue: Dialogue, told: Told | undefined) =>
		dialogue.say({ type: told?.type ?? 'cluster', nonce: told?.nonce ?? '', version: told?.version ?? '' })

	function started(variant: Variant, snapshot: Snapshot): Dialogue {
		const dialogue = createDialogue(variant, { snapshot })
		for (const type of ['cluster', 'listener'] as const) {
			dialogue.say({ type })
			dialogue.acceptAll()
		}
		dialogue.say({ type: 'route', names: ['r'] })
		dialogue.acceptAll()
		return dialogue
	}

	test.for(variants)('%s: a new cluster is accepted before the route to it is sent, and removed after', (variant) => {
		const before = snapshotOf(a, egress, route('r', { a: 1 }))
		const dialogue = started(variant, before)
		dialogue.stream.serve(snapshotOf(a, b, egress, route('r', { a: 1, b: 1 })))
		const [clusters, ...none] = dialogue.told()
		expect([clusters?.type, none]).toEqual(['cluster', []])
		ack(dialogue, clusters)
		const [routes] = dialogue.told()
		expect(routes?.type).toBe('route')
		ack(dialogue, routes)

		dialogue.stream.serve(before)
		const [back, ...nothing] = dialogue.told()
		expect([back?.type, nothing]).toEqual(['route', []])
		ack(dialogue, back)
		const [removal] = dialogue.told()
		expect(removal?.type).toBe('cluster')
		if (variant === 'delta') expect(removal?.removed).toEqual(['b'])
		else expect(Object.keys(removal?.resources ?? {})).toEqual(['a'])
	})

	test.for(variants)('%s: while a removal waits, the cluster is part of every answer', (variant) => {
		const dialogue = started(variant, snapshotOf(a, b, egress, route('r', { a: 1, b: 1 })))
		const c = staticCluster('c', at)
		dialogue.stream.serve(snapshotOf(a, c, egress, route('r', { a: 1 })))
		const [clusters, routes] = dialogue.told()
		const sent = variant === 'delta' ? ['c'] : ['a', 'b', 'c']
		expect([Object.keys(clusters?.resources ?? {}).sort(), clusters?.removed]).toEqual([sent, []])
		expect(routes?.type).toBe('route')
	})

	test.for(variants)('%s: a cluster whose removal is on its way is not there for a route', (variant) => {
		const dialogue = started(variant, snapshotOf(a, b, egress, route('r', { a: 1 })))
		dialogue.stream.serve(snapshotOf(a, egress, route('r', { a: 1 })))
		const [removal] = dialogue.told()
		dialogue.stream.serve(snapshotOf(a, b, egress, route('r', { b: 1 })))
		expect(types(dialogue)).toEqual([])
		ack(dialogue, removal)
		const [clusters, ...none] = dialogue.told()
		expect([clusters?.type, none]).toEqual(['cluster', []])
		ack(dialogue, clusters)
		expect(types(dialogue)).toEqual(['route'])
	})
})

describe('what a proxy asks for costs little beside what there is', () => {
	const many = Array.from({ length: 3_000 }, (_, index) => `c${index}`)
	const nowhere = Array.from({ length: limits.xdsNames }, (_, index) => `nowhere-${index}`)

	test('endpoints that do not exist, while its clusters are on their way', () => {
		const snapshot = snapshotOf(...many.map((name) => edsCluster(name)))
		const asks = () => {
			const dialogue = createDialogue('delta', { snapshot })
			dialogue.say({ type: 'cluster' })
			dialogue.say({ type: 'endpoint', names: nowhere })
		}
		expect(leastCpuMs(asks)).toBeLessThan(300)
	})

	test('routes, while it is told that clusters do not exist', () => {
		const clusters = many.map((name) => staticCluster(name, at))
		const weights = Object.fromEntries(many.slice(0, 30).map((name) => [name, 1]))
		const snapshot = snapshotOf(...clusters, ...many.map((name) => route(name, weights)))
		const asks = () => {
			const dialogue = createDialogue('delta', { snapshot })
			dialogue.say({ type: 'cluster', names: ['*'] })
			dialogue.acceptAll()
			dialogue.say({ type: 'cluster', names: nowhere })
			dialogue.say({ type: 'route', names: ['*'] })
		}
		expect(leastCpuMs(asks)).toBeLessThan(300)
	})
})

describe('what names endpoints or a secret', () => {
	const egress = listener('l', at, 'r')
	const a = staticCluster('a', at)
	const web = naming(edsCluster('web'), { endpoints: ['web'], secrets: ['cert'] })
	const found = endpoints('web', at)
	const cert = secret('cert', 'one')
	const toWeb = route('r', { a: 1, web: 1 })
	const asks = (dialogue: Dialogue, type: TypeName, names: readonly string[]) => dialogue.say({ type, names })
	const toldTypes = (told: readonly Told[]) => told.map(({ type }) => type)

	function started(variant: Variant, snapshot: Snapshot): Dialogue {
		const dialogue = createDialogue(variant, { snapshot })
		for (const type of ['cluster', 'listener'] as const) {
			dialogue.say({ type })
			dialogue.acceptAll()
		}
		asks(dialogue, 'route', ['r'])
		dialogue.acceptAll()
		dialogue.clock.advance(limits.xdsSettleMs)
		return dialogue
	}

	test.for(variants)('%s: waits until both are known, and holds up nothing else', (variant) => {
		const dialogue = started(variant, snapshotOf(a, egress, route('r', { a: 1 })))
		dialogue.stream.serve(snapshotOf(a, web, cert, egress, toWeb))
		expect(dialogue.told()).toEqual([])
		expect([dialogue.stream.state('type.googleapis.com/envoy.config.cluster.v3.Cluster')]).toEqual(['pending'])
		dialogue.stream.serve(snapshotOf(a, web, cert, egress, route('r', { a: 2 })))
		expect(toldTypes(dialogue.acceptAll())).toEqual(['route'])
		dialogue.stream.serve(snapshotOf(a, web, found, egress, toWeb))
		expect(dialogue.told()).toEqual([])
		dialogue.stream.serve(snapshotOf(a, web, found, cert, egress, toWeb))
		expect(toldTypes(dialogue.acceptAll())).toEqual(['cluster', 'route'])
		asks(dialogue, 'endpoint', ['web'])
		asks(dialogue, 'secret', ['cert'])
		expect(dialogue.acceptAll().map(({ type, resources }) => [type, Object.keys(resources)])).toEqual([
			['endpoint', ['web']],
			['secret', ['cert']],
		])
	})

	test.for(variants)(
		'%s: but a proxy that has just started is not kept without routes for one of its clusters',
		(variant) => {
			const dialogue = createDialogue(variant, { snapshot: snapshotOf(a, web, egress, toWeb) })
			dialogue.say({ type: 'cluster' })
			expect(dialogue.acceptAll().map(({ resources }) => Object.keys(resources))).toEqual([['a', 'web']])
			asks(dialogue, 'endpoint', ['web'])
			dialogue.say({ type: 'listener' })
			asks(dialogue, 'route', ['r'])
			expect(toldTypes(dialogue.acceptAll())).toEqual(['listener', 'route'])
			expect(dialogue.stream.state(typeUrls.endpoint)).toBe('pending')
			dialogue.stream.serve(snapshotOf(a, web, found, egress, toWeb))
			expect(toldTypes(dialogue.acceptAll())).toEqual(['endpoint'])
			// From now on it is in use.
			const other = naming(edsCluster('other'), { endpoints: ['other'] })
			dialogue.stream.serve(snapshotOf(a, web, found, other, egress, toWeb))
			expect(dialogue.told()).toEqual([])
		},
	)

	test.for(variants)('%s: a listener waits for its secret', (variant) => {
		const dialogue = started(variant, snapshotOf(a, egress, route('r', { a: 1 })))
		const behindTls = naming(listener('tls', at, 'r'), { secrets: ['cert'] })
		dialogue.stream.serve(snapshotOf(a, egress, behindTls, route('r', { a: 1 })))
		expect(dialogue.told()).toEqual([])
		dialogue.stream.serve(snapshotOf(a, egress, behindTls, cert, route('r', { a: 1 })))
		expect(toldTypes(dialogue.acceptAll())).toEqual(['listener'])
	})

	function withWeb(variant: Variant): Dialogue {
		const dialogue = started(variant, snapshotOf(a, web, found, cert, egress, toWeb))
		asks(dialogue, 'endpoint', ['web'])
		asks(dialogue, 'secret', ['cert'])
		dialogue.acceptAll()
		return dialogue
	}

	test.for(variants)('%s: they are not taken away while it is held, and it stays as it is', (variant) => {
		const dialogue = withWeb(variant)
		dialogue.stream.serve(snapshotOf(a, web, egress, toWeb))
		expect(dialogue.acceptAll()).toEqual([])
		const other = naming(edsCluster('web', { timeoutMs: 2000 }), { endpoints: ['web'], secrets: ['cert'] })
		dialogue.stream.serve(snapshotOf(a, other, cert, egress, toWeb))
		expect(dialogue.acceptAll()).toEqual([])
		dialogue.stream.serve(snapshotOf(a, egress, route('r', { a: 1 })))
		const told = dialogue.acceptAll()
		expect(toldTypes(told)).toEqual(
			variant === 'delta' ? ['route', 'cluster', 'endpoint', 'secret'] : ['route', 'cluster'],
		)
		if (variant === 'delta') expect(told.flatMap(({ removed }) => removed)).toEqual(['web', 'web', 'cert'])
	})

	test.for(variants)('%s: they go with each change of it, though they are the same', (variant) => {
		const dialogue = withWeb(variant)
		const other = naming(edsCluster('web', { timeoutMs: 2000 }), { endpoints: ['web'], secrets: ['cert'] })
		dialogue.stream.serve(snapshotOf(a, other, found, cert, egress, toWeb))
		expect(toldTypes(dialogue.told())).toEqual(['cluster', 'endpoint', 'secret'])
	})

	const has = (...resources: { name: string; version: string }[]) =>
		Object.fromEntries(resources.map(({ name, version }) => [name, version]))

	test('nor after a restart, by whose memory the proxy holds other versions of everything', () => {
		const dialogue = createDialogue('delta', { snapshot: snapshotOf(a, web, egress, toWeb) })
		dialogue.say({ type: 'cluster', has: { a: 'older', web: 'older' } })
		dialogue.say({ type: 'endpoint', names: ['web'], has: { web: 'older' } })
		dialogue.say({ type: 'listener', has: has(egress) })
		dialogue.say({ type: 'route', names: ['r'], has: has(toWeb) })
		dialogue.say({ type: 'secret', names: ['cert'], has: { cert: 'older' } })
		dialogue.clock.advance(limits.xdsSettleMs)
		const told = dialogue.acceptAll()
		expect(told.map(({ type, resources, removed }) => [type, Object.keys(resources), removed])).toEqual([
			['cluster', ['a'], []],
		])
	})

	test('nor when the proxy warms clusters, and so does not say that it has any', () => {
		const dialogue = createDialogue('delta', { snapshot: snapshotOf(a, web, egress, toWeb) })
		dialogue.say({ type: 'endpoint', names: ['web'], has: { web: 'older' } })
		dialogue.clock.advance(limits.xdsSettleMs)
		expect(dialogue.told()).toEqual([])
		dialogue.stream.serve(snapshotOf(a, web, found, cert, egress, toWeb))
		expect(dialogue.told().map(({ type, resources }) => [type, Object.keys(resources)])).toEqual([
			['endpoint', ['web']],
		])
	})

	test('state of the world: a proxy that holds what nobody knows is told nothing that leaves something out', () => {
		const dialogue = createDialogue('stateOfTheWorld', { snapshot: snapshotOf(a, web, egress, toWeb) })
		dialogue.say({ type: 'cluster', version: 'unheard of' })
		dialogue.clock.advance(limits.xdsSettleMs)
		expect(dialogue.told()).toEqual([])
		dialogue.stream.serve(snapshotOf(a, web, found, cert, egress, toWeb))
		expect(Object.keys(dialogue.toldOnce().resources)).toEqual(['a', 'web'])
	})

	test('state of the world: after a restart, what was served without it is known again', () => {
		const partial = snapshotOf(a, web, egress, route('r', { a: 1 }))
		const before = started('stateOfTheWorld', partial)
		const version = before.stream.holding(typeUrls.cluster).version
		const dialogue = createDialogue('stateOfTheWorld', { snapshot: partial })
		dialogue.say({ type: 'cluster', version })
		dialogue.say({ type: 'route', names: ['r'], version: 'unheard of' })
		expect(toldTypes(dialogue.told())).toEqual(['route'])
	})
})

/**
 * A proxy as Envoy is: it works off what it is told in order; a cluster of a push is there when the push is accepted,
 * which may take long; one that is removed is gone at once. It asks for the endpoints and the secret that a cluster
 * names as soon as it is told of the cluster. It refuses at random, and may then have applied any part.
 */
type ModelProxy = Readonly<Record<ModelType, Map<string, string>>> & {
	readonly inbox: Told[]
	/** Accepted, and not said so yet. The stream that told an orphan has ended. */
	readonly warming: { told: Told; isOrphan: boolean; apply: () => void }[]
	readonly versions: Map<TypeName, string>
	readonly nonces: Map<TypeName, string>
}

type ModelType = 'cluster' | 'route' | 'endpoint' | 'secret'
const modelTypes: readonly ModelType[] = ['cluster', 'route', 'endpoint', 'secret']
/** Version → what such a resource names. */
const contents = new Map<string, References>()

function known(made: EncodedResource): EncodedResource {
	contents.set(made.version, made.references)
	return made
}

function randomSnapshot(random: Random): Snapshot {
	const snapshot = arbitrarySnapshot(random)
	for (const { resources } of Object.values(snapshot.types)) for (const made of resources.values()) known(made)
	return snapshot
}

class ModelRun {
	readonly proxy: ModelProxy = {
		cluster: new Map(),
		route: new Map(),
		endpoint: new Map(),
		secret: new Map(),
		inbox: [],
		warming: [],
		versions: new Map(),
		nonces: new Map(),
	}
	dialogue: Dialogue
	snapshot: Snapshot
	readonly variant: Variant
	readonly random: Random
	readonly bad = new Map<string, boolean>()
	readonly asked = { endpoint: new Set<string>(), secret: new Set<string>() }
	/** Envoy asks for clusters only when those that it has are warm. */
	clustersAsked = false
	/** Nothing goes through it yet, as far as it has said. */
	isNew = true
	/** It has not asked for clusters on this stream, and at some time there were none: what it warms is to go. */
	hadNoClusters = false
	routesAsked = false

	constructor(variant: Variant, random: Random) {
		this.variant = variant
		this.random = random
		this.snapshot = randomSnapshot(random)
		this.dialogue = createDialogue(variant, { snapshot: this.snapshot })
		this.greet()
	}

	greet(): void {
		this.clustersAsked = false
		this.routesAsked = false
		this.hadNoClusters = false
		this.noteClusters()
		this.proxy.nonces.clear()
		const { versions } = this.proxy
		const isDelta = this.variant === 'delta'
		// It says of its clusters first what it holds.
		this.isNew = isDelta ? this.proxy.cluster.size === 0 : !versions.has('cluster')
		this.askForClusters()
		this.isNew &&= isDelta ? modelTypes.every((type) => this.proxy[type].size === 0) : !versions.has('route')
		for (const type of ['endpoint', 'secret'] as const) {
			this.asked[type].clear()
			const names = this.needed(type)
			for (const name of [...this.proxy[type].keys()]) if (!names.has(name)) this.proxy[type].delete(name)
			if (names.size > 0 || this.random() < 0.5) this.askFor(type, names)
		}
		const version = versions.get('route') ?? ''
		this.routesAsked = true
		this.say({ type: 'route', names: routeNames, has: Object.fromEntries(this.proxy.route), version })
	}

	noteClusters(): void {
		this.hadNoClusters ||= !this.clustersAsked && this.snapshot.types[typeUrls.cluster].resources.size === 0
	}

	askForClusters(): void {
		if (this.clustersAsked || this.proxy.warming.length > 0) return
		this.clustersAsked = true
		const { cluster, versions } = this.proxy
		this.say({ type: 'cluster', has: Object.fromEntries(cluster), version: versions.get('cluster') ?? '' })
	}

	say(saying: Parameters<Dialogue['say']>[0]): void {
		this.dialogue.say(saying)
		this.hear()
	}

	/** A cluster that is told names only what the snapshot has, once anything goes through the proxy. */
	hear(): void {
		const told = this.dialogue.told()
		const isUsed =
			this.routesAsked && (this.proxy.route.size > 0 || this.proxy.inbox.some(({ type }) => type === 'route'))
		for (const { type, resources } of told) {
			if (type !== 'cluster' || (this.isNew && !isUsed)) continue
			for (const [name, version] of Object.entries(resources)) {
				if (this.proxy.cluster.get(name) === version || this.isComing(name, version)) continue
				const { types } = this.snapshot
				const { endpoints, secrets } = referencesOf(version)
				const missing = [
					...endpoints.filter((endpoint) => !types[typeUrls.endpoint].resources.has(endpoint)),
					...secrets.filter((one) => !types[typeUrls.secret].resources.has(one)),
				]
				expect({ cluster: name, missing }).toEqual({ cluster: name, missing: [] })
			}
		}
		this.proxy.inbox.push(...told)
	}

	/** State of the world repeats what it has told. */
	isComing(name: string, version: string): boolean {
		return this.variant === 'stateOfTheWorld' && this.seen.has(`${name} ${version}`)
	}

	readonly seen = new Set<string>()

	step(): void {
		const dice = this.random()
		if (dice < 0.25) this.publish(randomSnapshot(this.random))
		else if (dice < 0.65) this.work()
		else if (dice < 0.9) this.accept()
		else if (dice < 0.95) this.reconnect()
		else {
			this.dialogue.clock.advance(limits.xdsSettleMs)
			this.hear()
		}
		this.check()
	}

	publish(snapshot: Snapshot): void {
		this.snapshot = snapshot
		this.noteClusters()
		this.dialogue.stream.serve(snapshot)
		this.hear()
	}

	/** Takes the oldest message. */
	work(): void {
		const told = this.proxy.inbox.shift()
		if (told === undefined) return
		this.proxy.nonces.set(told.type, told.nonce)
		const bad = Object.entries(told.resources).filter(([name, version]) => this.isBad(name, version))
		if (bad.length > 0) return this.refuse(told, new Set(bad.map(([name]) => name)))
		this.proxy.versions.set(told.type, told.version)
		if (told.type !== 'cluster') {
			this.take(told, () => true)
			this.answer(told)
			return
		}
		for (const name of this.removedBy(told)) this.proxy.cluster.delete(name)
		for (const [name, version] of Object.entries(told.resources)) this.seen.add(`${name} ${version}`)
		this.proxy.warming.push({ told, isOrphan: false, apply: () => this.put(told, () => true) })
		this.follow()
	}

	answer({ type, nonce, version }: Told): void {
		const isAsked = type === 'endpoint' || type === 'secret'
		const names = isAsked && this.variant === 'stateOfTheWorld' ? { names: [...this.asked[type]] } : {}
		this.say({ type, nonce, version, ...names })
	}

	/** One version in ten is refused, always. What it has already it has accepted. */
	isBad(name: string, version: string): boolean {
		const key = `${name} ${version}`
		const known = this.bad.get(key)
		if (known !== undefined) return known
		const isBad = this.random() < 0.1
		this.bad.set(key, isBad)
		return isBad
	}

	/** Of what is not bad, any part is applied all the same. */
	refuse(told: Told, bad: ReadonlySet<string>): void {
		this.take(told, (name) => !bad.has(name) && this.random() < 0.5)
		const named = this.random() < 0.5 ? [...bad] : []
		const refusal = `Error adding/updating: ${named.map((name) => `${name}: no`).join(', ')}`
		this.say({ type: told.type, nonce: told.nonce, version: this.proxy.versions.get(told.type) ?? '', refusal })
		this.follow()
	}

	accept(): void {
		const next = this.proxy.warming.shift()
		if (next === undefined) return
		next.apply()
		if (next.isOrphan) this.askForClusters()
		else this.say({ type: 'cluster', nonce: next.told.nonce, version: next.told.version })
		this.follow()
	}

	reconnect(): void {
		const memory = this.dialogue.stream.memory()
		this.dialogue.stream.close()
		this.proxy.inbox.length = 0
		// Some are warm by now; while others are not, this stream begins without a request for clusters.
		const isLate = this.variant === 'delta' && this.random() < 0.5
		for (const one of this.proxy.warming) one.isOrphan = true
		if (!isLate) for (const { apply } of this.proxy.warming.splice(0)) apply()
		const remembers = this.variant === 'stateOfTheWorld' || this.random() < 0.5
		this.dialogue = createDialogue(this.variant, { snapshot: this.snapshot, ...(remembers ? { memory } : {}) })
		this.greet()
	}

	/** Everything that clusters name which it has, or warms. */
	needed(type: 'endpoint' | 'secret'): Set<string> {
		const versions = [
			...this.proxy.cluster.values(),
			...this.proxy.warming.flatMap(({ told }) => Object.values(told.resources)),
		]
		return new Set(versions.flatMap((version) => referencesOf(version)[type === 'endpoint' ? 'endpoints' : 'secrets']))
	}

	/** Asks for what it needs now, and lets go of what it needs no more. */
	follow(): void {
		for (const type of ['endpoint', 'secret'] as const) {
			const names = this.needed(type)
			const isSame = names.size === this.asked[type].size && [...names].every((name) => this.asked[type].has(name))
			if (!isSame) this.askFor(type, names)
		}
	}

	askFor(type: 'endpoint' | 'secret', names: ReadonlySet<string>): void {
		const before = new Set(this.asked[type])
		this.asked[type].clear()
		for (const name of names) this.asked[type].add(name)
		for (const name of before) if (!names.has(name)) this.proxy[type].delete(name)
		const version = this.proxy.versions.get(type) ?? ''
		const nonce = this.proxy.nonces.get(type) ?? ''
		if (this.variant === 'stateOfTheWorld') return this.say({ type, names: [...names], version, nonce })
		const isFirst = !this.proxy.nonces.has(type) && before.size === 0
		this.say({
			type,
			names: [...names].filter((name) => !before.has(name)),
			remove: [...before].filter((name) => !names.has(name)),
			...(isFirst ? { has: Object.fromEntries(this.proxy[type]) } : {}),
		})
	}

	removedBy(told: Told): string[] {
		if (this.variant === 'delta') return [...told.removed]
		return told.type === 'cluster' ? [...this.proxy.cluster.keys()].filter((name) => !(name in told.resources)) : []
	}

	take(told: Told, isApplied: (name: string) => boolean): void {
		for (const name of this.removedBy(told)) {
			if ((told.type === 'endpoint' || told.type === 'secret') && !this.hadNoClusters) {
				expect({ removed: name, stillNamed: this.needed(told.type).has(name) }).toEqual({
					removed: name,
					stillNamed: false,
				})
			}
			if (isApplied(name)) this.proxy[told.type as ModelType].delete(name)
		}
		this.put(told, isApplied)
	}

	/** What it has asked for no longer it drops. */
	put({ type, resources }: Told, isApplied: (name: string) => boolean): void {
		for (const [name, version] of Object.entries(resources)) {
			const isWanted = (type !== 'endpoint' && type !== 'secret') || this.asked[type].has(name)
			if (isWanted && isApplied(name)) this.proxy[type as ModelType].set(name, version)
		}
	}

	/** No route that the proxy has may name a cluster that it has not. */
	check(): void {
		for (const [name, version] of this.proxy.route) {
			const missing = referencesOf(version).clusters.filter((cluster) => !this.proxy.cluster.has(cluster))
			expect({ route: name, missing }).toEqual({ route: name, missing: [] })
		}
	}

	finish(): void {
		this.dialogue.clock.advance(limits.xdsSettleMs)
		this.hear()
		for (let round = 0; this.proxy.inbox.length + this.proxy.warming.length > 0; round += 1) {
			if (round > 500) throw new Error('the stream never comes to rest')
			if (this.proxy.inbox.length > 0) this.work()
			else this.accept()
			this.check()
		}
	}
}

function referencesOf(version: string): References {
	return contents.get(version) ?? { clusters: [], routes: [], endpoints: [], secrets: [] }
}

describe('whatever is published, refused, delayed and reconnected', () => {
	test.for(variants)('%s: nothing ever names what is not there, and all comes to rest', (variant) => {
		fc.assert(
			fc.property(fc.integer(), (from) => {
				const random = seededRandom(from)
				const run = new ModelRun(variant, random)
				for (let step = 0; step < 80; step += 1) run.step()
				run.finish()
				const wanted = [
					naming(edsCluster('a', { timeoutMs: 9000 }), { endpoints: ['a'], secrets: ['s'] }),
					route('r', { a: 9 }),
					route('s', { a: 8 }),
					endpoints('a', { ...at, port: 9000 }),
					secret('s', 'last'),
				].map(known)
				for (const { name, version } of wanted) run.bad.set(`${name} ${version}`, false)
				run.publish(snapshotOf(...wanted))
				run.finish()
				const held = modelTypes.map((type) => Object.fromEntries(run.proxy[type]))
				const [a, r, s, found, cert] = wanted.map(({ version }) => version)
				expect(held).toEqual([{ a }, { r, s }, { a: found }, { s: cert }])
				expect(run.dialogue.stream.rejections()).toEqual([])
			}),
			{ numRuns: count(150, 5000), seed: seed(), examples: [[391121811], [-594038912]] },
		)
	})
})
