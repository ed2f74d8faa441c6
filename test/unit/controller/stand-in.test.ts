import { expect, test } from 'vitest'
import { silentLog } from '#base/log.ts'
import { proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import type { FleetPort } from '#controller/ports.ts'
import { createPublisher } from '#controller/publish.ts'
import { cloudMapKey, type Discovered } from '#discovery/discovered.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { webQuery } from '../../fakes/scripted-directory.ts'
import { fixtureGroup } from '../../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective } from '../../fixtures/mesh-fixture.ts'
import { clusterSharesOfBytes } from '../../simulation/shares.ts'

// A calls b.local, whose route is B, and c.local, whose route is C: both are in one route configuration.

const group = fixtureGroup('A')
const key = proxyGroupKey(group)
const [toB, toB2, toC, toX] = ['B', 'B2', 'C', 'X'].map((name) => `cds_egress_apps_${name}_http2_80`)

function meshOf(b: Record<string, number>, c: Record<string, number>, ...more: BriefResource[]): EffectiveMesh {
	const briefs: BriefResource[] = [
		...more,
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'A', backends: ['b.local', 'c.local'] },
		{ kind: 'VirtualNode', name: 'B' },
		{ kind: 'VirtualNode', name: 'B2' },
		{ kind: 'VirtualNode', name: 'C' },
		{ kind: 'VirtualNode', name: 'X', discovery: webQuery },
		{ kind: 'VirtualRouter', name: 'B' },
		{ kind: 'VirtualRouter', name: 'C' },
		{ kind: 'VirtualService', name: 'b.local', router: 'B' },
		{ kind: 'VirtualService', name: 'c.local', router: 'C' },
		{ kind: 'Route', router: 'B', name: 'B', targets: { B: 1 } },
		{ kind: 'Route', router: 'C', name: 'C', targets: { C: 1 } },
	]
	const splits = { 'mesh/apps/virtualRouter/B/route/B': b, 'mesh/apps/virtualRouter/C/route/C': c }
	return fixtureEffective(briefs, { splits })
}

function publishing(whole: EffectiveMesh | null = null) {
	const published: Snapshot[] = []
	const fleet = { publish: (_: string, snapshot: Snapshot) => published.push(snapshot), refuse() {} }
	let discovered: Discovered = { endpoints: new Map(), secrets: new Map() }
	const publisher = createPublisher({
		fleet: fleet as unknown as FleetPort,
		log: silentLog,
		discovered: () => discovered,
	})
	if (whole !== null) publisher.remember(whole)
	publisher.greet(group, key)
	return {
		publisher,
		/** Something that no proxy is told of. */
		findOther() {
			discovered = { ...discovered, endpoints: new Map([...discovered.endpoints, ['other', []]]) }
		},
		published,
		find() {
			const endpoints = [{ ipv4: '10.0.0.1', ipv6: null, zone: '' }]
			discovered = { ...discovered, endpoints: new Map([[cloudMapKey(webQuery), endpoints]]) }
		},
		shares() {
			const routes = published.at(-1)?.types[typeUrls.route].resources.get('rds_egress_http_15001')
			return Object.fromEntries(clusterSharesOfBytes(routes) ?? [])
		},
		clusters: () => [...(published.at(-1)?.types[typeUrls.cluster].resources.keys() ?? [])],
	}
}

test('a target that nobody has found holds up no way back of another route in the same configuration', () => {
	const { publisher, shares, clusters, find } = publishing()
	publisher.publish(meshOf({ B: 500_000, B2: 500_000 }, { C: 1_000_000 }))
	const before = shares()
	publisher.publish(meshOf({ B: 500_000, B2: 500_000 }, { C: 500_000, X: 500_000 }))
	expect(shares()).toEqual(before)
	expect(clusters()).toContain(toX)
	expect(publisher.waitsOf(key)).toEqual([`the cluster ${toX} waits for the endpoints ${toX}`])
	publisher.publish(meshOf({ B: 1_000_000, B2: 0 }, { C: 500_000, X: 500_000 }))
	expect(shares()).toMatchObject({ [toB ?? '']: 1_000_000, [toB2 ?? '']: 0, [toC ?? '']: 1_000_000 })
	find()
	publisher.publish(meshOf({ B: 1_000_000, B2: 0 }, { C: 500_000, X: 500_000 }))
	expect(shares()).toMatchObject({ [toB ?? '']: 1_000_000, [toC ?? '']: 500_000, [toX ?? '']: 500_000 })
	expect(publisher.waitsOf(key)).toEqual([])
})

test('a target that is newer than what waits gets its shares, and they are taken back', () => {
	const { publisher, shares } = publishing()
	const b3: BriefResource = { kind: 'VirtualNode', name: 'B3' }
	publisher.publish(meshOf({ B: 1_000_000 }, { C: 1_000_000 }))
	publisher.publish(meshOf({ B: 1_000_000 }, { C: 500_000, X: 500_000 }))
	publisher.publish(meshOf({ B: 900_000, B3: 100_000 }, { C: 500_000, X: 500_000 }, b3))
	const toB3 = 'cds_egress_apps_B3_http2_80'
	expect(shares()).toMatchObject({ [toB ?? '']: 900_000, [toB3]: 100_000, [toC ?? '']: 1_000_000 })
	publisher.publish(meshOf({ B: 1_000_000, B3: 0 }, { C: 500_000, X: 500_000 }, b3))
	expect(shares()).toMatchObject({ [toB ?? '']: 1_000_000, [toB3]: 0 })
	expect(publisher.standingOf(key)).toBe('current')
})

test('a target without a share holds up no way back of its own route', () => {
	const { publisher, shares } = publishing()
	publisher.publish(meshOf({ B: 500_000, B2: 500_000 }, { C: 1_000_000 }))
	publisher.publish(meshOf({ B: 1_000_000, B2: 0, X: 0 }, { C: 1_000_000 }))
	expect(shares()).toMatchObject({ [toB ?? '']: 1_000_000, [toB2 ?? '']: 0 })
})

test('with nothing to stand in it is served as it is: a proxy that has just started gets all the rest', () => {
	const { publisher, shares } = publishing()
	publisher.publish(meshOf({ B: 1_000_000 }, { C: 500_000, X: 500_000 }))
	expect(shares()).toMatchObject({ [toX ?? '']: 500_000 })
})

test('after a restart, what was served whole before it stands in: a way back is held up no more than before', () => {
	const { publisher, shares } = publishing(meshOf({ B: 500_000, B2: 500_000 }, { C: 1_000_000 }))
	publisher.publish(meshOf({ B: 500_000, B2: 500_000 }, { C: 500_000, X: 500_000 }))
	expect(shares()).toMatchObject({ [toB2 ?? '']: 500_000, [toC ?? '']: 1_000_000 })
	expect(publisher.isWhole()).toBe(false)
	publisher.publish(meshOf({ B: 1_000_000, B2: 0 }, { C: 500_000, X: 500_000 }))
	expect(shares()).toMatchObject({ [toB ?? '']: 1_000_000, [toB2 ?? '']: 0, [toC ?? '']: 1_000_000 })
})

test('a group that comes later has what was last whole to stand in', () => {
	const { publisher, published, shares, find } = publishing()
	publisher.publish(meshOf({ B: 1_000_000 }, { C: 1_000_000 }))
	expect(publisher.isWhole()).toBe(true)
	publisher.publish(meshOf({ B: 1_000_000 }, { C: 500_000, X: 500_000 }))
	const other = { ...group, envoyMinor: '1.39' }
	publisher.greet(other, proxyGroupKey(other))
	expect(shares()).toMatchObject({ [toC ?? '']: 1_000_000 })
	expect([published.length, publisher.isWhole()]).toEqual([3, false])
	find()
	publisher.publish(meshOf({ B: 1_000_000 }, { C: 500_000, X: 500_000 }))
	expect([shares()[toX ?? ''], publisher.isWhole()]).toEqual([500_000, true])
})

test('what is found is published without anything else having changed', () => {
	const { publisher, find } = publishing()
	const inForce = meshOf({ B: 1_000_000 }, { C: 500_000, X: 500_000 })
	publisher.publish(inForce)
	expect(publisher.publish(inForce)).toBe(0)
	find()
	expect(publisher.publish(inForce)).toBe(1)
})

test('what is found for others is nothing to a group: it is served the same object', () => {
	const { publisher, find, findOther, published } = publishing()
	const inForce = meshOf({ B: 1_000_000 }, { C: 500_000, X: 500_000 })
	publisher.publish(inForce)
	find()
	publisher.publish(inForce)
	findOther()
	expect([publisher.publish(inForce), published.length]).toEqual([0, 2])
	expect(publisher.publish(meshOf({ B: 500_000, B2: 500_000 }, { C: 500_000, X: 500_000 }))).toBe(1)
})

test('endpoints and secrets that a proxy reports prove nothing about what was decided', () => {
	const { publisher } = publishing()
	publisher.publish(meshOf({ B: 1_000_000 }, { C: 1_000_000 }))
	const reported = (typeUrl: (typeof typeUrls)[keyof typeof typeUrls]) =>
		publisher.wouldServe(group, { typeUrl, name: 'whatever', version: 'unheard of' })
	expect([reported(typeUrls.endpoint), reported(typeUrls.secret), reported(typeUrls.cluster)]).toEqual([
		true,
		true,
		false,
	])
})
