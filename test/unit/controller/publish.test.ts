import { describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import type { FleetPort } from '#controller/ports.ts'
import { createPublisher } from '#controller/publish.ts'
import { nothingDiscovered } from '#discovery/discovered.ts'
import type { EffectiveMesh } from '#rollout/effective-mesh.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { fixtureGroup } from '../../fixtures/compile-fixture.ts'
import { type BriefResource, fixtureEffective } from '../../fixtures/mesh-fixture.ts'
import { clusterSharesOfBytes } from '../../simulation/shares.ts'

const group = fixtureGroup('A')
const key = proxyGroupKey(group)

/** Which part of the route's traffic each target has, and how Bv2 and the unrelated C are found. */
function effectiveOf(
	shares: Record<string, number>,
	dns: { Bv2?: null | Record<string, never>; C?: null | Record<string, never> } = {},
): EffectiveMesh {
	const briefs: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'A', backends: ['b.local', 'c.local'] },
		{ kind: 'VirtualNode', name: 'B' },
		{ kind: 'VirtualNode', name: 'Bv2', dns: dns.Bv2 ?? (dns.Bv2 === null ? null : {}) },
		{ kind: 'VirtualNode', name: 'C', dns: dns.C ?? (dns.C === null ? null : {}) },
		{ kind: 'VirtualRouter', name: 'B' },
		{ kind: 'VirtualService', name: 'b.local', router: 'B' },
		{ kind: 'VirtualService', name: 'c.local', node: 'C' },
		{ kind: 'Route', router: 'B', name: 'B', targets: { B: 1 } },
	]
	return fixtureEffective(briefs, { splits: { 'mesh/apps/virtualRouter/B/route/B': shares } })
}

function publishing() {
	const published: Snapshot[] = []
	const there = { connected: 1, expected: 1 }
	const fleet = {
		publish: (_: string, snapshot: Snapshot) => published.push(snapshot),
		refuse() {},
		fleet: () => new Map([[key, there]]),
	}
	const publisher = createPublisher({
		fleet: fleet as unknown as FleetPort,
		log: silentLog,
		discovered: () => nothingDiscovered,
	})
	publisher.greet(group, key)
	return {
		publisher,
		published,
		there,
		sharesOfB: () => {
			const routes = published.at(-1)?.types[typeUrls.route].resources.get('rds_egress_http_15001')
			return clusterSharesOfBytes(routes)?.get('cds_egress_apps_B_http2_80')
		},
	}
}

describe('what is in force does not fit together for a group', () => {
	test('a way back reaches it all the same, upon what it was served last', () => {
		const { publisher, sharesOfB } = publishing()
		publisher.publish(effectiveOf({ B: 500_000, Bv2: 500_000 }))
		publisher.publish(effectiveOf({ B: 500_000, Bv2: 500_000 }, { C: null }))
		expect([sharesOfB(), publisher.standingOf(key)]).toEqual([500_000, 'older'])
		publisher.publish(effectiveOf({ B: 1_000_000, Bv2: 0 }, { C: null }))
		expect([sharesOfB(), publisher.standingOf(key)]).toEqual([1_000_000, 'older'])
		publisher.publish(effectiveOf({ B: 1_000_000, Bv2: 0 }))
		expect(publisher.standingOf(key)).toBe('current')
	})

	test('holds others up only while somebody of it is there, or is to come back', () => {
		const { publisher, there } = publishing()
		publisher.publish(effectiveOf({ B: 500_000, Bv2: 500_000 }))
		expect(publisher.behind()).toBe(null)
		publisher.publish(effectiveOf({ B: 500_000, Bv2: 500_000 }, { C: null }))
		expect(publisher.behind()).toMatch(/does not fit together/)
		there.connected = 0
		expect(publisher.behind()).toMatch(/does not fit together/)
		there.expected = 0
		expect(publisher.behind()).toBe(null)
	})

	test('shares that it cannot be given count as not served', () => {
		const { publisher, published, sharesOfB } = publishing()
		publisher.publish(effectiveOf({ B: 1_000_000 }, { Bv2: null }))
		publisher.publish(effectiveOf({ B: 500_000, Bv2: 500_000 }, { Bv2: null }))
		expect([published.length, sharesOfB(), publisher.standingOf(key)]).toEqual([1, 1_000_000, 'stuck'])
	})

	test('nothing was ever served: nothing is', () => {
		const { publisher, published } = publishing()
		publisher.publish(effectiveOf({ Bv2: 1_000_000 }, { Bv2: null }))
		expect([published.length, publisher.standingOf(key)]).toEqual([0, 'stuck'])
	})
})

test('identities that nobody knows do not add up', () => {
	const refused: string[] = []
	const fleet = { publish() {}, refuse: (groupKey: string) => refused.push(groupKey), forget: () => true }
	const publisher = createPublisher({
		fleet: fleet as unknown as FleetPort,
		log: silentLog,
		discovered: () => nothingDiscovered,
	})
	publisher.publish(effectiveOf({ B: 1_000_000 }))
	publisher.greet(group, key)
	for (let index = 0; index <= limits.xdsGroupsRefused; index += 1) {
		const stranger = fixtureGroup(`stranger-${index}`)
		publisher.greet(stranger, proxyGroupKey(stranger))
	}
	refused.length = 0
	publisher.publish(effectiveOf({ B: 1_000_000 }))
	expect([refused.length, refused[0]]).toEqual([limits.xdsGroupsRefused, proxyGroupKey(fixtureGroup('stranger-1'))])
	expect(publisher.snapshotOf(key)).not.toBeNull()
})

describe('a group in which nobody is any more', () => {
	/** A fleet in which the groups of `deserted` are. */
	function leaving(deserted: Set<string>) {
		const published: string[] = []
		const fleet = {
			publish: (groupKey: string) => published.push(groupKey),
			refuse() {},
			forget: (groupKey: string) => deserted.has(groupKey),
		}
		const publisher = createPublisher({
			fleet: fleet as unknown as FleetPort,
			log: silentLog,
			discovered: () => nothingDiscovered,
		})
		publisher.greet(group, key)
		return { publisher, published: () => published.splice(0) }
	}

	const half = effectiveOf({ B: 500_000, Bv2: 500_000 })
	const all = effectiveOf({ B: 1_000_000, Bv2: 0 })

	test('is not published any more, and compiled anew when somebody comes', () => {
		const deserted = new Set<string>()
		const { publisher, published } = leaving(deserted)
		publisher.publish(half)
		publisher.forgetDeserted()
		expect(publisher.snapshotOf(key)).not.toBe(null)
		deserted.add(key)
		publisher.forgetDeserted()
		expect([publisher.snapshotOf(key), published()]).toEqual([null, [key]])
		publisher.publish(all)
		expect(published()).toEqual([])
		publisher.greet(group, key)
		expect(published()).toEqual([key])
		expect(publisher.isWhole()).toBe(true)
	})

	test('is kept while something stands in for what waits, and when that is over it goes', () => {
		const { publisher, published } = leaving(new Set([key]))
		publisher.publish(half)
		publisher.publish(effectiveOf({ B: 500_000, Bv2: 500_000 }, { C: null }))
		publisher.forgetDeserted()
		expect([publisher.standingOf(key), publisher.isWhole()]).toEqual(['older', false])
		published()
		publisher.publish(effectiveOf({ B: 1_000_000, Bv2: 0 }, { C: null }))
		expect(published()).toEqual([key])
		publisher.publish(all)
		publisher.forgetDeserted()
		expect(publisher.snapshotOf(key)).toBe(null)
	})

	test('is let go of after a wave, when its candidates are in it no more', () => {
		const candidates = { ...group, cohort: 'candidate' } as const
		const candidateKey = proxyGroupKey(candidates)
		const deserted = new Set<string>()
		const asked: string[] = []
		const { publisher } = leaving({
			has: (groupKey: string) => asked.push(groupKey) > 0 && deserted.has(groupKey),
		} as unknown as Set<string>)
		publisher.publish(half, all)
		publisher.greet(candidates, candidateKey)
		publisher.publish(all)
		const asksFor = () => {
			asked.length = 0
			publisher.forgetDeserted()
			return asked
		}
		expect(asksFor()).toEqual([key, candidateKey])
		deserted.add(candidateKey)
		expect(asksFor()).toEqual([key, candidateKey])
		expect(asksFor()).toEqual([key])
	})
})
