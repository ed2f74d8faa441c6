// The daemon is killed without a warning while rollouts stand at each of their steps, under load. Envoys go on with what
// they hold; what was decided is in the store.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Load } from '#lab/load.ts'
import { type Mark, markNow } from '#lab/mark.ts'
import { eventually } from './fixtures/eventually.ts'
import {
	type HeldConfig,
	readHeldConfig,
	readHeldShares,
	readTakenUpdates,
	type TakenUpdates,
} from './fixtures/held-config.ts'
import { routeFile, routeYaml } from './fixtures/small-mesh.ts'
import { openStage, type Stage } from './fixtures/stage.ts'

/** One service for each place where a rollout can be when its daemon dies. */
const shares = {
	pending: { pending1: 100 },
	first: { first1: 50, first2: 50 },
	second: { second1: 25, second2: 75 },
	baking: { baking2: 100 },
	back: { back1: 100 },
} as const
type Service = keyof typeof shares
const services = Object.keys(shares) as Service[]
/** Those at a step from which they are to go on. */
const standing = ['first', 'second', 'baking'] as const
const instances = ['front-1', 'front-2']

let stage: Stage
let loads: Map<Service, Load>
let broken: Mark
let whole: Mark

beforeAll(async () => {
	stage = await openStage({
		block: 45,
		services,
		proxies: { 'front-1': 'front', 'front-2': 'front' },
		stepsPercent: [50, 75],
		unresolved: ['pending2'],
	})
	loads = new Map(services.map((service) => [service, sendLoad(service, 60)]))
}, 300_000)

afterAll(async () => {
	await stage?.[Symbol.asyncDispose]()
})

test('rollouts come to a stand at each of their steps', async () => {
	const { daemon } = stage
	const moved = services.map((service) => [routeFile(service), routeYaml(service, { [`${service}2`]: 100 })])
	await stage.commit('Everything to version 2', Object.fromEntries(moved))
	await steps({ pending: 0, first: 1, second: 1, baking: 1, back: 1 })
	for (const service of ['second', 'baking'] as const) await daemon.promote((await daemon.rollout(service)).id)
	await steps({ second: 2, baking: 2 })
	await daemon.promote((await daemon.rollout('baking')).id)
	await steps({ baking: 3 })
	broken = markNow()
	stage.app('back2').setFailure({ sharePpm: 1_000_000, how: { kind: 'answer', status: 503, delayMs: 0 } })
	const { id } = await daemon.rollout('back')
	await daemon.entry({ event: 'rollout.rollingBack', rollout: id })
})

test('kill -9: the same weights after it, and who comes back is sent nothing', async () => {
	const { daemon } = stage
	await daemon.kill()
	await eventually('the way back has arrived', async () => {
		const held = await Promise.all(instances.map((instance) => readHeldShares(stage.envoy(instance), 'back')))
		return held.every(({ back2 }) => back2 === undefined)
	})
	whole = markNow()
	const before = await Promise.all(instances.map(readHoldings))
	for (const { held } of before) expect(held).toEqual(shares)
	await daemon.start()
	await daemon.until('what was known of the canaries before says nothing of them now', ({ rollouts }) => {
		const told = rollouts.filter(({ lanes }) => {
			return standing.some((service) => lanes[0]?.routes[0]?.endsWith(`/route/${service}`))
		})
		return told.length === standing.length && told.every(({ evidence }) => evidence === null) ? true : null
	})
	await daemon.until('every proxy is back', ({ groups }) => {
		return groups.length === 2 && groups.every(({ types }) => types.route.current === 1) ? true : null
	})
	expect(await Promise.all(instances.map(readHoldings))).toEqual(before)
	expect(await readInForce()).toEqual(shares)
	await steps({ pending: 0, first: 1, second: 2, baking: 3 })
})

test('each rollout goes on from where it was, with evidence of the new life', async () => {
	const { daemon } = stage
	for (const service of standing) sendLoad(service, 200)
	stage.resolve('pending2')
	const { id } = await daemon.rollout('back')
	const confirmed = await daemon.entry({ event: 'rollout.rolledBack', rollout: id })
	expect(confirmed.numbers).toMatchObject({ connected: 2, unreachable: [] })
	for (const [service, event] of [
		['first', 'rollout.advanced'],
		['second', 'rollout.succeeded'],
		['baking', 'rollout.succeeded'],
	] as const) {
		const { id } = await daemon.rollout(service)
		const moved = await daemon.entry({ event, rollout: id, after: confirmed.sequence })
		expect(moved.numbers).toMatchObject({ evidence: { canary: { errors: 0 } }, promoted: null })
	}
	await steps({ pending: 1 })
	expect(daemon.journal().filter(({ event }) => event === 'rollout.started')).toHaveLength(services.length)
	for (const [service, load] of loads) {
		if (service === 'back') continue
		expect(await load.stop(), service).toMatchObject({ failures: {}, notSent: 0 })
	}
	const ofBack = loads.get('back')
	expect(Object.keys((await ofBack?.between(broken, whole))?.failures ?? {})).toEqual(['503'])
	expect(await ofBack?.between(whole, markNow())).toMatchObject({ failures: {}, notSent: 0 })
})

function sendLoad(service: Service, ratePerSecond: number): Load {
	return stage.sendLoad({ service, instance: 'front-1', ratePerSecond })
}

/** Resolves when the newest rollouts of these services stand at these steps, counted from 1, and all proxies hold them. */
async function steps(wanted: Partial<Record<Service, number>>): Promise<void> {
	await stage.daemon.until(`steps ${JSON.stringify(wanted)}`, ({ rollouts }) => {
		const stands = Object.entries(wanted).every(([service, step]) => {
			const found = rollouts.find(({ lanes }) => lanes[0]?.routes[0]?.endsWith(`/route/${service}`))
			return found?.step === step && (step === 0 || found.confirmed)
		})
		return stands ? true : null
	})
}

type Holdings = {
	readonly held: Readonly<Record<string, Readonly<Record<string, number>>>>
	/** Each part with its version, and the time at which it was taken in. */
	readonly config: HeldConfig
	readonly updates: TakenUpdates
}

async function readHoldings(instance: string): Promise<Holdings> {
	const envoy = stage.envoy(instance)
	const held = await Promise.all(services.map(async (service) => [service, await readHeldShares(envoy, service)]))
	return {
		held: Object.fromEntries(held),
		config: await readHeldConfig(envoy),
		updates: await readTakenUpdates(envoy),
	}
}

/** The shares that the daemon says are in force, in percent. */
async function readInForce(): Promise<Record<string, Record<string, number>>> {
	const told = await Promise.all(services.map((service) => stage.daemon.rollout(service)))
	const entries = told.map((rollout, index) => {
		const now = (rollout.lanes[0]?.shares.now ?? []).filter(({ sharePpm }) => sharePpm > 0)
		return [services[index], Object.fromEntries(now.map((share) => [share.virtualNode, share.sharePpm / 10_000]))]
	})
	return Object.fromEntries(entries)
}
