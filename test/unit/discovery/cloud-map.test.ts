import { beforeEach, describe, expect, test } from 'vitest'
import { limits } from '#base/limits.ts'
import { silentLog } from '#base/log.ts'
import { type CloudMap, createCloudMap } from '#discovery/cloud-map.ts'
import { type CloudMapQuery, cloudMapKey, type Endpoint } from '#discovery/discovered.ts'
import { createManualClock, type ManualClock } from '../../fakes/manual-clock.ts'
import { createScriptedDirectory, type ScriptedDirectory, webQuery } from '../../fakes/scripted-directory.ts'

const key = cloudMapKey(webQuery)
const unreachable = { kind: 'failed', reason: 'unreachable', name: 'ECONNREFUSED' } as const

let clock: ManualClock
let directory: ScriptedDirectory
let cloudMap: CloudMap
let changes: number
let warnings: string[]

function start(remembered: ReadonlyMap<string, readonly Endpoint[]> = new Map(), random = () => 0.5): void {
	cloudMap = createCloudMap({
		directory,
		clock,
		random,
		log: { ...silentLog, warn: (_, fields) => void warnings.push(`${fields?.code} ${fields?.message}`) },
		remembered,
		changed() {
			changes += 1
		},
	})
}

beforeEach(() => {
	clock = createManualClock()
	directory = createScriptedDirectory()
	changes = 0
	warnings = []
	start()
})

/** Lets time pass, and every answer that is there arrive. */
async function pass(ms: number): Promise<void> {
	clock.advance(ms)
	for (let round = 0; round < 20; round += 1) await Promise.resolve()
}
const poll = () => pass(limits.cloudMapPollMs)
const addresses = () =>
	cloudMap
		.endpoints()
		.get(key)
		?.map(({ ipv4 }) => ipv4)
const codes = () => cloudMap.troubles().map(({ code }) => code)

describe('polling', () => {
	test('a query is asked at once and then at each interval; only another answer is a change', async () => {
		directory.answer(webQuery, ['10.0.0.2', '10.0.0.1'])
		cloudMap.follow([webQuery])
		expect(addresses()).toBeUndefined()
		await pass(0)
		expect([addresses(), changes]).toEqual([['10.0.0.1', '10.0.0.2'], 1])
		directory.answer(webQuery, ['10.0.0.1', '10.0.0.2'])
		await poll()
		expect([directory.asked(), changes]).toEqual([['web', 'web'], 1])
		directory.answer(webQuery, ['10.0.0.1'])
		await poll()
		expect([addresses(), changes]).toEqual([['10.0.0.1'], 2])
	})

	test('many queries are asked a few at a time, and all of them', async () => {
		const many = Array.from({ length: 60 }, (_, index): CloudMapQuery => ({ ...webQuery, serviceName: `s${index}` }))
		cloudMap.follow(many)
		clock.advance(0)
		for (let round = 0; round < 200; round += 1) await Promise.resolve()
		expect([cloudMap.endpoints().size, directory.mostAtOnce()]).toEqual([60, limits.cloudMapAtOnce])
	})

	test('equal queries are asked once; other attributes are another query', async () => {
		const versioned = { ...webQuery, attributes: [{ key: 'version', value: '2' }] }
		cloudMap.follow([webQuery, { ...webQuery, ipPreference: 'IPv6_ONLY' }, versioned])
		await pass(0)
		expect(directory.asked()).toEqual(['web', 'web'])
	})

	test('what nobody wants any more is not asked for, and is known for a while', async () => {
		directory.answer(webQuery, ['10.0.0.1'])
		cloudMap.follow([webQuery])
		await pass(0)
		directory.asked()
		cloudMap.follow([])
		await poll()
		expect([directory.asked(), addresses()]).toEqual([[], ['10.0.0.1']])
		cloudMap.follow([webQuery])
		await pass(0)
		expect(directory.asked()).toEqual(['web'])
		cloudMap.follow([])
		await pass(limits.discoveredKeptMs)
		expect([addresses(), changes]).toEqual([undefined, 2])
	})

	test('a query that comes back while its old question is open is asked again', async () => {
		directory.answer(webQuery, 'silent')
		cloudMap.follow([webQuery])
		await pass(0)
		cloudMap.follow([])
		expect(directory.aborted()).toBe(1)
		directory.answer(webQuery, ['10.0.0.9'])
		cloudMap.follow([{ ...webQuery }])
		await pass(0)
		await pass(0)
		expect(addresses()).toEqual(['10.0.0.9'])
	})

	test('closed, it asks nobody', async () => {
		cloudMap.follow([webQuery])
		cloudMap.close()
		await poll()
		expect([directory.asked(), clock.pendingMs()]).toEqual([[], []])
	})
})

describe('an outage', () => {
	beforeEach(async () => {
		directory.answer(webQuery, ['10.0.0.1'])
		cloudMap.follow([webQuery])
		await pass(0)
	})

	test.for([
		['unreachable', 'SL0501'],
		['absent', 'SL0502'],
		['denied', 'SL0503'],
	] as const)('%s: the last endpoints stay, and it is told once', async ([reason, code]) => {
		directory.answer(webQuery, { kind: 'failed', reason, name: 'Some' })
		await poll()
		await poll()
		expect([addresses(), changes, codes()]).toEqual([['10.0.0.1'], 1, [code]])
		expect(warnings).toEqual([expect.stringMatching(/^SL050. .*\(Some\); the last 1 endpoints stay$/)])
		directory.answer(webQuery, ['10.0.0.2'])
		await pass(clock.pendingMs()[0] ?? 0)
		expect([addresses(), codes()]).toEqual([['10.0.0.2'], []])
	})

	test('no answer in time is a failure, and the question is given up', async () => {
		directory.answer(webQuery, 'silent')
		await poll()
		expect(codes()).toEqual([])
		await pass(limits.cloudMapDeadlineMs)
		expect([codes(), directory.aborted()]).toEqual([['SL0501'], 1])
	})

	test('pauses double up to a bound', async () => {
		directory.answer(webQuery, unreachable)
		const pauses: number[] = []
		for (let failure = 0; failure < 8; failure += 1) {
			await pass(clock.pendingMs()[0] ?? 0)
			pauses.push(Math.round(clock.pendingMs()[0] ?? 0))
		}
		// With a chance of a half, three quarters of 5, 10, 20, 40, 60 seconds.
		expect(pauses).toEqual([3_750, 7_500, 15_000, 30_000, 45_000, 45_000, 45_000, 45_000])
	})

	test('of a query that was never answered nothing is known', async () => {
		const other = { ...webQuery, serviceName: 'other' }
		directory.answer(other, unreachable)
		cloudMap.follow([other])
		await pass(0)
		expect(cloudMap.endpoints().has(cloudMapKey(other))).toBe(false)
		expect(cloudMap.troubles()).toEqual([
			{
				code: 'SL0501',
				subject: 'Cloud Map shop.local/other',
				message: 'does not answer (ECONNREFUSED); nothing is known of it yet',
				sinceWallMs: clock.wallMs(),
			},
		])
	})
})

describe('an empty answer', () => {
	test('is an answer when it is the first', async () => {
		cloudMap.follow([webQuery])
		await pass(0)
		expect([addresses(), codes(), changes]).toEqual([[], [], 1])
	})

	test('after some instances is believed only when it stays', async () => {
		directory.answer(webQuery, ['10.0.0.1'])
		cloudMap.follow([webQuery])
		await pass(0)
		directory.answer(webQuery, [])
		await poll()
		expect([addresses(), codes()]).toEqual([['10.0.0.1'], ['SL0504']])
		directory.answer(webQuery, ['10.0.0.1'])
		await poll()
		expect(codes()).toEqual([])
		directory.answer(webQuery, [])
		for (let passed = 0; passed < limits.cloudMapEmptyMs; passed += limits.cloudMapPollMs) await poll()
		expect(addresses()).toEqual(['10.0.0.1'])
		await poll()
		expect([addresses(), codes()]).toEqual([[], []])
	})

	test('after a restart: the same', async () => {
		start(new Map([[key, [{ ipv4: '10.0.0.1', ipv6: null, zone: '' }]]]))
		cloudMap.follow([webQuery])
		await pass(0)
		expect([addresses(), codes()]).toEqual([['10.0.0.1'], ['SL0504']])
	})
})

test('what is remembered from before is known, and forgotten when nobody asks for it', async () => {
	start(new Map([[key, [{ ipv4: '10.0.0.1', ipv6: null, zone: '' }]]]))
	expect(addresses()).toEqual(['10.0.0.1'])
	await pass(limits.discoveredKeptMs)
	expect(addresses()).toBeUndefined()
})

test('an instance without an address is told of', async () => {
	directory.answer(webQuery, ['10.0.0.1', 'web.example'])
	cloudMap.follow([webQuery])
	await pass(0)
	expect([addresses(), codes()]).toEqual([['10.0.0.1'], ['SL0505']])
})
