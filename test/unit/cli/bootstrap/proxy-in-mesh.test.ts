import { expect, test } from 'vitest'
import type { Mesh } from '#mesh/mesh.ts'
import type { StatsSettings } from '#mesh/proxy-spec.ts'
import { findProxyInMesh } from '../../../../src/cli/bootstrap/proxy-in-mesh.ts'
import { type BriefResource, fixtureEffective } from '../../../fixtures/mesh-fixture.ts'

const statsd = { address: '127.0.0.1', port: 8125, prefix: null, format: 'statsd' } as const
const ofMesh: StatsSettings = { statsd, prometheus: null }
const ofProxy: StatsSettings = { statsd: null, prometheus: { address: '0.0.0.0', port: 9102 } }

const resources: BriefResource[] = [
	{ kind: 'Mesh', spec: { stats: ofMesh } },
	{ kind: 'VirtualNode', name: 'plain', listeners: [{ port: 80 }, { port: 8080 }] },
	{ kind: 'VirtualNode', name: 'own', listeners: [], settings: { stats: ofProxy } },
	{ kind: 'VirtualGateway', name: 'edge', listeners: [{ port: 443 }], spec: { stats: ofProxy } },
]
const mesh: Mesh = { hash: '', resources: fixtureEffective(resources).resources }
const find = (kind: 'virtualNode' | 'virtualGateway', name: string) =>
	findProxyInMesh(mesh, { mesh: 'apps', kind, name })

test("its own settings, or else its mesh's", () => {
	expect(find('virtualNode', 'plain')).toEqual({ ok: true, value: { stats: ofMesh, listenerPorts: [80, 8080] } })
	expect(find('virtualNode', 'own')).toEqual({ ok: true, value: { stats: ofProxy, listenerPorts: [] } })
	expect(find('virtualGateway', 'edge')).toEqual({ ok: true, value: { stats: ofProxy, listenerPorts: [443] } })
})

test('one that is not there: which was meant', () => {
	expect(find('virtualGateway', 'plian')).toEqual({
		ok: false,
		error: 'the mesh has no mesh/apps/virtualGateway/plian: did you mean mesh/apps/virtualNode/plain?',
	})
	expect(find('virtualNode', 'something')).toEqual({
		ok: false,
		error: 'the mesh has no mesh/apps/virtualNode/something',
	})
})
