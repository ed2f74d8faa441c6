import { expect, test } from 'vitest'
import { silentLog } from '#base/log.ts'
import { fail } from '#base/result.ts'
import { proxyGroupKey, typeUrls } from '#compile/compiled.ts'
import { type Controller, createController } from '#controller/controller.ts'
import type { FleetPort } from '#controller/ports.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import type { Snapshot } from '#snapshot/snapshot.ts'
import { createMemoryStore } from '#store/memory-store.ts'
import type { Store } from '#store/store.ts'
import { createFakeDiscovery } from '../../fakes/fake-discovery.ts'
import { noHooks } from '../../fakes/no-hooks.ts'
import { noThresholds } from '../../fakes/no-thresholds.ts'
import { webQuery } from '../../fakes/scripted-directory.ts'
import { fixtureGroup } from '../../fixtures/compile-fixture.ts'
import { startInMemory } from '../../fixtures/daemon-in-memory.ts'
import { type BriefResource, fixtureResource } from '../../fixtures/mesh-fixture.ts'
import { createVirtualClock } from '../../simulation/virtual-clock.ts'

test('a way back has left the process before its journal is written, however long that takes', async () => {
	const daemon = await startInMemory()
	const { publish } = daemon.fleetPort
	let hasLeft = false
	Object.assign(daemon.fleetPort, {
		publish(...given: Parameters<typeof publish>) {
			// What is written to a socket goes out when the loop comes round, and a commit of SQLite holds the loop up.
			hasLeft = false
			setImmediate(() => {
				hasLeft = true
			})
			publish(...given)
		},
	})
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(8_000)
	const seen: boolean[] = []
	daemon.controller.onJournal(({ event }) => {
		if (event === 'rollout.rollingBack') seen.push(hasLeft)
	})
	await daemon.command({ kind: 'abort', rollout: 'B/B#1', actor: 'ada', reason: 'INC-311' })
	expect(seen).toEqual([true])
})

test('endpoints are followed, and served at once: without a turn, a decision, or a store that answers', async () => {
	const briefs: BriefResource[] = [
		{ kind: 'Mesh' },
		{ kind: 'VirtualNode', name: 'A', backends: ['b.local'] },
		{ kind: 'VirtualNode', name: 'B', discovery: webQuery },
		{ kind: 'VirtualService', name: 'b.local', node: 'B' },
	]
	const mesh = composeMesh(Object.fromEntries(briefs.map(fixtureResource).map((resource) => [resource.id, resource])))
	const clock = createVirtualClock(1_790_000_000_000)
	const memory = createMemoryStore()
	let isFull = false
	const store: Store = {
		...memory,
		commit: async (transaction) =>
			isFull ? fail({ code: 'full', message: 'no space left' }) : memory.commit(transaction),
	}
	const published: Snapshot[] = []
	const fleet: FleetPort = {
		publish: (_, snapshot) => void published.push(snapshot),
		refuse() {},
		forget: () => false,
		fleet: () => new Map(),
		connected: () => [],
		counted: () => [],
		exclude() {},
		holds: () => null,
		reported: () => [],
		pin() {},
		keep() {},
		assign() {},
	}
	const discovery = createFakeDiscovery(() => controller.takeDiscovery())
	const controller: Controller = createController({
		clock,
		log: silentLog,
		store,
		fleet,
		discovery,
		thresholds: noThresholds,
		hooks: noHooks,
		readRevision: async () => ({ kind: 'ok', mesh, origins: {}, expectations: [], warnings: [] }),
		fatal(error) {
			throw error
		},
	})
	const endpointsServed = () => [...(published.at(-1)?.types[typeUrls.endpoint].resources.keys() ?? [])]
	const pass = (ms: number) => clock.runUntil(clock.monotonicMs() + ms, () => controller.idle())

	await controller.start()
	const info = { id: 'c1', author: 'Ada', message: 'one', timeMs: clock.wallMs() }
	controller.takeSource({ kind: 'revision', revision: { ...info, files: new Map() } })
	const group = fixtureGroup('A')
	const groupKey = proxyGroupKey(group)
	controller.takeXds({ kind: 'arrived', proxy: { key: 'p', instance: 'p', zone: '', group, groupKey } })
	await pass(3_000)
	expect([discovery.wanted.queries, endpointsServed()]).toEqual([[webQuery], []])

	isFull = true
	controller.takeSource({ kind: 'revision', revision: { ...info, id: 'c2', files: new Map() } })
	await pass(1_000)
	expect(controller.view().durable).toBe(false)
	const { turns } = controller.view()
	discovery.putEndpoints(webQuery, [{ ipv4: '10.0.0.1', ipv6: null, zone: '' }])
	expect(endpointsServed()).toEqual(['cds_egress_apps_B_http2_80'])
	expect(controller.view().turns).toBe(turns)
	await controller.stop()
	discovery.putEndpoints(webQuery, [])
	expect(published.at(-1)?.types[typeUrls.endpoint].resources.size).toBe(1)
})
