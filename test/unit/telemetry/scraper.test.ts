import { beforeEach, expect, test } from 'vitest'
import { silentLog } from '#base/log.ts'
import type { Flush } from '#telemetry/flush.ts'
import { createScraper, type Scraper } from '#telemetry/scraper.ts'
import { createManualClock, type ManualClock } from '../../fakes/manual-clock.ts'

const target = { proxy: 'mesh/apps/virtualNode/a#1', admin: '10.0.0.1:9901' }
let clock: ManualClock
let scraper: Scraper
let flushes: Flush[]
let asked: string[]
let told: string[]
let pushed: Set<string>
/** What is listed; null: nobody answers, and the signal is heeded. */
let listing: string | null

beforeEach(() => {
	clock = createManualClock()
	flushes = []
	asked = []
	told = []
	pushed = new Set()
	listing = stats(100)
	scraper = createScraper({
		fetchStats(admin, signal) {
			asked.push(admin)
			if (listing !== null) return Promise.resolve(listing)
			return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
		},
		hasPushed: (proxy) => pushed.has(proxy),
		emit: (flush) => flushes.push(flush),
		clock,
		random: () => 0.5,
		log: { ...silentLog, warn: (event) => void told.push(event), info: (event) => void told.push(event) },
	})
})

function stats(completed: number, uptimeS = 60): string {
	return `cluster.c.upstream_rq_completed: ${completed}\ncluster.c.membership_healthy: 1\nserver.uptime: ${uptimeS}\n`
}

async function pass(ms: number): Promise<void> {
	clock.advance(ms)
	for (let round = 0; round < 20; round += 1) await Promise.resolve()
}

const counted = () => flushes.map((flush) => [flush.counted, flush.clusters.get('c')?.completed])

test('a flush each second, of what was counted since the last one', async () => {
	scraper.follow([target])
	await pass(499)
	expect(asked).toEqual([])
	await pass(1)
	listing = stats(130)
	await pass(1_000)
	listing = stats(10, 1)
	await pass(1_000)
	expect(counted()).toEqual([
		[false, 0],
		[true, 30],
		[true, 10],
	])
	expect(flushes[1]).toMatchObject({ proxy: target.proxy, arrivedMs: 1_500 })
})

test('a proxy that has pushed is not asked, and what it was asked before is not taken', async () => {
	scraper.follow([target])
	await pass(500)
	pushed.add(target.proxy)
	await pass(5_000)
	expect([asked.length, flushes.length]).toEqual([1, 1])
})

test('nor is an answer taken that came after its first push', async () => {
	listing = null
	scraper.follow([target])
	await pass(500)
	pushed.add(target.proxy)
	await pass(2_000)
	expect([asked.length, flushes.length, told]).toEqual([1, 0, []])
})

test('who hangs is let go, told once, and asked again; nobody is asked twice at a time', async () => {
	listing = null
	scraper.follow([target])
	await pass(500)
	await pass(1_000)
	expect(asked).toHaveLength(1)
	await pass(1_000)
	await pass(1_000)
	await pass(2_000)
	expect([asked.length > 1, told, flushes]).toEqual([true, ['telemetry.scrape.failing'], []])
	listing = stats(5)
	await pass(3_000)
	await pass(1_000)
	expect(told).toEqual(['telemetry.scrape.failing', 'telemetry.scrape.recovered'])
})

test('what is no listing is no flush', async () => {
	listing = 'no such page'
	scraper.follow([target])
	await pass(500)
	expect([asked.length, flushes, told]).toEqual([1, [], ['telemetry.scrape.failing']])
})

test('who is followed again goes on; who is not is let go', async () => {
	scraper.follow([target])
	await pass(500)
	scraper.follow([target, { ...target, proxy: 'mesh/apps/virtualNode/b#1', admin: '10.0.0.2:1' }])
	await pass(1_000)
	const ofFirst = flushes.filter(({ proxy }) => proxy === target.proxy)
	expect(ofFirst.map((flush) => flush.counted)).toEqual([false, true])
	scraper.follow([])
	const before = asked.length
	await pass(5_000)
	expect([asked.length - before, clock.pendingMs()]).toEqual([0, []])
})
