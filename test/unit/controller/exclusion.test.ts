import { beforeEach, describe, expect, test } from 'vitest'
import { type DaemonInMemory, startInMemory } from '../../fixtures/daemon-in-memory.ts'
import type { FakeProxy } from '../../simulation/fake-proxy.ts'

let daemon: DaemonInMemory
let bad: FakeProxy
beforeEach(async () => {
	daemon = await startInMemory()
	bad = daemon.fleet.proxies[1] as FakeProxy
})

const asked = { actor: 'ada', reason: 'INC-311' }
const exclude = (forMs: number | null = null) =>
	daemon.command({ kind: 'exclude', proxy: bad.proxy.key, forMs, ...asked })
const include = () => daemon.command({ kind: 'include', proxy: bad.proxy.key, ...asked })
const rollout = () => daemon.face.status().rollouts[0]
const holds = () => rollout()?.holds.map(({ code }) => code)
const events = async () => (await daemon.face.readJournal(0, 1_000)).map(({ entry }) => entry)

describe('a rollout no longer waits for a proxy that is excluded', () => {
	test.for<[why: string, code: string, spoil: () => void]>([
		['is gone', 'PROXIES_MISSING', () => daemon.fleet.disconnect(bad)],
		['is silent', 'SILENT', () => (bad.silent = true)],
		['has no host', 'NOT_READY', () => bad.healthy.set('cds_egress_apps_Bv2_http2_80', 0)],
		['does not answer', 'NOT_ACKED', () => (bad.ackDelayMs = 600_000)],
	])('though it %s', async ([, code, spoil]) => {
		spoil()
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(12_000)
		expect(holds()).toContain(code)
		expect(await exclude()).toMatchObject({ kind: 'done' })
		await daemon.pass(60_000)
		expect(rollout()?.phase).toBe('succeeded')
	})
})

test('its counters are no evidence: failures there take nothing back', async () => {
	await exclude()
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(5_000)
	bad.healthy.set('cds_egress_apps_Bv2_http2_80', 0)
	await daemon.pass(60_000)
	expect(rollout()?.phase).toBe('succeeded')
})

test('rolled back is said without it, and tells what it last held', async () => {
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(8_000)
	await exclude()
	bad.ackDelayMs = 600_000
	daemon.failCanary(1)
	await daemon.pass(10_000)
	expect(rollout()?.phase).toBe('rolledBack')
	const back = (await events()).find(({ event }) => event === 'rollout.rolledBack')
	expect(back?.reason).toContain('1/1 proxies confirmed, 1 excluded')
	expect(back?.numbers.excluded).toEqual([expect.stringMatching(/^mesh\/apps\/virtualNode\/A#i1 \(.+\)$/)])
})

test('it is served all the same', async () => {
	await exclude()
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(60_000)
	expect(daemon.fleet.sharesOf(bad)?.get('cds_egress_apps_Bv2_http2_80')).toBe(500_000)
})

/** Nothing leads to B any more, and somebody is gone who may still hold its cluster. */
async function removeStableWithout(proxy: FakeProxy): Promise<void> {
	daemon.commit({ weights: [0, 1] })
	await daemon.pass(60_000)
	daemon.fleet.disconnect(proxy)
	daemon.commit({ stable: 'dropped' })
	await daemon.pass(30_000)
}

test('removals no longer wait for it', async () => {
	await removeStableWithout(bad)
	expect(daemon.face.status().pendingRemovals).toMatchObject([{ reason: expect.stringContaining('expected back') }])
	await exclude()
	await daemon.pass(2_000)
	expect(daemon.face.status().pendingRemovals).toEqual([])
})

test('a removal waits for those who are gone, and goes on after ten minutes without them', async () => {
	await removeStableWithout(bad)
	expect(daemon.face.status().pendingRemovals).toHaveLength(1)
	await daemon.pass(600_000)
	expect(daemon.face.status().pendingRemovals).toEqual([])
})

describe('it is over', () => {
	test('when a person includes it', async () => {
		await exclude()
		bad.silent = true
		daemon.commit({ weights: [1, 1] })
		await daemon.pass(5_000)
		expect(await include()).toMatchObject({ kind: 'done' })
		await daemon.pass(15_000)
		expect(holds()).toContain('SILENT')
		expect(await include()).toMatchObject({ kind: 'refused', code: 'NOT_FOUND' })
	})

	test('by itself after its time', async () => {
		await exclude(60_000)
		expect(daemon.face.status().excluded).toMatchObject([
			{ proxy: bad.proxy.key, ...asked, version: expect.any(String) },
		])
		await daemon.pass(50_000)
		expect(daemon.face.status().excluded).toHaveLength(1)
		await daemon.pass(10_000)
		expect(daemon.face.status().excluded).toEqual([])
		const told = (await events()).filter(({ event }) => event.startsWith('proxy.'))
		expect(told).toMatchObject([
			{ event: 'proxy.excluded', actor: 'ada', reason: 'INC-311', numbers: { forMs: 60_000 } },
			{ event: 'proxy.included', actor: 'sluice' },
		])
	})
})

test('a name that nobody has is refused', async () => {
	const reply = await daemon.command({ kind: 'exclude', proxy: 'mesh/apps/virtualNode/A#i7', forMs: null, ...asked })
	expect(reply).toMatchObject({ kind: 'refused', code: 'NOT_FOUND' })
})

test('every proxy is listed with how it stands', async () => {
	daemon.fleet.disconnect(bad)
	await exclude()
	expect(daemon.face.proxies('mesh/apps/virtualNode/A#')).toMatchObject({
		more: 0,
		proxies: [
			{ proxy: 'mesh/apps/virtualNode/A#i0', standing: 'current', excluded: null, envoy: '1.40' },
			{ proxy: bad.proxy.key, standing: 'gone', excluded: { actor: 'ada' } },
		],
	})
	expect(daemon.face.proxies('mesh/apps/virtualNode/B').proxies).toEqual([])
})
