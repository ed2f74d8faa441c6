import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { assert } from '#base/assert.ts'
import { systemClock } from '#base/system-clock.ts'
import { until } from '#lab/until.ts'
import { askLines, cpuSeconds, hearNumbers, type LineProcess, residentMb, startLines } from '../xds/server-process.ts'

export type FlushCost = {
	/** CPU time of the server's process, all its threads, for one flush: whatever else it did meanwhile is in it. */
	readonly flushUs: number
	/** The same for all flushes that are due in a second. */
	readonly cpuPercent: number
	/** Flushes in a second, as they came: fewer than are due where the machine has too much to do. */
	readonly rate: number
	readonly delayP99Ms: number
	readonly rssBeforeMb: number
	readonly rssAfterMb: number
	/** Flushes that were left out, since the server had no room for them yet. */
	readonly late: number
}

export type FlushLoad = {
	readonly proxies: number
	readonly intervalS: 1 | 5
	/** `rollout`: one that has taken its first step, and watches all of the proxies. */
	readonly during: 'quiet' | 'rollout'
	readonly measuredS: number
}

const deadlineMs = 600_000
/** The first flushes have come. */
const settleMs = 1_500

/** A daemon of its own for each. */
export async function measureFlushes({ proxies, intervalS, during, measuredS }: FlushLoad): Promise<FlushCost> {
	await using server = startLines(process.execPath, [join(import.meta.dirname, 'daemon-child.ts')])
	const { port } = await hearNumbers(server, ['port'], 'the daemon listens')
	await untilAsked(server, ['applied'], ({ applied }) => applied === 1)
	const parameters = [join(import.meta.dirname, 'fleet-child.ts'), String(port), String(proxies)]
	await using fleet = startLines(process.execPath, parameters)
	await hearNumbers(fleet, ['port'], 'the fleet starts')
	await untilAsked(fleet, ['flushing'], ({ flushing }) => flushing === proxies)
	fleet.say('everySecond')
	await untilAsked(server, ['current', 'silent'], ({ current, silent }) => current === proxies && silent === 0)
	if (during === 'rollout') {
		server.say('shift')
		await untilAsked(server, ['step', 'current'], ({ step, current }) => step === 1 && current === proxies)
	}
	fleet.say(intervalS === 1 ? 'everySecond' : 'everyFiveSeconds')
	await sleep(settleMs + intervalS * 1_000)

	const rssBeforeMb = residentMb(server.pid)
	const before = await askLines(server, 'standing', ['stable', 'canary'])
	await askLines(fleet, 'move', ['flushes'])
	server.say('watch')
	const [cpuBefore, startedMs] = [cpuSeconds(server.pid), performance.now()]
	await sleep(measuredS * 1_000)
	const [cpuS, tookS] = [cpuSeconds(server.pid) - cpuBefore, (performance.now() - startedMs) / 1_000]
	const { delayP99Ms } = await askLines(server, 'delay', ['delayP99Ms'])
	const sent = await askLines(fleet, 'halt', ['flushes', 'late', 'stable', 'canary'])
	// To the last flush of each proxy, and nothing twice.
	await untilAsked(server, ['stable', 'canary'], ({ stable, canary }) => {
		const [counted, more] = [stable - before.stable, canary - before.canary]
		assert(counted <= sent.stable && more <= sent.canary, 'nothing is counted twice')
		return counted === sent.stable && more === sent.canary
	})
	const flushUs = (cpuS / sent.flushes) * 1e6
	return {
		flushUs,
		cpuPercent: (flushUs * proxies) / intervalS / 1e4,
		rate: sent.flushes / tookS,
		delayP99Ms,
		rssBeforeMb,
		rssAfterMb: residentMb(server.pid),
		late: sent.late,
	}
}

async function untilAsked<Name extends string>(
	child: LineProcess,
	names: readonly Name[],
	isSo: (standing: Readonly<Record<Name, number>>) => boolean,
): Promise<void> {
	await until({ clock: systemClock, deadlineMs, what: names.join(' and ') }, async () => {
		if (isSo(await askLines(child, 'standing', names))) return true
		await sleep(500)
		return null
	})
}
