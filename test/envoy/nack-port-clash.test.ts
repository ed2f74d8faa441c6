// A port that is taken at one of two replicas: that replica refuses its new listener, and nothing else waits for it.

import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Load } from '#lab/load.ts'
import { markNow } from '#lab/mark.ts'
import { freePorts, listen } from '#lab/ports.ts'
import { readHeldShares } from './fixtures/held-config.ts'
import { callerFile, callerYaml } from './fixtures/small-mesh.ts'
import { callerKey, openStage, type Stage } from './fixtures/stage.ts'

const services = ['shop', 'till']
let stage: Stage
let shopLoad: Load
let tillLoad: Load
/** What has the port at the second replica's address. */
let holder: Server
let taken: number

beforeAll(async () => {
	stage = await openStage({
		block: 44,
		services,
		proxies: { 'front-1': 'front', 'front-2': 'front' },
		stepsPercent: [50],
	})
	const [port = 0] = await freePorts('0.0.0.0', 1)
	taken = port
	holder = await listen(stage.addressOf('front-2'), taken, createServer())
	shopLoad = stage.sendLoad({ service: 'shop', instance: 'front-1', ratePerSecond: 50 })
	tillLoad = stage.sendLoad({ service: 'till', instance: 'front-2', ratePerSecond: 150 })
}, 300_000)

afterAll(async () => {
	holder?.close()
	await stage?.[Symbol.asyncDispose]()
})

test('is told with proxy, words of Envoy and line, while a canary elsewhere is taken back at every proxy', async () => {
	const { daemon } = stage
	await stage.commit("Move front's listener", { [callerFile]: callerYaml(services, taken) })
	const rejection = await refused()
	const line = `${callerFile}:6`
	expect(rejection).toMatchObject({
		proxy: callerKey('front-2'),
		type: 'listener',
		name: `lds_ingress_0.0.0.0_${taken}`,
		place: line,
	})
	expect(rejection.text).toMatch(/cannot bind .*Address already in use/)
	const told = await daemon.sluice('status')
	expect(told).toContain(`REJECTED listener lds_ingress_0.0.0.0_${taken} at ${callerKey('front-2')}`)
	expect(told).toContain(`: Address already in use (probably ${line})`)

	const rollout = await stage.shift('till', { till1: 0, till2: 100 })
	await daemon.until('the first step is confirmed', ({ rollouts: [newest] }) => {
		return newest?.step === 1 && newest.confirmed ? true : null
	})
	stage.app('till2').setFailure({ sharePpm: 1_000_000, how: { kind: 'answer', status: 503, delayMs: 0 } })
	const back = await daemon.entry({ event: 'rollout.rolledBack', rollout })
	expect(back.numbers).toMatchObject({ connected: 2, unreachable: [] })
	for (const instance of ['front-1', 'front-2'])
		expect(await readHeldShares(stage.envoy(instance), 'till')).toEqual({ till1: 100 })
	expect(await refused()).toEqual(rejection)

	const whole = markNow()
	const moved = await readIngressPort('front-1')
	expect([moved, await readIngressPort('front-2')]).toEqual([taken, stage.port])
	expect((await tillLoad.between(whole, markNow())).failed).toBe(0)
	expect((await shopLoad.stop()).failures).toEqual({})
})

test('is gone from what is told when the change is taken back', async () => {
	const { daemon } = stage
	await stage.commit('Leave the listener where it was', { [callerFile]: callerYaml(services, stage.port) })
	await daemon.until('nothing is refused any more', ({ groups }) => {
		const settled = groups.every(({ types, rejections }) => rejections.length === 0 && types.listener.current === 1)
		return settled ? true : null
	})
	expect(await readIngressPort('front-1')).toBe(stage.port)
	expect((await tillLoad.stop()).failed).toBeGreaterThan(0)
})

type Listener = { readonly name: string; readonly active_state: { readonly listener: { readonly address: Address } } }
type Address = { readonly socket_address: { readonly port_value: number } }

/** The only rejection that status names, once there is one. */
function refused() {
	return stage.daemon.until('a listener is refused', ({ groups }) => {
		const [first, ...others] = groups.flatMap(({ rejections }) => rejections)
		if (others.length > 0) throw new Error(`refused as well: ${JSON.stringify(others)}`)
		return first ?? null
	})
}

/** The port at which an Envoy really takes in requests for its own application. */
async function readIngressPort(instance: string): Promise<number> {
	const listeners = (await stage.envoy(instance).admin.configDump('dynamic_listeners')) as Listener[]
	const ingress = listeners.find(
		({ name, active_state }) => active_state !== undefined && name.startsWith('lds_ingress'),
	)
	return ingress?.active_state.listener.address.socket_address.port_value ?? 0
}
