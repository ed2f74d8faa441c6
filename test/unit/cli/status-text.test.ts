import { beforeEach, expect, test } from 'vitest'
import { exitOf } from '#cli/status.ts'
import { renderStatus } from '#cli/status-text.ts'
import { type DaemonInMemory, startInMemory, twoSteps } from '../../fixtures/daemon-in-memory.ts'

let daemon: DaemonInMemory
beforeEach(async () => {
	daemon = await startInMemory()
})

const show = () => renderStatus(daemon.face.status(), { color: false })

test('settled', () => {
	expect(show()).toMatch(/^✓ SETTLED 1ccccccccccc is in force\n/)
	expect(show()).toContain('mesh/apps/virtualNode/A  2/2 connected (Envoy 1.40), all hold what is served')
	expect(exitOf(daemon.face.status())).toBe('ok')
})

test('a rollout under way shows its ladder, its evidence and what is missing', async () => {
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(8_000)
	const text = show()
	expect(text).toContain('B/B#1')
	expect(text).toContain('ladder    [10 %] → 50 %')
	expect(text).toMatch(/evidence {2}canary 0\/\d+ errors \(0 %\) against baseline 0\/[\d,]+ \(0 %\)/)
	expect(text).toMatch(/more for the proof/)
	expect(text).toContain('proxies   2 of 2 hold the shares in force')
})

test('where users are drawn, what they are drawn by, and what that means for the guard', async () => {
	const sticky = { kind: 'cookie', name: 'session' } as const
	daemon.commit({ weights: [1, 1], policy: { ...twoSteps, sticky } })
	await daemon.pass(12_000)
	const text = show()
	expect(text).toContain('users     drawn by cookie session: more than 5 % of failed requests take it back')
	expect(text).toMatch(/evidence {2}canary .* against a limit of 5\.0 %, beside baseline/)
	expect(text).toContain('Bv2:80 errors: 0 %')
	expect(text).toContain('proven to be below the limit')
	expect(text).not.toContain('proven no worse')
})

test('a rollback says why, and what to do', async () => {
	daemon.failCanary(1)
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(15_000)
	expect(show()).toMatch(/^✗ ATTENTION B\/B#1: rolled back to B 100 %: .*sluice rollout retry/)
	expect(exitOf(daemon.face.status())).toBe('wentBack')
})

test('a hold names what is missing', async () => {
	for (const proxy of daemon.fleet.proxies) proxy.healthy.set('cds_egress_apps_Bv2_http2_80', 0)
	daemon.commit({ weights: [1, 1] })
	await daemon.pass(10_000)
	expect(show()).toContain('held      NOT_READY: mesh/apps/virtualNode/A#i0 has no healthy host')
	expect(exitOf(daemon.face.status())).toBe('held')
})

test('a refusal shows its findings with their lines', async () => {
	daemon.commitBroken()
	await daemon.pass(1_000)
	expect(show()).toContain('error[SL0204]: unknown field "spce"\n --> mesh.yaml:3:5')
	expect(exitOf(daemon.face.status())).toBe('findings')
})

test('proxies that refuse, are gone or silent are named with a word, not by colour', async () => {
	const [first, second] = daemon.fleet.proxies
	if (first === undefined || second === undefined) throw new Error('there are two')
	first.refuseRoutes = true
	daemon.commit({ weights: [1, 1] })
	// One of two is more than a fifth: the refused step is soon taken back, and the refusal with it.
	let shown = show()
	for (let waits = 0; waits < 200 && !shown.includes('REJECTED'); waits += 1) {
		await daemon.pass(10)
		shown = show()
	}
	expect(shown).toMatch(/✗ REJECTED route \S+ at mesh\/apps\/virtualNode\/A#i0: simulated refusal/)
	first.silent = true
	daemon.fleet.disconnect(second)
	await daemon.pass(6_000)
	expect(show()).toContain('? GONE mesh/apps/virtualNode/A#i1')
	expect(show()).toContain('? UNWATCHED, no fresh counters from mesh/apps/virtualNode/A#i0')
})

test('what others wrote cannot steer the terminal', () => {
	const status = daemon.face.status()
	if (status.accepted === null) throw new Error('a revision was accepted')
	const hostile = { ...status, accepted: { ...status.accepted, author: 'x\u001b[2J', message: '\u202eevil' } }
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
	expect(renderStatus(hostile, { color: false })).not.toMatch(/[\u001b\u202e]/)
})

test('what discovery cannot find, and what waits for it', () => {
	const status = daemon.face.status()
	const wait = 'the cluster c waits for the secret certificate/web'
	const trouble = {
		code: 'SL0507',
		subject: 'the secret web',
		message: 'has a tls.crt without tls.key',
		since: status.time,
	}
	const groups = status.groups.map((group) => ({ ...group, waits: [wait] }))
	const text = renderStatus({ ...status, groups, discovery: [trouble] }, { color: false })
	expect(text).toContain('\nDiscovery\n  SL0507  the secret web has a tls.crt without tls.key\n')
	expect(text).toContain(`\n    ○ WAITS ${wait}`)
})
