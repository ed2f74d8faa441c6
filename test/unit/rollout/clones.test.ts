import { beforeEach, describe, expect, test } from 'vitest'
import { hashValue } from '#base/hash.ts'
import { typeUrls } from '#compile/compiled.ts'
import { composeMesh } from '#mesh/compose-mesh.ts'
import { type Mesh, resourceId } from '#mesh/mesh.ts'
import { type DaemonInMemory, startInMemory } from '../../fixtures/daemon-in-memory.ts'
import { fixtureResource } from '../../fixtures/mesh-fixture.ts'
import { canaryCluster, stableCluster } from '../../simulation/simulated-mesh.ts'

// A calls b.local, whose route is under rollout, and bv2.local, which Bv2 provides itself: its cluster is both's.

const canaryClone = `${canaryCluster}_rollout_B_B`
const stableClone = `${stableCluster}_rollout_B_B`
const beside = resourceId.virtualService('apps', 'bv2.local')

function withBackendBeside({ resources }: Mesh): Mesh {
	const node = resources[resourceId.virtualNode('apps', 'A')]
	if (node?.kind !== 'VirtualNode') throw new Error('A is a node')
	const backends = [...node.spec.backends, { virtualService: beside, clientTls: null, egressPort: null }]
	const spec = { ...node.spec, backends }
	const service = fixtureResource({ kind: 'VirtualService', name: 'bv2.local', node: 'Bv2' })
	return composeMesh({
		...resources,
		[node.id]: { ...node, spec, hash: hashValue([node.id, spec]) },
		[service.id]: service,
	})
}

let daemon: DaemonInMemory
beforeEach(async () => {
	daemon = await startInMemory((store) => store, { reshape: withBackendBeside })
})

const rollout = () => daemon.face.status().rollouts[0]
const heldClusters = () =>
	daemon.fleet.proxies.map(({ held }) =>
		[...held.values()].flatMap(({ typeUrl, name }) => (typeUrl === typeUrls.cluster ? [name] : [])),
	)
const shareOf = (cluster: string) =>
	daemon.fleet.proxies.map((proxy) => daemon.fleet.sharesOf(proxy)?.get(cluster) ?? null)
const events = async () =>
	(await daemon.face.readJournal(0, 1_000)).map(({ entry }) => entry.event).filter((event) => /rollout\./.test(event))
const both = (value: unknown) => [value, value]

test('clones come before the first step and go after the end', async () => {
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(500)
	expect(await events()).toEqual(['rollout.started', 'rollout.cloning'])
	await daemon.pass(8_000)
	expect(rollout()).toMatchObject({ step: 1 })
	expect(heldClusters()[0]).toEqual(expect.arrayContaining([canaryCluster, stableCluster, canaryClone, stableClone]))
	expect(shareOf(canaryClone)).toEqual(both(100_000))
	expect(shareOf(stableClone)).toEqual(both(900_000))
	await daemon.pass(60_000)
	expect(rollout()?.phase).toBe('succeeded')
	expect((await events()).filter((event) => event !== 'rollout.held')).toEqual([
		'rollout.started',
		'rollout.cloning',
		'rollout.cloned',
		'rollout.advanced',
		'rollout.advanced',
		'rollout.succeeded',
		'rollout.uncloning',
		'rollout.uncloned',
	])
	for (const names of heldClusters()) expect(names.filter((name) => name.includes('_rollout_'))).toEqual([])
	expect([shareOf(canaryClone), shareOf(stableCluster)]).toEqual([both(null), both(500_000)])
})

test('what the canary does wrong is seen, and the way back leads over its own clusters', async () => {
	daemon.fail(canaryClone, 1)
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(20_000)
	expect(rollout()?.phase).toBe('rolledBack')
	expect((await events()).slice(-4)).toEqual([
		'rollout.rollingBack',
		'rollout.rolledBack',
		'rollout.uncloning',
		'rollout.uncloned',
	])
	expect(shareOf(stableCluster)).toEqual(both(1_000_000))
})

test('a clone without a host holds the first step, and nothing is led to it', async () => {
	for (const proxy of daemon.fleet.proxies) proxy.healthy.set(stableClone, 0)
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(20_000)
	expect(rollout()?.holds.map(({ code }) => code)).toEqual(['NOT_READY', 'NOT_READY'])
	expect([shareOf(stableClone), shareOf(stableCluster)]).toEqual([both(null), both(1_000_000)])
	await daemon.command({ kind: 'abort', rollout: rollout()?.id ?? '', actor: 'ada', reason: 'r' })
	await daemon.pass(2_000)
	expect((await events()).slice(-2)).toEqual(['rollout.aborted', 'rollout.uncloned'])
})

test('clones are not left for a cluster that has lost its hosts', async () => {
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(10_000)
	for (const proxy of daemon.fleet.proxies) proxy.healthy.set(stableCluster, 0)
	await daemon.pass(60_000)
	expect(rollout()?.phase).toBe('succeeded')
	expect(shareOf(stableClone)).toEqual(both(500_000))
	for (const proxy of daemon.fleet.proxies) proxy.healthy.set(stableCluster, 1)
	await daemon.pass(5_000)
	expect(shareOf(stableCluster)).toEqual(both(500_000))
})

describe('the next rollout of the route', () => {
	test('waits until the clones of the last one are left', async () => {
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(10_000)
		for (const proxy of daemon.fleet.proxies) proxy.healthy.set(stableCluster, 0)
		await daemon.pass(60_000)
		daemon.commit({ weights: [0, 1] })
		await daemon.pass(5_000)
		expect(daemon.face.status().heldBack).toMatchObject([{ kind: 'shift', reason: 'waits for B/B#1' }])
		for (const proxy of daemon.fleet.proxies) proxy.healthy.set(stableCluster, 1)
		await daemon.pass(90_000)
		expect(rollout()).toMatchObject({ id: 'B/B#2', phase: 'succeeded' })
	})

	test('may take back what runs: other shares go on with the same clones', async () => {
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(10_000)
		daemon.commit({ weights: [0, 1] })
		await daemon.pass(1_000)
		expect(shareOf(canaryClone)).toEqual(both(100_000))
		await daemon.pass(90_000)
		expect(rollout()).toMatchObject({ id: 'B/B#1', phase: 'succeeded' })
		expect((await events()).filter((event) => event === 'rollout.cloning')).toHaveLength(1)
	})
})

/** Passes the time until the journal has this event. */
async function untilTold(event: string): Promise<void> {
	while (!(await events()).includes(event)) await daemon.pass(100)
}

describe('a daemon that dies goes on where it was', () => {
	const moves = ['started', 'cloning', 'cloned', 'advanced', 'succeeded', 'uncloning', 'uncloned']
	test.for(moves)('when it had just written down that it has %s', async (move) => {
		daemon.commit({ weights: [1, 1] })
		await untilTold(`rollout.${move}`)
		await daemon.restart()
		await daemon.pass(120_000)
		expect(rollout()).toMatchObject({ phase: 'succeeded', clones: 'none' })
		expect([shareOf(canaryClone), shareOf(stableCluster)]).toEqual([both(null), both(500_000)])
		expect(
			heldClusters()
				.flat()
				.filter((name) => name.includes('_rollout_')),
		).toEqual([])
		expect((await events()).filter((event) => event === 'rollout.cloning')).toHaveLength(1)
	})

	test.for(['rollingBack', 'rolledBack', 'uncloning'])('on the way back, when it was %s', async (move) => {
		daemon.fail(canaryClone, 1)
		daemon.commit({ weights: [1, 1] })
		await untilTold(`rollout.${move}`)
		await daemon.restart()
		await daemon.pass(60_000)
		expect(rollout()).toMatchObject({ phase: 'rolledBack', clones: 'none' })
		expect([shareOf(canaryClone), shareOf(stableCluster)]).toEqual([both(null), both(1_000_000)])
	})
})
