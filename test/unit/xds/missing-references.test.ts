import { describe, expect, test } from 'vitest'
import { typeUrls } from '#compile/compiled.ts'
import { keepEqualTypes } from '#xds/equal-types.ts'
import { findWaiting } from '#xds/missing-references.ts'
import { edsCluster, endpoints, listener, naming, route, secret, snapshotOf } from '../../fixtures/resources.ts'

const at = { host: '127.0.0.1', port: 1 }
const found = endpoints('a', at)
const own = secret('own', 'key')
const encrypted = naming(edsCluster('a'), { endpoints: ['a'], secrets: ['own'] })
const gate = naming(listener('gate', at, 'routes'), { secrets: ['own'] })
const routes = route('routes', { a: 1 })

const clusterWaits = (...missing: object[]) => ({ typeUrl: typeUrls.cluster, name: 'a', missing })
const missingEndpoints = { typeUrl: typeUrls.endpoint, name: 'a' }
const missingSecret = { typeUrl: typeUrls.secret, name: 'own' }
const gateWaits = { typeUrl: typeUrls.listener, name: 'gate', missing: [missingSecret] }

describe('what cannot be sent yet', () => {
	test('nothing where all is there', () => {
		expect(findWaiting(snapshotOf(encrypted, gate, routes, found, own))).toEqual([])
	})

	test('it is told of each what it waits for', () => {
		const waiting = [clusterWaits(missingEndpoints, missingSecret), gateWaits]
		expect(findWaiting(snapshotOf(encrypted, gate, routes))).toEqual(waiting)
	})

	// Each step changes one type, and the others stay the same objects.
	test.for([
		['endpoints come', [encrypted, routes, own], [encrypted, routes, own, found], []],
		['endpoints go', [encrypted, routes, own, found], [encrypted, routes, own], [clusterWaits(missingEndpoints)]],
		['a secret comes', [encrypted, routes, found], [encrypted, routes, found, own], []],
		['a secret goes', [encrypted, routes, found, own], [encrypted, routes, found], [clusterWaits(missingSecret)]],
		['a listener comes', [edsCluster('a'), routes, found], [edsCluster('a'), routes, found, gate], [gateWaits]],
		['a cluster goes', [encrypted, routes, found], [routes, found], []],
	] as const)('%s', ([, before, after, waiting]) => {
		const first = snapshotOf(...before)
		findWaiting(first)
		expect(findWaiting(keepEqualTypes(first, snapshotOf(...after)))).toEqual(waiting)
	})

	test('where only routes are others it is the same list', () => {
		const first = snapshotOf(encrypted, routes)
		const other = route('routes', { a: 2 })
		expect(findWaiting(keepEqualTypes(first, snapshotOf(encrypted, other)))).toBe(findWaiting(first))
	})
})
