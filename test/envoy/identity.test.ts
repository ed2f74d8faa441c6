// What a proxy is given is its own: of another's resources it gets none, by whatever name it asks.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectXds, type XdsConnection } from '../fixtures/xds-client.ts'
import type { NodeInit } from '../fixtures/xds-dialogue.ts'
import { readHeldConfig } from './fixtures/held-config.ts'
import { openStage, type Stage } from './fixtures/stage.ts'

let stage: Stage
let connection: XdsConnection

beforeAll(async () => {
	stage = await openStage({
		block: 43,
		services: ['shop'],
		proxies: { 'front-1': 'front', 'shop1-1': 'shop1' },
		stepsPercent: [50],
	})
	connection = connectXds(stage.daemon.xds.port)
}, 300_000)

afterAll(async () => {
	connection?.close()
	await stage?.[Symbol.asyncDispose]()
})

function nodeOf(name: string): NodeInit {
	return { id: `mesh/apps/virtualNode/${name}`, metadata: { sluice: { instance: `${name}-raw` } } }
}

test('a caller holds a way out and a way in, whom it calls a way in alone', async () => {
	expect(await namesHeld('front-1')).toEqual({
		clusters: [`cds_egress_apps_shop1_http2_${stage.port}`, `cds_ingress_apps_front_http2_${stage.port}`],
		listeners: ['lds_egress_0.0.0.0_15001', `lds_ingress_0.0.0.0_${stage.port}`],
		routes: ['rds_egress_http_15001', `rds_ingress_http_${stage.port}`],
	})
	expect(await namesHeld('shop1-1')).toEqual({
		clusters: [`cds_ingress_apps_shop1_http2_${stage.port}`],
		listeners: [`lds_ingress_0.0.0.0_${stage.port}`],
		routes: [`rds_ingress_http_${stage.port}`],
	})
})

test('whoever has named itself is denied another name on its connection, and keeps its own', async () => {
	const own = connection.open('delta', nodeOf('shop1'))
	own.say({ type: 'cluster' })
	const [clusters] = await own.accept()
	expect(Object.keys(clusters?.resources ?? {})).toEqual([`cds_ingress_apps_shop1_http2_${stage.port}`])
	const other = connection.open('delta', nodeOf('front'))
	other.say({ type: 'route', names: ['rds_egress_http_15001'] })
	expect(await other.ended).toMatch(/^PERMISSION_DENIED: .*shop1#shop1-raw/)
	own.say({ type: 'listener' })
	const [listeners] = await own.accept()
	expect(Object.keys(listeners?.resources ?? {})).toEqual([`lds_ingress_0.0.0.0_${stage.port}`])
	own.halfClose()
	expect(await own.ended).toMatch(/^OK: /)
})

test("a proxy that asks for another's resources by their names is given none", async () => {
	const raw = connectXds(stage.daemon.xds.port)
	const own = raw.open('delta', nodeOf('shop1'))
	own.say({ type: 'route', names: ['rds_egress_http_15001'] })
	const [answer] = await own.accept()
	expect(answer).toMatchObject({ resources: {}, removed: ['rds_egress_http_15001'] })
	raw.close()
})

test.for([
	['a node that the mesh does not have', nodeOf('nobody'), /^NOT_FOUND: .*nobody.* not in the mesh/],
	['a node of another mesh', { id: 'mesh/other/virtualNode/front' }, /^NOT_FOUND: .*other.* not in the mesh/],
	['a name that is none of the mesh', { id: 'front' }, /^INVALID_ARGUMENT: node\.id must be /],
] as const)('%s is told so', async ([, node, status]) => {
	const raw = connectXds(stage.daemon.xds.port)
	const unknown = raw.open('delta', node)
	unknown.say({ type: 'cluster' })
	expect(await unknown.ended).toMatch(status)
	raw.close()
})

/** What an Envoy holds, by name. */
async function namesHeld(instance: string) {
	const { clusters, listeners, routes } = await readHeldConfig(stage.envoy(instance))
	return {
		clusters: names(clusters.map((entry) => (entry as { cluster: unknown }).cluster)),
		listeners: names(listeners),
		routes: names(routes.map((entry) => (entry as { route_config: unknown }).route_config)),
	}
}

function names(resources: readonly unknown[]): string[] {
	return resources.map((resource) => (resource as { name: string }).name).toSorted()
}
