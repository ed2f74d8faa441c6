import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { type Random, seededRandom } from '#base/random.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { count, seed } from '../../depth.ts'
import { listener, route, snapshotOf, staticCluster } from '../../fixtures/resources.ts'
import { createDialogue, type Dialogue, type Told, type TypeName, type Variant } from '../../fixtures/xds-dialogue.ts'

const at = { host: '127.0.0.1', port: 8080 }
const clusterNames = ['a', 'b', 'c', 'd']
const routeNames = ['r', 's']
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

/**
 * A proxy as Envoy is: it works off what it is told in order; a cluster of a push is there when the push is accepted,
 * which may take long; one that is removed is gone at once. It refuses at random, and may then have applied any part.
 */
type ModelProxy = {
	/** Routes by name, and the clusters that each names; clusters by version. */
	readonly routes: Map<string, string>
	readonly clusters: Map<string, string>
	readonly inbox: Told[]
	/** Accepted, and not said so yet. */
	readonly warming: { told: Told; apply: () => void }[]
	readonly versions: Map<TypeName, string>
}

const contents = new Map<string, readonly string[]>()

function randomSnapshot(random: Random): Snapshot {
	const present = clusterNames.filter(() => random() < 0.6)
	const clusters = present.map((name) => staticCluster(name, at, 1000 + Math.floor(random() * 2)))
	const routes = routeNames.map((name) => {
		const targets = present.filter(() => random() < 0.5)
		const made = route(name, Object.fromEntries(targets.map((target) => [target, 1 + Math.floor(random() * 3)])))
		contents.set(made.version, targets)
		return made
	})
	return snapshotOf(...clusters, ...routes)
}

class ModelRun {
	readonly proxy: ModelProxy = { routes: new Map(), clusters: new Map(), inbox: [], warming: [], versions: new Map() }
	dialogue: Dialogue
	snapshot: Snapshot
	readonly variant: Variant
	readonly random: Random
	readonly bad = new Map<string, boolean>()

	constructor(variant: Variant, random: Random) {
		this.variant = variant
		this.random = random
		this.snapshot = randomSnapshot(random)
		this.dialogue = createDialogue(variant, { snapshot: this.snapshot })
		this.greet()
	}

	greet(): void {
		const { clusters, routes, versions } = this.proxy
		this.say({ type: 'cluster', has: Object.fromEntries(clusters), version: versions.get('cluster') ?? '' })
		const version = versions.get('route') ?? ''
		this.say({ type: 'route', names: routeNames, has: Object.fromEntries(routes), version })
	}

	say(saying: Parameters<Dialogue['say']>[0]): void {
		this.dialogue.say(saying)
		this.proxy.inbox.push(...this.dialogue.told())
	}

	step(): void {
		const dice = this.random()
		if (dice < 0.25) this.publish(randomSnapshot(this.random))
		else if (dice < 0.6) this.work()
		else if (dice < 0.9) this.accept()
		else if (dice < 0.95) this.reconnect()
		else {
			this.dialogue.clock.advance(limits.xdsSettleMs)
			this.proxy.inbox.push(...this.dialogue.told())
		}
		this.check()
	}

	publish(snapshot: Snapshot): void {
		this.snapshot = snapshot
		this.dialogue.stream.serve(snapshot)
		this.proxy.inbox.push(...this.dialogue.told())
	}

	/** Takes the oldest message. */
	work(): void {
		const told = this.proxy.inbox.shift()
		if (told === undefined) return
		const bad = Object.entries(told.resources).filter(([name, version]) => this.isBad(name, version))
		if (bad.length > 0) return this.refuse(told, new Set(bad.map(([name]) => name)))
		if (told.type === 'cluster') {
			for (const name of this.removedBy(told)) this.proxy.clusters.delete(name)
			this.proxy.versions.set('cluster', told.version)
			this.proxy.warming.push({ told, apply: () => this.applyClusters(told, () => true) })
			return
		}
		this.applyRoutes(told, () => true)
		this.proxy.versions.set('route', told.version)
		this.say({ type: 'route', nonce: told.nonce, version: told.version })
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
		const isApplied = (name: string) => !bad.has(name) && this.random() < 0.5
		if (told.type === 'cluster') {
			for (const name of this.removedBy(told)) if (isApplied(name)) this.proxy.clusters.delete(name)
			this.applyClusters(told, isApplied)
		} else this.applyRoutes(told, isApplied)
		const named = this.random() < 0.5 ? [...bad] : []
		const refusal = `Error adding/updating: ${named.map((name) => `${name}: no`).join(', ')}`
		this.say({ type: told.type, nonce: told.nonce, version: this.proxy.versions.get(told.type) ?? '', refusal })
	}

	accept(): void {
		const next = this.proxy.warming.shift()
		if (next === undefined) return
		next.apply()
		this.say({ type: 'cluster', nonce: next.told.nonce, version: next.told.version })
	}

	reconnect(): void {
		const memory = this.dialogue.stream.memory()
		this.dialogue.stream.close()
		this.proxy.inbox.length = 0
		// Envoy asks for clusters again only when those that it has are warm.
		for (const { apply } of this.proxy.warming.splice(0)) apply()
		const remembers = this.variant === 'stateOfTheWorld' || this.random() < 0.5
		this.dialogue = createDialogue(this.variant, { snapshot: this.snapshot, ...(remembers ? { memory } : {}) })
		this.greet()
	}

	removedBy(told: Told): string[] {
		if (this.variant === 'delta') return [...told.removed]
		return [...this.proxy.clusters.keys()].filter((name) => !(name in told.resources))
	}

	applyClusters({ resources }: Told, isApplied: (name: string) => boolean): void {
		for (const [name, version] of Object.entries(resources)) if (isApplied(name)) this.proxy.clusters.set(name, version)
	}

	applyRoutes({ resources, removed }: Told, isApplied: (name: string) => boolean): void {
		for (const [name, version] of Object.entries(resources)) if (isApplied(name)) this.proxy.routes.set(name, version)
		for (const name of removed) if (isApplied(name)) this.proxy.routes.delete(name)
	}

	/** No route that the proxy has may name a cluster that it has not. */
	check(): void {
		for (const [name, version] of this.proxy.routes) {
			const missing = (contents.get(version) ?? []).filter((cluster) => !this.proxy.clusters.has(cluster))
			expect({ route: name, missing }).toEqual({ route: name, missing: [] })
		}
	}

	finish(): void {
		this.dialogue.clock.advance(limits.xdsSettleMs)
		this.proxy.inbox.push(...this.dialogue.told())
		for (let round = 0; this.proxy.inbox.length + this.proxy.warming.length > 0; round += 1) {
			if (round > 500) throw new Error('the stream never comes to rest')
			if (this.proxy.inbox.length > 0) this.work()
			else this.accept()
			this.check()
		}
	}
}

describe('whatever is published, refused, delayed and reconnected', () => {
	test.for(variants)('%s: no route ever names a cluster that is not there, and all comes to rest', (variant) => {
		fc.assert(
			fc.property(fc.integer(), (from) => {
				const random = seededRandom(from)
				const run = new ModelRun(variant, random)
				for (let step = 0; step < 60; step += 1) run.step()
				run.finish()
				const wanted = [staticCluster('a', at, 9000), route('r', { a: 9 }), route('s', { a: 8 })]
				for (const { name, version } of wanted) {
					contents.set(version, ['a'])
					run.bad.set(`${name} ${version}`, false)
				}
				run.publish(snapshotOf(...wanted))
				run.finish()
				const { clusters, routes } = run.proxy
				expect(Object.fromEntries([...clusters, ...routes])).toEqual(
					Object.fromEntries(wanted.map(({ name, version }) => [name, version])),
				)
				expect(run.dialogue.stream.rejections()).toEqual([])
			}),
			{ numRuns: count(150, 5000), seed: seed() },
		)
	})
})
